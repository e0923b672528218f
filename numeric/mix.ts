/** The finaliser of MurmurHash3 (Appleby, public domain): every bit of the input reaches every bit of the output. Not for secrets. */

/** 32 bits in, 32 bits out, one to one; signed, as `|` and `^` give them. */
export function mix(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The same bits as a number from 0 to 2³² - 1. */
export function mixUnsigned(value: number): number {
  return mix(value) >>> 0;
}
