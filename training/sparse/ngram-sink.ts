/**
 * From texts to hash buckets of their n-grams. Words are what white space separates, in lower case; character
 * n-grams lie within `<word>`, as in fastText (Bojanowski et al. 2017). Which buckets have a row is `ngram.ts`'s matter.
 */
import { fnvBasis, fnvStep } from "../../numeric/fnv.ts";
import { mix } from "../../numeric/mix.ts";

export interface NgramSetting {
  /** Longest word n-gram, in words. */
  readonly wordNgrams: number;
  /** Character n-grams from `charMin` to `charMax` characters; `charMax` 0 means none. */
  readonly charMin: number;
  readonly charMax: number;
  /** 2 ** bucketBits hash buckets. */
  readonly bucketBits: number;
  /** Occurrences in the training split below which a bucket is left out. */
  readonly minCount: number;
  /** Whether a bucket counts once per text. */
  readonly binary: boolean;
}

/** Parts words from their n-grams of characters; `mix` makes the low bits of either's hash as good as the high ones. */
const wordSalt = 0x3c6ef372;
const charSalt = 0x1b873593;
/** Stands before the first word in word n-grams of two and more: how a text begins says much about it. */
const textStart = 0x5bd1e995;
const wordBegin = 60;
const wordEnd = 62;

/** Buckets of texts, one after the other. Its arrays are kept from text to text: this is most of a dataset's preparation. */
export class NgramSink {
  buckets = new Int32Array(1 << 16);
  length = 0;
  readonly #setting: NgramSetting;
  readonly #mask: number;
  /** Code units of `<word>`. */
  #word = new Int32Array(64);
  #hashes = new Int32Array(256);

  constructor(setting: NgramSetting) {
    this.#setting = setting;
    this.#mask = 2 ** setting.bucketBits - 1;
  }

  add(text: string): void {
    const lower = text.normalize("NFC").toLowerCase();
    // A text has fewer words than code units, and a word fewer n-grams of characters than these.
    if (this.#word.length < lower.length + 2) this.#word = new Int32Array(2 * lower.length + 2);
    if (this.#hashes.length < lower.length + 2) this.#hashes = new Int32Array(2 * lower.length + 2);
    const { charMin, charMax, wordNgrams } = this.#setting;
    const sizes = Math.max(0, charMax - charMin + 1);
    this.#reserve((lower.length * 2 + 2) * sizes + (lower.length + 1) * wordNgrams);
    const word = this.#word;
    const hashes = this.#hashes;
    hashes[0] = textStart;
    let words = 1;
    word[0] = wordBegin;
    let length = 1;
    for (let at = 0; at <= lower.length; at++) {
      const code = at < lower.length ? lower.charCodeAt(at) : space;
      if (!isSpace(code)) {
        word[length++] = code;
        continue;
      }
      if (length === 1) continue;
      word[length++] = wordEnd;
      hashes[words++] = this.#addWord(length);
      length = 1;
    }
    this.#addWordNgrams(words);
  }

  /** Character n-grams of the word in `#word`; gives the hash of the whole. */
  #addWord(length: number): number {
    const { charMin, charMax } = this.#setting;
    const word = this.#word;
    const buckets = this.buckets;
    const mask = this.#mask;
    let whole = fnvBasis ^ wordSalt;
    for (let at = 0; at < length; at++) whole = fnvStep(whole, word[at] ?? 0);
    let sunk = this.length;
    if (charMax > 0) {
      for (let from = 0; from < length; from++) {
        const to = Math.min(length, from + charMax);
        let hash = fnvBasis ^ charSalt;
        for (let at = from; at < to; at++) {
          hash = fnvStep(hash, word[at] ?? 0);
          const size = at - from + 1;
          // The marks alone say nothing.
          if (size < charMin || (size === 1 && (from === 0 || from === length - 1))) continue;
          buckets[sunk++] = mix(hash) & mask;
        }
      }
    }
    this.length = sunk;
    return mix(whole);
  }

  /** Word n-grams of the first `words` of `#hashes`. */
  #addWordNgrams(words: number): void {
    const { wordNgrams } = this.#setting;
    const hashes = this.#hashes;
    const buckets = this.buckets;
    let sunk = this.length;
    for (let from = 0; from < words; from++) {
      const to = Math.min(words, from + wordNgrams);
      let hash = 0;
      for (let at = from; at < to; at++) {
        hash = mix(Math.imul(hash, 31) + (hashes[at] ?? 0));
        if (at > 0) buckets[sunk++] = hash & this.#mask;
      }
    }
    this.length = sunk;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.buckets.length) return;
    const larger = new Int32Array(2 * (this.length + more));
    larger.set(this.buckets);
    this.buckets = larger;
  }
}

const space = 0x20;
const lastAscii = 0x7f;

/** White space as `\s` has it. */
function isSpace(code: number): boolean {
  if (code <= lastAscii) return code === space || (code >= 9 && code <= 13);
  return /\s/u.test(String.fromCharCode(code));
}
