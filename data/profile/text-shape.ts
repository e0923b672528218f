/**
 * One pass over a text: its length in code points and words, and a 64-bit key that equal normalised texts share. Plain
 * ASCII, most of most text, never becomes a second string. What "normalised" means is `normaliseText`'s.
 */
import { normaliseText } from "../row/split.ts";
import { TextHash } from "../sketch/text-hash.ts";
import { fnv1a, fnvStep } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

const hashSeed = 0x7465_7874;
const space = 0x20;
const asciiMost = 0x7f;
/** What `normaliseText` makes of each ASCII character on its own: white space a blank, capitals small, digits 0. */
const normalAscii = Uint8Array.from({ length: asciiMost + 1 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  return /\s/u.test(character) ? space : normaliseText(character).charCodeAt(0);
});

/** Keeps the last text's figures in fields, so that a column is measured without an object per row. */
export class TextShape {
  characters = 0;
  words = 0;
  keyLow = 0;
  keyHigh = 0;
  /** Of the text as it stands. */
  low = 0;
  high = 0;
  ascii = true;
  #normalLength = 0;
  readonly #hash = new TextHash(hashSeed);
  #normal = new Uint16Array(1024);

  of(text: string): this {
    if (text.length > this.#normal.length) this.#normal = new Uint16Array(2 * text.length);
    const normal = this.#normal;
    let to = 0;
    let words = 0;
    let inWord = false;
    let raw = 0;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit > asciiMost) return this.#beyondAscii(text);
      raw = fnvStep(raw, unit);
      const plain = normalAscii[unit] ?? 0;
      if (plain === space) {
        inWord = false;
        continue;
      }
      if (!inWord) {
        inWord = true;
        if (words++ > 0) normal[to++] = space;
      }
      normal[to++] = plain;
    }
    this.ascii = true;
    this.characters = text.length;
    this.words = words;
    this.#key(to, raw);
    return this;
  }

  #beyondAscii(text: string): this {
    const normalised = normaliseText(text);
    if (normalised.length > this.#normal.length) this.#normal = new Uint16Array(2 * normalised.length);
    for (let at = 0; at < normalised.length; at++) this.#normal[at] = normalised.charCodeAt(at);
    let pairs = 0;
    for (let at = 1; at < text.length; at++) {
      const low = (text.charCodeAt(at) & 0xfc00) === 0xdc00;
      if (low && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) pairs++;
    }
    this.ascii = false;
    this.characters = text.length - pairs;
    this.words = text.match(/\S+/gu)?.length ?? 0;
    this.#key(normalised.length, fnv1a(text, 0));
    return this;
  }

  /** The last text, normalised: its first `units` code units at most. */
  normalised(units: number): string {
    const head = this.#normal.subarray(0, Math.min(units, this.#normalLength));
    return this.ascii ? Buffer.from(head).toString("latin1") : String.fromCharCode(...head);
  }

  /** `raw` tells apart, in 32 bits, what is the same only when normalised; the key does the rest. */
  #key(length: number, raw: number): void {
    this.#normalLength = length;
    const { low, high } = this.#hash.ofUnits(this.#normal, length);
    this.keyLow = low;
    this.keyHigh = high;
    this.low = mixUnsigned(low ^ raw);
    this.high = mixUnsigned(high ^ this.low);
  }
}
