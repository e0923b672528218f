/**
 * The trials that have reached one rung, kept in the order of their score as they come: a sweep of many thousands is judged
 * without a look at all of them. For one objective; with several there is no such order, and `curve-rank.ts` ranks them all.
 * Verdicts are the very ones of a policy that is shown every entry.
 */
import { quantileAt, quantileOfSorted } from "../../numeric/quantile.ts";

export interface Ranked {
  readonly trial: string;
  readonly number: number;
  readonly score: number;
}

export class RungOrder {
  #size = 0;
  /** Those with a finite score, best first; equal ones in order of their numbers. */
  readonly #ranked: Ranked[] = [];
  /** Of these, what others are compared with, rising. */
  readonly #compared: number[] = [];
  /** Those that may wait here, best first: one that was seen not to is let go. */
  readonly #waiting: Ranked[] = [];

  /** All that have come, also those whose score is not finite. */
  get size(): number {
    return this.#size;
  }

  /** `compared`: what others are compared with. */
  add(entry: Ranked, compared: number): void {
    this.#size++;
    if (!Number.isFinite(entry.score)) return;
    this.#ranked.splice(placeIn(this.#ranked, entry), 0, entry);
    this.#compared.splice(firstAtLeast(this.#compared, compared), 0, compared);
    this.#waiting.splice(placeIn(this.#waiting, entry), 0, entry);
  }

  /** True for one that is here and among the best `count`. */
  isAmong(entry: Ranked, count: number): boolean {
    return Number.isFinite(entry.score) && placeIn(this.#ranked, entry) < count;
  }

  /** Those among the best `count` that wait, best first. One that does not wait now never will again. */
  waitingAmong(count: number, waits: (entry: Ranked) => boolean): readonly Ranked[] {
    const found: Ranked[] = [];
    let looked = 0;
    for (const entry of this.#waiting) {
      if (!this.isAmong(entry, count)) break;
      looked++;
      if (waits(entry)) found.push(entry);
    }
    // What goes on now is let go at the next look.
    if (looked > found.length) this.#waiting.splice(0, looked, ...found);
    return found;
  }

  /** How many others have a finite score. */
  othersThan({ score }: Ranked): number {
    return this.#ranked.length - (Number.isFinite(score) ? 1 : 0);
  }

  /** The quantile of what the others are compared with; `own`: what this one is. */
  quantileOfOthers({ score }: Ranked, own: number, share: number): number {
    if (!Number.isFinite(score)) return quantileOfSorted(this.#compared, share);
    const place = firstAtLeast(this.#compared, own);
    return quantileAt(this.#compared.length - 1, share, (at) => this.#compared[at < place ? at : at + 1]);
  }
}

/** How many of these are better. */
function placeIn(ranked: readonly Ranked[], entry: Ranked): number {
  let [from, to] = [0, ranked.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const other = ranked[middle];
    if (other !== undefined && (entry.score - other.score || other.number - entry.number) < 0)
      from = middle + 1;
    else to = middle;
  }
  return from;
}

function firstAtLeast(rising: readonly number[], value: number): number {
  let [from, to] = [0, rising.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((rising[middle] ?? Infinity) < value) from = middle + 1;
    else to = middle;
  }
  return from;
}
