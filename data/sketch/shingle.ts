/**
 * The set of shingles of a text, as sorted 32-bit hashes without repeats: runs of characters or of words. Punctuation
 * counts for nothing. Two texts are compared by the share of shingles they have in common (Jaccard). No language is assumed.
 */
import { TextHash } from "./text-hash.ts";

export type ShingleUnit = "characters" | "words";

const hashSeed = 0x7368_696e;
const hash = new TextHash(hashSeed);

// oxlint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/u;

/** Runs of letters and digits in a text that `normaliseText` has made lower-case. */
export function wordsOf(normalised: string): readonly string[] {
  const words = ascii.test(normalised)
    ? normalised.match(/[a-z0-9]+/g)
    : normalised.match(/[\p{L}\p{M}\p{N}]+/gu);
  return words ?? [];
}

/** Of fewer than `size` units there is one shingle; of no word there is none. */
export function shingles(words: readonly string[], unit: ShingleUnit, size: number): Uint32Array {
  if (words.length === 0) return new Uint32Array(0);
  if (unit === "characters") return sortedSet(characterWindows(words.join(" "), size));
  return sortedSet(windows(words.length, size, (from, to) => words.slice(from, to).join(" ")));
}

function characterWindows(text: string, size: number): Uint32Array {
  return windows(text.length, size, (from, to) => text.slice(from, to));
}

function windows(length: number, size: number, cut: (from: number, to: number) => string): Uint32Array {
  const count = Math.max(1, length - size + 1);
  const found = new Uint32Array(count);
  for (let from = 0; from < count; from++) found[from] = hash.of(cut(from, from + size)).low;
  return found;
}

function sortedSet(values: Uint32Array): Uint32Array {
  values.sort();
  let kept = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    if (at === 0 || value !== values[kept - 1]) values[kept++] = value;
  }
  return values.slice(0, kept);
}

/** Common shingles by all shingles; two empty sets have nothing in common. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0];
    if (x === y) common++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  const all = a.length + b.length - common;
  return all === 0 ? 0 : common / all;
}
