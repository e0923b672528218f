/**
 * An agent's durable memory on disk: reports that wait for a receipt, where its cache lies. No cache itself: one of another version
 * is refused with what to do; of a damaged one what can be read is kept, and it is said what that means for the rest.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { refuse, accept, type Outcome } from "../../protocol/refusal.ts";
import { EnduringStore } from "../../store/enduring-store.ts";
import { refusalOf } from "../../store/lmdb-error.ts";
import { storeFile, storeIsThere } from "../../store/lmdb-file.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { moveStoreAside, openCheckedStore } from "../../store/open-checked.ts";
import { salvageStore } from "../../store/salvage-store.ts";
import { StoreError, type Store, type StoreOpening } from "../../store/store.ts";
import { refuseStore } from "./refuse-store.ts";

type Say = (line: string) => void;

/** Of what an agent keeps in its store: its outbox, its cache's index, the highest head of the journal. */
export const agentStoreVersion = "agent-1";
const pauseMs = 1_000;

/** `at`: names what is put aside, ms. `hadOne`: the agent has been here before. Refused as `unavailable` where the disk does not let it. */
export async function openStore(
  path: string,
  version: string,
  at: number,
  say: Say,
  hadOne = false,
): Promise<Outcome<Store>> {
  try {
    if (hadOne && !storeIsThere(path)) say(`the store in ${path} is gone; ${whatIsLost}`);
    let opening = await openCheckedStore({ path, version, environment: guardedEnvironment });
    if (opening.kind === "refused" && opening.refusal.kind === "damaged")
      opening = await salvage(path, version, at, opening.refusal.why, say);
    if (opening.kind === "opened") {
      if (opening.note !== undefined) say(opening.note);
      return accept(enduring(opening.store, path, version, say));
    }
    const { refusal } = opening;
    if (refusal.kind !== "another-version") return refuseStore(refusal);
    return refuse(
      "conflict",
      `the store in ${path} is of version ${refusal.found} and this trialmesh keeps ${version}; let the trialmesh that wrote it run until it has sent its reports, then move the store away`,
    );
  } catch (error) {
    return refuseStore(refusalOf(error, path));
  }
}

const whatIsLost =
  "reports in it that the coordinator had not received are lost, and their trials run again once their leases have ended";

async function salvage(
  path: string,
  version: string,
  at: number,
  why: string,
  say: Say,
): Promise<StoreOpening> {
  const aside = moveStoreAside(path, at);
  const { entries, expected } = await salvageStore(aside, guardedEnvironment);
  const opening = await openCheckedStore({ path, version, environment: guardedEnvironment });
  if (opening.kind === "refused") return opening;
  await opening.store.write({ put: entries, remove: [] });
  const kept = `${entries.length} of its ${expected ?? "unknown number of"} entries could be read and are kept`;
  const rest = entries.length === expected ? "nothing is lost" : whatIsLost;
  say(`the store in ${path} was damaged (${why}) and lies in ${aside} now; ${kept}; ${rest}`);
  return opening;
}

function enduring(store: Store, path: string, version: string, say: Say): Store {
  return new EnduringStore(store, {
    beginAnew: async (why) => {
      if (existsSync(join(path, storeFile))) moveStoreAside(path, Date.now());
      const opening = await openCheckedStore({ path, version, environment: guardedEnvironment });
      if (opening.kind === "refused") throw new StoreError("failed", opening.refusal.message);
      say(`${why} It is written anew from memory; nothing is lost.`);
      return opening.store;
    },
    pause: () => sleep(pauseMs),
    say,
  });
}
