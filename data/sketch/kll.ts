/**
 * Quantiles of any number of values in a few thousand of them: the sketch of Karnin, Lang and Liberty (2016,
 * arXiv 1603.05346). Up to `k` values it keeps every one and is exact. Sketches merge in any order, each answer within
 * the stated rank error. The coin is seeded: the same values in the same order give the same sketch.
 */
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

/** Values kept at full weight. */
const k = 800;
/** Each lower level keeps this share of the one above. */
const shrink = 2 / 3;
const levelValuesLeast = 8;
/** A level l holds values of weight 2^l: enough levels for 2^53 values. */
const levelsMost = 48;

export const kllSchema = z.strictObject({
  count: z.int().nonnegative(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** State of the coin. */
  coin: z.int().nonnegative(),
  /** Nothing was let go yet. */
  exact: z.boolean(),
  levels: storedList(storedList(z.number())).max(levelsMost),
});
export type KllJson = z.infer<typeof kllSchema>;

export class Kll {
  /**
   * With 99% confidence no rank is further off than this share of all values. The fit of Apache DataSketches for this
   * sketch (both sides, all quantiles at once); tests hold this one to it.
   */
  static readonly rankError: number = 2.446 / k ** 0.9433;
  #count = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #coin: number;
  #exact = true;
  /** Fills up at weight 1, before it becomes part of level 0: the one place where values arrive one by one. */
  readonly #fresh = new Float64Array(k);
  #freshCount = 0;
  readonly #levels: number[][] = [[]];

  constructor(seed = 1) {
    this.#coin = mixUnsigned(seed ^ 0x6b6c_6c00);
  }

  get count(): number {
    return this.#count;
  }

  get min(): number | null {
    return this.#count === 0 ? null : this.#min;
  }

  get max(): number | null {
    return this.#count === 0 ? null : this.#max;
  }

  /** 0 while every value is kept. */
  get rankError(): number {
    return this.#exact ? 0 : Kll.rankError;
  }

  /** A number; NaN has no rank and must not come here. */
  add(value: number): void {
    if (this.#freshCount === k) this.#takeFresh();
    this.#fresh[this.#freshCount++] = value;
    this.#count++;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }

  /** The same value `times` times: for each bit of `times` one copy of that weight. */
  addMany(value: number, times: number): void {
    let rest = times;
    for (let at = 0; rest > 0; at++, rest = Math.floor(rest / 2))
      if (rest % 2 === 1) this.#level(at).push(value);
    this.#count += times;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#compress();
  }

  merge(other: Kll): void {
    this.#exact &&= other.#exact;
    this.#takeFresh();
    for (const [at, values] of other.#levels.entries()) this.#level(at).push(...values);
    this.#level(0).push(...other.#fresh.subarray(0, other.#freshCount));
    this.#count += other.#count;
    this.#min = Math.min(this.#min, other.#min);
    this.#max = Math.max(this.#max, other.#max);
    this.#coin = mixUnsigned(this.#coin ^ other.#coin);
    this.#compress();
  }

  /** Kept values in order, each with the number of values it stands for. */
  weighted(): { readonly values: Float64Array; readonly weights: Float64Array } {
    const pairs: (readonly [number, number])[] = [];
    for (const value of this.#fresh.subarray(0, this.#freshCount)) pairs.push([value, 1]);
    for (const [at, values] of this.#levels.entries())
      for (const value of values) pairs.push([value, 2 ** at]);
    pairs.sort((a, b) => a[0] - b[0]);
    return {
      values: Float64Array.from(pairs, ([value]) => value),
      weights: Float64Array.from(pairs, ([, weight]) => weight),
    };
  }

  /** The values whose ranks are the shares `shares`, ascending, of all: nearest rank, so always a value that was seen. */
  quantiles(shares: readonly number[]): number[] {
    const { values, weights } = this.weighted();
    const found: number[] = [];
    let at = 0;
    let below = weights[0] ?? 0;
    for (const share of shares) {
      const rank = share * this.#count;
      while (at < values.length - 1 && below < rank) below += weights[++at] ?? 0;
      found.push(share <= 0 ? this.#min : share >= 1 ? this.#max : (values[at] ?? Number.NaN));
    }
    return found;
  }

  toJSON(): KllJson {
    const [lowest = [], ...above] = this.#levels;
    const levels = [
      [...lowest, ...this.#fresh.subarray(0, this.#freshCount)],
      ...above.map((level) => [...level]),
    ];
    return { count: this.#count, min: this.min, max: this.max, coin: this.#coin, exact: this.#exact, levels };
  }

  static from(json: KllJson): Kll {
    const sketch = new Kll();
    for (const [at, values] of json.levels.entries()) sketch.#level(at).push(...values);
    sketch.#count = json.count;
    sketch.#min = json.min ?? Number.POSITIVE_INFINITY;
    sketch.#max = json.max ?? Number.NEGATIVE_INFINITY;
    sketch.#coin = json.coin;
    sketch.#exact = json.exact;
    return sketch;
  }

  #takeFresh(): void {
    const level = this.#level(0);
    for (const value of this.#fresh.subarray(0, this.#freshCount)) level.push(value);
    this.#freshCount = 0;
    this.#compress();
  }

  #compress(): void {
    for (;;) {
      const top = this.#levels.length - 1;
      const capacity = (at: number) => Math.max(levelValuesLeast, Math.ceil(k * shrink ** (top - at)));
      const kept = this.#levels.reduce((sum, level) => sum + level.length, 0);
      const room = this.#levels.reduce((sum, _, at) => sum + capacity(at), 0);
      if (kept <= room) return;
      const full = this.#levels.findIndex((level, at) => level.length > capacity(at));
      this.#compact(full === -1 ? 0 : full);
    }
  }

  /** Every second value of the sorted level goes up with twice the weight; of an odd number one stays. */
  #compact(at: number): void {
    this.#exact = false;
    const sorted = Float64Array.from(this.#level(at)).sort();
    const odd = sorted.length % 2;
    const stays = odd === 1 ? [sorted[0] ?? 0] : [];
    const above = this.#level(at + 1);
    for (let index = odd + this.#flip(); index < sorted.length; index += 2) above.push(sorted[index] ?? 0);
    this.#levels[at] = stays;
  }

  #level(at: number): number[] {
    for (;;) {
      const level = this.#levels[at];
      if (level !== undefined) return level;
      this.#levels.push([]);
    }
  }

  #flip(): number {
    this.#coin = mixUnsigned(this.#coin + 0x9e37_79b9);
    return this.#coin >>> 31;
  }
}
