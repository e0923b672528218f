/**
 * SERVE-18. Which of the rows that go by are looked at: all while there are few; of more as many as a budget of time pays for, spread over each
 * request and over the requests. How many went by is counted.
 */

/** Cells that are looked at in a second, of one version; each takes less than a microsecond. */
const cellsPerSecond = 1_000;
const rowsPerSecondMin = 20;
/** What a quiet time saves up, and so the most of one request. */
const savedSeconds = 1;
const savedRowsMin = 10;
const msPerSecond = 1_000;

export class RowSample {
  readonly #rowsPerMs: number;
  readonly #savedMost: number;
  readonly #now: () => number;
  #saved: number;
  #at: number;
  seen = 0;

  /** `cells`: of a row. `now`: ms, rising. */
  constructor(cells: number, now: () => number) {
    const perSecond = Math.max(rowsPerSecondMin, cellsPerSecond / Math.max(1, cells));
    this.#rowsPerMs = perSecond / msPerSecond;
    this.#savedMost = Math.max(savedRowsMin, perSecond * savedSeconds);
    this.#saved = this.#savedMost;
    this.#now = now;
    this.#at = now();
  }

  /** Of `count` rows that go by now, looks at some, from the first on. */
  pass(count: number, look: (row: number) => void): void {
    this.seen += count;
    const now = this.#now();
    this.#saved = Math.min(this.#savedMost, this.#saved + (now - this.#at) * this.#rowsPerMs);
    this.#at = now;
    const taken = Math.min(count, Math.floor(this.#saved));
    this.#saved -= taken;
    for (let index = 0; index < taken; index++) look(Math.floor(((index + 0.5) * count) / taken));
  }
}
