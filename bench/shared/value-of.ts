/** A bench cannot go on without what it asked for: a refusal ends it. */
import type { Outcome } from "../../protocol/refusal.ts";

export function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}
