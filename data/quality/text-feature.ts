/**
 * What of a text the fast models look at, as 32-bit hashes: words and pairs of words, parts of words, and spans of
 * characters across words. Needs no word list and no language: parts and spans tell of inflected and unseen words.
 */
import { tokenHash } from "./word-token.ts";

const edge = "\u0002";
/** Characters of a part, word ends included, and of a span. */
const partLengths = { least: 3, most: 6 } as const;
const spanLengths = { least: 4, most: 7 } as const;
const partsFrom = tokenHash("part");

/** 1-grams and 2-grams; the beginning counts as a word. */
export function wordHashes(tokens: readonly string[]): readonly number[] {
  const hashes: number[] = [];
  let before = tokenHash(edge);
  for (const token of [...tokens, edge]) {
    const own = tokenHash(token);
    hashes.push(own, tokenHash(token, before));
    before = own;
  }
  return hashes;
}

/** Words, pairs of words, and the parts of each word. */
export function partHashes(tokens: readonly string[], most: number): readonly number[] {
  const hashes = [...wordHashes(tokens)];
  for (const token of tokens) {
    if (hashes.length > most) break;
    pushSpans(hashes, `${edge}${token}${edge}`, partLengths, partsFrom);
  }
  return hashes;
}

/** Spans of characters, spaces between words included. */
export function spanHashes(tokens: readonly string[], most: number): readonly number[] {
  const perStart = spanLengths.most - spanLengths.least + 1;
  const hashes: number[] = [];
  pushSpans(hashes, ` ${tokens.join(" ")} `.slice(0, Math.ceil(most / perStart)), spanLengths, undefined);
  return hashes;
}

function pushSpans(
  hashes: number[],
  text: string,
  { least, most }: { readonly least: number; readonly most: number },
  from: number | undefined,
): void {
  for (let start = 0; start < text.length; start++) {
    for (let length = least; length <= most && start + length <= text.length; length++) {
      hashes.push(tokenHash(text.slice(start, start + length), from));
    }
  }
}
