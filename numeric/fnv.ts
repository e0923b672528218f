/**
 * The 32-bit FNV-1a hash (Fowler, Noll and Vo 1991; RFC 9923) of a text, over its UTF-16 code units instead of bytes. Its low
 * bits are the better ones: `mix.ts` evens them out. Not for secrets.
 */

export const fnvBasis = 0x811c9dc5;
/** The hash with one more unit. */
export function fnvStep(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}

/** Signed. Goes on from the hash `begun`; `from` and `to` are places in the text. */
export function fnv1a(text: string, begun: number = fnvBasis, from = 0, to: number = text.length): number {
  let hash = begun;
  for (let at = from; at < to; at++) hash = fnvStep(hash, text.charCodeAt(at));
  return hash | 0;
}
