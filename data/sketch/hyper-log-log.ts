/**
 * How many different values there are, in 16 KiB whatever their number: HyperLogLog (Flajolet et al. 2007) over 64-bit
 * hashes with the estimator of Ertl (2017, arXiv 1702.01284, algorithm 6), which needs no bias table and is right for
 * few values as for many. Two sketches merge into exactly the sketch of both inputs, in any order.
 */
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import { TextHash } from "./text-hash.ts";

/** 2^14 registers: a standard error of 0.81%. */
const precisionBits = 14;
const registers = 2 ** precisionBits;
/** Ranks run from 0 (nothing seen) to this, for a hash whose other bits are all 0. */
const rankMost = 64 - precisionBits + 1;
const hashSeed = 0x7461_6c6c;
/** Up to here the registers in use are written one by one. */
const sparseMost = registers / 8;
const rankBase = 64;
const alphaInfinity = 1 / (2 * Math.LN2);

export const hyperLogLogSchema = z.discriminatedUnion("form", [
  /** One number per register in use: its index times 64, plus its rank. */
  z.strictObject({
    form: z.literal("sparse"),
    registers: storedList(
      z
        .int()
        .min(1)
        .max(registers * rankBase - 1),
    ).max(sparseMost),
  }),
  /** All ranks, one byte each, in base64. */
  z.strictObject({ form: z.literal("dense"), registers: z.base64().max(2 * registers) }),
]);
export type HyperLogLogJson = z.infer<typeof hyperLogLogSchema>;

export class HyperLogLog {
  /** Standard error of the estimate, relative to it. */
  static readonly relativeError: number = Math.sqrt(3 * Math.LN2 - 1) / Math.sqrt(registers);
  readonly #ranks = new Uint8Array(registers);
  readonly #hash = new TextHash(hashSeed);

  add(text: string): void {
    const { low, high } = this.#hash.of(text);
    this.addHash(low, high);
  }

  /** Two unsigned words of 32 bits of a hash that is good in every bit. */
  addHash(low: number, high: number): void {
    const index = high >>> (32 - precisionBits);
    const rest = (high << precisionBits) >>> 0;
    const rank = rest === 0 ? 32 - precisionBits + Math.clz32(low) + 1 : Math.clz32(rest) + 1;
    if (rank > (this.#ranks[index] ?? 0)) this.#ranks[index] = rank;
  }

  merge(other: HyperLogLog): void {
    for (let index = 0; index < registers; index++) {
      const rank = other.#ranks[index] ?? 0;
      if (rank > (this.#ranks[index] ?? 0)) this.#ranks[index] = rank;
    }
  }

  estimate(): number {
    const counts = new Float64Array(rankMost + 1);
    for (const rank of this.#ranks) counts[rank] = (counts[rank] ?? 0) + 1;
    let sum = registers * tau(1 - (counts[rankMost] ?? 0) / registers);
    for (let rank = rankMost - 1; rank >= 1; rank--) sum = 0.5 * (sum + (counts[rank] ?? 0));
    sum += registers * sigma((counts[0] ?? 0) / registers);
    return (alphaInfinity * registers * registers) / sum;
  }

  toJSON(): HyperLogLogJson {
    const sparse: number[] = [];
    for (const [index, rank] of this.#ranks.entries()) if (rank > 0) sparse.push(index * rankBase + rank);
    return sparse.length <= sparseMost
      ? { form: "sparse", registers: sparse }
      : { form: "dense", registers: Buffer.from(this.#ranks).toString("base64") };
  }

  /** Takes what `hyperLogLogSchema` has parsed; ranks beyond the possible are cut, so a forged sketch is only wrong. */
  static from(json: HyperLogLogJson): HyperLogLog {
    const sketch = new HyperLogLog();
    if (json.form === "dense") {
      const bytes = Buffer.from(json.registers, "base64").subarray(0, registers);
      for (const [index, rank] of bytes.entries()) sketch.#ranks[index] = Math.min(rank, rankMost);
    } else {
      for (const each of json.registers) {
        sketch.#ranks[Math.floor(each / rankBase)] = Math.min(each % rankBase, rankMost);
      }
    }
    return sketch;
  }
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let power = share;
  let factor = 1;
  let sum = share;
  for (let before = -1; before !== sum;) {
    before = sum;
    power *= power;
    sum += power * factor;
    factor += factor;
  }
  return sum;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let factor = 1;
  let sum = 1 - share;
  for (let before = -1; before !== sum;) {
    before = sum;
    root = Math.sqrt(root);
    factor *= 0.5;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
