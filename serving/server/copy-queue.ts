/**
 * ROLL-7. Copies of requests that are asked for the sake of comparison alone. They are taken up while no caller waits, a few at a time, and the oldest
 * are dropped where more come than there is time for: no caller waits for one, and nobody hears its answer but who compares.
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
  /** Whether a caller waits. */
  readonly isBusy: () => boolean;
}

/** Copies that wait; beyond it the oldest goes. */
export const copiesMax = 512;
/** Asked and not answered yet; they are one batch of a model that takes batches. */
const askedMax = 8;
/** Of one turn of the event loop. */
const turnMs = 1;

export class CopyQueue {
  readonly #options: CopyQueueOptions;
  readonly #waiting: Copy[] = [];
  #asked = 0;
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

  /** Where a caller waits nothing is done, nor while others are being answered: the answer wakes it again. */
  #work(): void {
    const { isBusy, now } = this.#options;
    if (this.#asked > 0 || isBusy()) return;
    const started = now();
    // Those of a model that answers at once are answered when `ask` returns.
    while (this.#asked < askedMax && now() - started < turnMs) {
      const copy = this.#waiting.shift();
      if (copy === undefined) return;
      this.#ask(copy);
    }
    if (this.#asked === 0) this.wake();
  }

  #ask({ heard, lane: laneOf, rows }: Copy): void {
    const lane = laneOf();
    if (lane === null) return;
    this.#asked++;
    const full = lane.ask({
      rows,
      bytes: 0,
      isGone: () => false,
      done: (answer) => {
        this.#asked--;
        heard(answer);
        this.wake();
      },
    });
    if (full === null) return;
    this.#asked--;
    this.#dropped++;
  }
}
