/**
 * ROLL-7. Copies of requests that are asked for the sake of comparison alone; nobody hears the answers but who compares. A few rows of them are on the way at once, none while
 * whoever goes first waits, and where more come than there is time for, the oldest are dropped.
 */
import type { Lane } from "../batch/lane.ts";
import type { Answers } from "../model/served-model.ts";
import type { AskedRows } from "../protocol/asked-rows.ts";
import type { Reading } from "../protocol/http-refusal.ts";

export interface Copy {
  readonly rows: AskedRows;
  /** Null where that version is gone by now, or nobody wants to know any more. */
  readonly lane: () => Lane | null;
  /** The answers may be overwritten as soon as it returns. */
  readonly heard: (answer: Reading<Answers>) => void;
}

export interface CopyQueueOptions {
  readonly now: () => number;
  /** Runs it once what has come in so far has been heard. */
  readonly defer: (run: () => void) => void;
  /** Whether somebody waits who goes first. */
  readonly isBusy: () => boolean;
}

/** Copies that wait; beyond it the oldest goes. */
export const copiesMax = 512;
/** Rows that are asked and not answered yet: what a caller may find before them, of a model that takes batches. */
const askedRowsMax = 64;
/** Of one turn of the event loop. */
const turnMs = 1;

export class CopyQueue {
  readonly #options: CopyQueueOptions;
  readonly #waiting: Copy[] = [];
  #askedRows = 0;
  #isDue = false;
  #dropped = 0;

  constructor(options: CopyQueueOptions) {
    this.#options = options;
  }

  /** Copies that nobody had time for. */
  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(copy: Copy): void {
    this.#waiting.push(copy);
    if (this.#waiting.length > copiesMax) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.wake();
  }

  /** To be called where a caller has been answered: there may be time now. */
  wake(): void {
    if (this.#isDue || this.#waiting.length === 0) return;
    this.#isDue = true;
    this.#options.defer(() => {
      this.#isDue = false;
      this.#work();
    });
  }

  clear(): void {
    this.#waiting.length = 0;
  }

  /** While others are being answered nothing is done: their answers wake it again. */
  #work(): void {
    const { isBusy, now } = this.#options;
    if (this.#askedRows > 0 || isBusy()) return;
    const started = now();
    // Those of a model that answers at once are answered when `ask` returns.
    while (this.#askedRows < askedRowsMax && now() - started < turnMs) {
      const copy = this.#waiting.shift();
      if (copy === undefined) return;
      this.#ask(copy);
    }
    if (this.#askedRows === 0) this.wake();
  }

  #ask({ heard, lane: laneOf, rows }: Copy): void {
    const lane = laneOf();
    if (lane === null) return;
    this.#askedRows += rows.count;
    const full = lane.ask({
      rows,
      bytes: 0,
      isGone: () => false,
      done: (answer) => {
        this.#askedRows -= rows.count;
        heard(answer);
        this.wake();
      },
    });
    if (full === null) return;
    this.#askedRows -= rows.count;
    this.#dropped++;
  }
}
