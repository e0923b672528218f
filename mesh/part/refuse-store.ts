/** Why a part's store was not opened, as the part says it: what the disk may allow again is waited for, nothing else. */
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import type { StoreRefusal } from "../../store/store.ts";

export function refuseStore(refusal: StoreRefusal): Outcome<never> {
  const waits = refusal.kind === "disk-full" || refusal.kind === "not-writable";
  return refuse(waits ? "unavailable" : "conflict", refusal.message);
}
