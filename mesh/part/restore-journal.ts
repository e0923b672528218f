/**
 * `up --restore-journal`: makes the server's journal whole again, out of the copies in this home and what the server still has,
 * before anything else of the mesh is started. JOURNAL-5: it says success only where the journal was read back and is whole; what
 * cannot be put back it names, and changes nothing. Ended at any moment, it can be run again.
 */
import { randomBytes } from "node:crypto";
import type { JournalSource, Salvage, WholeJournal } from "../../coordinator/journal/salvage.ts";
import { salvageJournal } from "../../coordinator/journal/salvage.ts";
import { signedAtIn, type SignedAt } from "../../coordinator/journal/signed-at.ts";
import { BusError } from "../../protocol/bus/bus.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { MeshTrust } from "../../protocol/signature.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import type { Environment } from "../../system/environment.ts";
import { ensureCredential } from "../admission.ts";
import type { Credential } from "../credential.ts";
import type { Home } from "../home.ts";
import { meshTrust } from "../mesh-trust.ts";
import { findServer } from "../server-binary.ts";
import { ownJournal } from "./fresh-journal.ts";
import { outsideJournal } from "./outside-journal.ts";
import { differingIn, journalFault, type JournalPlace } from "./server-journal.ts";
import { storedHeads } from "./stored-head.ts";
import { beginCopy, openStoredCopies, type StoredCopy } from "./stored-copy.ts";

export interface RestoreOptions {
  readonly home: Home;
  readonly environment: Environment;
  /** The coordinator whose copy is completed first. */
  readonly name: string;
  /** Names what is put aside, ms. */
  readonly at: number;
  readonly log: (line: string) => void;
}

interface Restoring extends RestoreOptions {
  readonly place: JournalPlace;
  readonly trust: MeshTrust;
  readonly signedAt: SignedAt;
  readonly copies: StoredCopy[];
}

/** The server of this home must not run; one of somebody else's, at NATS_URL, must. */
export async function restoreJournal(options: RestoreOptions): Promise<Outcome<null>> {
  const { at, home, log, name } = options;
  const credential = await ensureCredential(home, "coordinator", name, Math.floor(at / 1_000));
  if (!credential.ok) return credential;
  const trust = meshTrust(home.mesh, credential.value);
  if (!trust.ok) return trust;
  const signedAt = signedAtIn(home.mesh, trust.value);
  const place = await placeOfJournal(options, credential.value);
  if (!place.ok) return place;
  const copies = await openStoredCopies(home, signedAt, log);
  try {
    return await restoreFrom({ ...options, place: place.value, trust: trust.value, signedAt, copies });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refuse("unavailable", `the journal was not restored: ${error.message}`);
  } finally {
    for (const copy of copies) await copy.close();
    await place.value.close();
  }
}

async function placeOfJournal(
  { at, environment, home, log }: RestoreOptions,
  credential: Credential,
): Promise<Outcome<JournalPlace>> {
  const outside = environment["NATS_URL"];
  if (outside !== undefined && outside !== "") return outsideJournal({ ...home, url: outside }, credential);
  const binary = await findServer(environment, log);
  if (!binary.ok) return binary;
  return accept(ownJournal({ home, binary: binary.value.path, credential }, at, log));
}

async function restoreFrom(restoring: Restoring): Promise<Outcome<null>> {
  const { copies, home, log, place, signedAt } = restoring;
  const found = await place.read((sequence) => copies[0]?.copy.at(sequence) ?? null);
  const held = copies.map(({ copy }): JournalSource => ({ top: copy.end.sequence, at: (at) => copy.at(at) }));
  const sources = found === null ? held : [...held, found];
  const heads = [
    ...copies.flatMap(({ copy }) => [copy.end, ...(copy.seen === null ? [] : [copy.seen])]),
    ...(await storedHeads(home, restoring.trust, new Set(copies.map((copy) => copy.name)))),
  ];
  const salvage = salvageJournal({ sources, heads, signedAt });
  if (salvage.kind !== "whole") return unrecoverable(salvage);
  const fault = found === null ? "the server cannot be started with it" : journalFault(found, salvage);
  const { sequence } = salvage.end;
  if (fault === null) {
    log(`journal: it is whole, ${plural(sequence, "message")}; nothing was to be restored`);
    return accept(null);
  }
  log(`journal: damaged on the server: ${fault}; restoring ${plural(sequence, "message")}`);
  await completeCopy(restoring, salvage);
  const subject = found?.subject ?? subjectsOf(home.mesh).journal(randomBytes(16).toString("hex"));
  const replaced = await place.replace(salvage, found, subject);
  if (!replaced.ok) return replaced;
  const after = await place.read(salvage.at);
  const left = after === null ? "the server cannot be started with it" : journalFault(after, salvage);
  if (left !== null) return refuse("unavailable", `the journal was restored and is damaged again: ${left}`);
  const what = found === null ? "all" : differingIn(found, salvage);
  const aside = replaced.value === null ? "" : `; the damaged one lies in ${replaced.value}`;
  log(
    `journal: restored and verified, ${plural(sequence, "message")}${what === "" ? "" : `; put back: ${what}`}${aside}`,
  );
  return accept(null);
}

/** What only the server still had is kept before its disk is touched. */
async function completeCopy(restoring: Restoring, whole: WholeJournal): Promise<void> {
  const { at, copies, home, log, name, signedAt } = restoring;
  let own = copies.find((copy) => copy.name === name) ?? null;
  if (own === null) {
    own = await beginCopy(home, name, signedAt, at, log);
    if (own !== null) copies.push(own);
  }
  await own?.copy.takeOver(whole);
}

function unrecoverable(salvage: Exclude<Salvage, WholeJournal>): Outcome<never> {
  const elsewhere =
    "; a coordinator on another machine may have it: put its folder coordinator/NAME/journal-copy into this home and run this again";
  switch (salvage.kind) {
    case "nothing":
      return refuse(
        "unavailable",
        `no copy of the journal lies in this home: nothing can be restored${elsewhere}`,
      );
    case "lost":
      return refuse(
        "unavailable",
        `the journal cannot be put back whole: ${salvage.from === salvage.to ? `message ${salvage.from} is` : `messages ${salvage.from} to ${salvage.to} are`} lost here and nothing was changed${elsewhere}`,
      );
    case "parted":
      return refuse(
        "conflict",
        `the copies in this home tell different histories at message ${salvage.sequence}; nothing was changed: move the copy that is not of this mesh away`,
      );
  }
}
