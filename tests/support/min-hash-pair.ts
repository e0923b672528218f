/** What two MinHash signatures say together: of the sets' union, and of their overlap. */
import { minHashHashes } from "../../data/sketch/min-hash.ts";

const emptyPlace = 0xffff_ffff;

/** The signature of the union of both sets. */
export function mergeMinHash(a: Uint32Array, b: Uint32Array): Uint32Array {
  return a.map((value, place) => Math.min(value, b[place] ?? emptyPlace));
}

export function estimateJaccard(a: Uint32Array, b: Uint32Array): number {
  let equal = 0;
  for (let place = 0; place < minHashHashes; place++) {
    if (a[place] === b[place] && a[place] !== emptyPlace) equal++;
  }
  return equal / minHashHashes;
}
