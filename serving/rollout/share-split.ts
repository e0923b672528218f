/**
 * ROLL-1. Which requests belong to a share: by a hash of the answer's id, so that the same id is always on the same side, nothing is drawn, and no
 * rhythm of the callers' can fall in with it. Not who has which share.
 */
import { fnv1a } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

/** Two questions about one id are independent of each other by their `purpose`. */
export type SplitPurpose = "caller" | "copy" | "duel" | "order";

const salts: Readonly<Record<SplitPurpose, number>> = {
  caller: 0,
  copy: 0x5bd1e995,
  duel: 0x27d4eb2f,
  order: 0x165667b1,
};
const hashes = 2 ** 32;

/** `share`: 0 for none, 1 for all. */
export function isInShare(id: string, share: number, purpose: SplitPurpose): boolean {
  return mixUnsigned(fnv1a(id) ^ salts[purpose]) < share * hashes;
}
