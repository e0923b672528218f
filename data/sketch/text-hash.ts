/**
 * A seeded 64-bit hash of a text or number from two lanes of MurmurHash3 (x86, 32 bits; Austin Appleby, public domain), over its
 * UTF-16 code units, two per block. Equal on every machine. Not for secrets, and not against an adversary who knows the seed.
 */
import { mixUnsigned } from "../../numeric/mix.ts";

const c1 = 0xcc9e2d51;
const c2 = 0x1b873593;
/** Parts the lanes: the golden ratio's fraction. */
const laneGap = 0x9e3779b9;

/** Keeps the last hash in two fields, so that hashing a column allocates nothing. */
export class TextHash {
  readonly #seed: number;
  #units = new Uint16Array(256);
  /** Both unsigned, 32 bits. */
  low = 0;
  high = 0;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
  }

  of(text: string): this {
    const length = text.length;
    if (length > this.#units.length) this.#units = new Uint16Array(2 * length);
    const units = this.#units;
    for (let at = 0; at < length; at++) units[at] = text.charCodeAt(at);
    return this.ofUnits(units, length);
  }

  /** The hash of the text that the first `length` code units spell. */
  ofUnits(units: Uint16Array, length: number): this {
    const pairs = length - (length & 1);
    let a = this.#seed | 0;
    let b = (this.#seed ^ laneGap) | 0;
    let block = 0;
    for (let at = 0; at < pairs; at += 2) {
      block = Math.imul((units[at] ?? 0) | ((units[at + 1] ?? 0) << 16), c1);
      block = Math.imul((block << 15) | (block >>> 17), c2);
      a ^= block;
      a = (Math.imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
      b ^= Math.imul(block, c1);
      b = (Math.imul((b << 17) | (b >>> 15), 9) + 0x38495ab5) | 0;
    }
    if (pairs < length) {
      block = Math.imul(units[pairs] ?? 0, c1);
      block = Math.imul((block << 15) | (block >>> 17), c2);
      a ^= block;
      b ^= Math.imul(block, c1);
    }
    this.low = mixUnsigned(a ^ (2 * length));
    this.high = mixUnsigned(b ^ (2 * length) ^ Math.imul(this.low, c2));
    return this;
  }
}

const bits = new Uint32Array(2);
const double = new Float64Array(bits.buffer);
const numberHash = { low: 0, high: 0 };

/** 64 bits of a number, in an object that the next call overwrites. The two zeros are one value. */
export function hashNumber(value: number): { readonly low: number; readonly high: number } {
  double[0] = value === 0 ? 0 : value;
  numberHash.low = mixUnsigned((bits[0] ?? 0) ^ Math.imul(bits[1] ?? 0, laneGap));
  numberHash.high = mixUnsigned((bits[1] ?? 0) ^ Math.imul(numberHash.low, c1));
  return numberHash;
}
