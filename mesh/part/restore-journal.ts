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
import { subjectsOf } from "../../protocol/subjects.ts";
import type { Environment } from "../../system/environment.ts";
import { ensureCredential } from "../admission.ts";
import type { Home } from "../home.ts";
import { meshTrust } from "../mesh-trust.ts";
import { findServer } from "../server-binary.ts";
import { serverFolder } from "../server-process.ts";
import { swapJournal, withServer, writeFreshJournal, type FreshJournalOptions } from "./fresh-journal.ts";
import { differingIn, journalFault, readServerJournal, type ServerJournal } from "./server-journal.ts";
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
  readonly server: FreshJournalOptions;
  readonly signedAt: SignedAt;
  readonly copies: StoredCopy[];
}

/** The server must not run. */
export async function restoreJournal(options: RestoreOptions): Promise<Outcome<null>> {
  const { at, environment, home, log, name } = options;
  const binary = await findServer(environment, log);
  if (!binary.ok) return binary;
  const credential = await ensureCredential(home, "coordinator", name, Math.floor(at / 1_000));
  if (!credential.ok) return credential;
  const trust = meshTrust(home.mesh, credential.value);
  if (!trust.ok) return trust;
  const signedAt = signedAtIn(home.mesh, trust.value);
  const server = { home, binary: binary.value.path, credential: credential.value };
  const copies = await openStoredCopies(home, signedAt, log);
  try {
    return await restoreFrom({ ...options, server, signedAt, copies });
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    return refuse("unavailable", `the journal was not restored: ${error.message}`);
  } finally {
    for (const copy of copies) await copy.close();
  }
}

async function restoreFrom(restoring: Restoring): Promise<Outcome<null>> {
  const { copies, home, log, server, signedAt } = restoring;
  const heldAt = (sequence: number) => copies[0]?.copy.at(sequence) ?? null;
  const found = await readHere(restoring, heldAt);
  const held = copies.map(({ copy }): JournalSource => ({ top: copy.end.sequence, at: (at) => copy.at(at) }));
  const sources = found === null ? held : [...held, found];
  const heads = copies.map(({ copy }) => copy.end);
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
  const fresh = await writeFreshJournal(server, salvage, subject);
  if (!fresh.ok) return fresh;
  const swapped = swapJournal(home, fresh.value, restoring.at);
  if (!swapped.ok) return swapped;
  const after = await readHere(restoring, salvage.at);
  const left = after === null ? "the server cannot be started with it" : journalFault(after, salvage);
  if (left !== null) return refuse("unavailable", `the journal was restored and is damaged again: ${left}`);
  const what = found === null ? "all" : differingIn(found, salvage);
  log(
    `journal: restored and verified, ${plural(sequence, "message")}${what === "" ? "" : `; put back: ${what}`}${swapped.value === null ? "" : `; the damaged one lies in ${swapped.value}`}`,
  );
  return accept(null);
}

/** What the server of this home has; null where it does not even start. */
async function readHere(
  { home, log, server }: Restoring,
  heldAt: (sequence: number) => Uint8Array | null,
): Promise<ServerJournal | null> {
  const read = await withServer(server, serverFolder(home), true, (bus) =>
    readServerJournal(bus, home.mesh, heldAt),
  );
  if (read.ok) return read.value;
  log(`journal: the server gives nothing: ${read.refusal.message}`);
  return null;
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
