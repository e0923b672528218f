/**
 * A signature per set whose equal places estimate how much two sets overlap: MinHash (Broder 1997). The signature of a
 * union is the smaller value in each place, so signatures of parts merge exactly. Standard error of an estimate of overlap
 * J: sqrt(J (1 - J) / hashes).
 */
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

/** A multiple of 4. */
export const minHashHashes = 120;
/** Of an empty set, and of no other: the hash that would give it is taken for the next one. */
const emptyPlace = 0xffff_ffff;
const hashSeed = 0x6d69_6e68;

const xors = Uint32Array.from({ length: minHashHashes }, (_, at) => mixUnsigned(hashSeed + at));
const factors = Uint32Array.from(
  { length: minHashHashes },
  (_, at) => mixUnsigned(hashSeed ^ ((at + 1) << 8)) | 1,
);

export const minHashSchema = storedList(z.int().min(0).max(emptyPlace)).length(minHashHashes);

/** Four places in one pass, and signed comparisons: several times faster than one by one and unsigned. */
export function minHash(shingles: Uint32Array): Uint32Array {
  const signature = new Uint32Array(minHashHashes).fill(emptyPlace);
  if (shingles.length === 0) return signature;
  for (let place = 0; place < minHashHashes; place += 4) {
    const [x0, x1, x2, x3] = [xorAt(place), xorAt(place + 1), xorAt(place + 2), xorAt(place + 3)];
    const [f0, f1, f2, f3] = [factorAt(place), factorAt(place + 1), factorAt(place + 2), factorAt(place + 3)];
    let [least0, least1, least2, least3] = [0x7fff_ffff, 0x7fff_ffff, 0x7fff_ffff, 0x7fff_ffff];
    for (let at = 0; at < shingles.length; at++) {
      const shingle = (shingles[at] ?? 0) | 0;
      const a = hashOf(shingle, x0, f0);
      const b = hashOf(shingle, x1, f1);
      const c = hashOf(shingle, x2, f2);
      const d = hashOf(shingle, x3, f3);
      if (a < least0) least0 = a;
      if (b < least1) least1 = b;
      if (c < least2) least2 = c;
      if (d < least3) least3 = d;
    }
    // Flipping the sign bit puts signed order back into unsigned.
    signature[place] = (least0 ^ 0x8000_0000) >>> 0;
    signature[place + 1] = (least1 ^ 0x8000_0000) >>> 0;
    signature[place + 2] = (least2 ^ 0x8000_0000) >>> 0;
    signature[place + 3] = (least3 ^ 0x8000_0000) >>> 0;
  }
  return signature;
}

/** Shingles are hashes already: one multiplication brings every bit to the top, where order is decided. */
function hashOf(shingle: number, xor: number, factor: number): number {
  return Math.imul(shingle ^ xor, factor);
}

function xorAt(place: number): number {
  return (xors[place] ?? 0) | 0;
}

function factorAt(place: number): number {
  return (factors[place] ?? 1) | 0;
}
