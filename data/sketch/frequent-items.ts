/**
 * The most frequent values with bounds: Misra and Gries (1982) in batches, mergeable as Agarwal et al. (2012) show. A value's
 * count is never too high, and too low by at most `undercount`, itself at most rows / (counters + 1). Every value more
 * frequent than that is in it. While no more different values than counters came, all counts are exact. Values are told
 * apart by 64-bit hashes, in typed arrays: most values of a large column come once and must cost little.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { hashNumber, TextHash } from "./text-hash.ts";

const counters = 1024;
const held = 2 * counters;
const slots = 4 * held;
/** Texts are compared by this many of their first UTF-16 code units: enough to tell apart what anybody lists. */
const keyUnitsMost = 256;
const hashSeed = 0x6d67_6d67;

export const frequentItemsSchema = z.strictObject({
  rows: z.int().nonnegative(),
  undercount: z.int().nonnegative(),
  items: storedList(z.tuple([z.union([storedText, z.number()]), z.int().positive()])).max(held),
});
export type FrequentItemsJson = z.infer<typeof frequentItemsSchema>;
type Value = string | number;
interface Hash {
  readonly low: number;
  readonly high: number;
}

export class FrequentItems {
  static readonly counters: number = counters;
  /** Index of an item plus 1; 0 is free. */
  readonly #slots = new Uint16Array(slots);
  readonly #low = new Uint32Array(held);
  readonly #high = new Uint32Array(held);
  readonly #counts = new Float64Array(held);
  #values: Value[] = [];
  #rows = 0;
  #undercount = 0;
  readonly #hashOf: (value: Value) => Hash;

  /** `hashOf` where the caller hashes its values anyway; it must be the same for sketches that merge. */
  constructor(hashOf: (value: Value) => Hash = ownHash()) {
    this.#hashOf = hashOf;
  }

  /** Most that any count is too low by. */
  get undercount(): number {
    return this.#undercount;
  }

  get rows(): number {
    return this.#rows;
  }

  /** How many values are counted. */
  get size(): number {
    return this.#values.length;
  }

  /** Whether every different value that came has a count of its own, and it is exact. */
  get exact(): boolean {
    return (
      this.#undercount === 0 &&
      !this.#values.some((value) => typeof value === "string" && value.length === keyUnitsMost)
    );
  }

  add(value: Value): void {
    this.#addCut(value, 1);
    this.#rows++;
  }

  /** With the hash that `hashOf` gives it. */
  addHashed(value: Value, low: number, high: number): void {
    if (typeof value === "string" && value.length > keyUnitsMost) this.#addCut(value, 1);
    else this.#add(value, low, high, 1);
    this.#rows++;
  }

  merge(other: FrequentItems): void {
    this.#rows += other.#rows;
    this.#undercount += other.#undercount;
    for (const [at, value] of other.#values.entries()) this.#addCut(value, other.#counts[at] ?? 0);
  }

  /** The `most` most frequent, ties by the value itself. */
  top(most: number): { readonly value: string; readonly rows: number }[] {
    return this.#sorted()
      .slice(0, most)
      .map(([value, rows]) => ({ value: String(value), rows }));
  }

  toJSON(): FrequentItemsJson {
    return { rows: this.#rows, undercount: this.#undercount, items: this.#sorted() };
  }

  static from(json: FrequentItemsJson, hashOf: (value: Value) => Hash = ownHash()): FrequentItems {
    const sketch = new FrequentItems(hashOf);
    for (const [value, count] of json.items) sketch.#addCut(value, count);
    sketch.#rows = json.rows;
    sketch.#undercount = json.undercount;
    return sketch;
  }

  #sorted(): [Value, number][] {
    return this.#values
      .map((value, at): [Value, number] => [value, this.#counts[at] ?? 0])
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  }

  #addCut(value: Value, count: number): void {
    const cut = typeof value === "string" && value.length > keyUnitsMost;
    const key = cut ? value.slice(0, keyUnitsMost) : value;
    const { low, high } = this.#hashOf(key);
    this.#add(key, low, high, count);
  }

  #add(key: Value, low: number, high: number, count: number): void {
    const slot = this.#slotOf(low, high);
    const at = this.#slots[slot] ?? 0;
    if (at > 0) {
      this.#counts[at - 1] = (this.#counts[at - 1] ?? 0) + count;
      return;
    }
    const item = this.#values.push(key) - 1;
    this.#low[item] = low;
    this.#high[item] = high;
    this.#counts[item] = count;
    this.#slots[slot] = item + 1;
    if (item + 1 === held) this.#shrink();
  }

  #slotOf(low: number, high: number): number {
    let slot = low & (slots - 1);
    for (;;) {
      const at = this.#slots[slot] ?? 0;
      if (at === 0 || (this.#low[at - 1] === low && this.#high[at - 1] === high)) return slot;
      slot = (slot + 1) & (slots - 1);
    }
  }

  /** Takes the largest count beyond the counters from all: at least `counters` + 1 rows go for each 1 of undercount. */
  #shrink(): void {
    const sorted = this.#counts.slice().sort();
    const cut = sorted[held - counters - 1] ?? 0;
    const values = this.#values;
    this.#values = [];
    this.#slots.fill(0);
    for (let at = 0; at < held; at++) {
      const count = this.#counts[at] ?? 0;
      if (count <= cut) continue;
      const [low, high] = [this.#low[at] ?? 0, this.#high[at] ?? 0];
      const item = this.#values.push(values[at] ?? "") - 1;
      this.#low[item] = low;
      this.#high[item] = high;
      this.#counts[item] = count - cut;
      this.#slots[this.#slotOf(low, high)] = item + 1;
    }
    this.#undercount += cut;
  }
}

function ownHash(): (value: Value) => Hash {
  const hash = new TextHash(hashSeed);
  return (value) => (typeof value === "string" ? hash.of(value) : hashNumber(value));
}
