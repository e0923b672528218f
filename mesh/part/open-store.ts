/** A process's own durable memory, or one sentence on why it cannot be opened. */
import { refuse, accept, type Outcome } from "../../protocol/refusal.ts";
import type { Store } from "../../store/store.ts";
import { openLmdbStore } from "../../store/lmdb-store.ts";

export async function openStore(path: string, version: string): Promise<Outcome<Store>> {
  const opening = await openLmdbStore({ path, version });
  if (opening.kind === "opened") return accept(opening.store);
  const { kind, message } = opening.refusal;
  return refuse(kind === "another-version" ? "conflict" : "unavailable", message);
}
