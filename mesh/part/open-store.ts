/**
 * An agent's durable memory on disk: reports that wait for a receipt, leases, where its cache lies. No cache itself: one of another
 * version is refused with what to do, and a damaged one is put aside with a word on what that means.
 */
import { refuse, accept, type Outcome } from "../../protocol/refusal.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { moveStoreAside, openCheckedStore } from "../../store/open-checked.ts";
import type { Store } from "../../store/store.ts";

/** `at`: names what is put aside, ms. */
export async function openStore(
  path: string,
  version: string,
  at: number,
  say: (line: string) => void,
): Promise<Outcome<Store>> {
  const options = { path, version, scan: true, environment: () => guardedEnvironment() };
  let opening = await openCheckedStore(options);
  if (opening.kind === "refused" && opening.refusal.kind === "damaged") {
    const aside = moveStoreAside(path, at);
    say(
      `the store in ${path} was damaged and lies in ${aside} now; reports in it that the coordinator had not received are lost, and their trials run again once their leases have ended`,
    );
    opening = await openCheckedStore(options);
  }
  if (opening.kind === "opened") return accept(opening.store);
  const { refusal } = opening;
  if (refusal.kind !== "another-version") return refuse("unavailable", refusal.message);
  return refuse(
    "conflict",
    `the store in ${path} is of version ${refusal.found} and this trialmesh keeps ${version}; let the trialmesh that wrote it run until it has sent its reports, then move the store away`,
  );
}
