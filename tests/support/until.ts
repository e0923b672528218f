/**
 * Waiting for what other processes do. It gives up only when nothing has changed for long, counted at the pace at which
 * they get to run (`pace.ts`): a busy machine makes a test slow, never red. Not for measuring how long something took.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Pace } from "./pace.ts";

/** Between two looks at first, and at most: whoever is asked has other work too. */
const pollFirstMs = 5;
const pollMaxMs = 200;
/** Without any change. Far above every lease, silence and back-off that tests wait for. */
const patienceMs = 90_000;
/** A promise says itself when it is kept. */
const promisePollMs = 50;
/** Looking at processes costs a little. */
const lookMs = 500;

/** Tells what is seen on the way; whatever differs from the last is a change. */
export type Note = (seen: unknown) => void;

/** Time without a change, at the pace of the processes under test. For loops that have more to do than to ask: see `until`. */
export class Patience {
  readonly #limitMs: number;
  readonly #pace = new Pace();
  #spentMs = 0;
  #lookedAt = performance.now();
  #seen = "";

  constructor(limitMs: number = patienceMs) {
    this.#limitMs = limitMs;
  }

  get seen(): string {
    return this.#seen;
  }

  note(seen: unknown): void {
    const text = JSON.stringify(seen) ?? "";
    if (text === this.#seen) return;
    this.#seen = text;
    this.#spentMs = 0;
    this.#lookedAt = performance.now();
    this.#pace.elapsed();
  }

  isOver(): boolean {
    if (performance.now() - this.#lookedAt < Math.min(lookMs, this.#limitMs / 4)) return false;
    this.#lookedAt = performance.now();
    this.#spentMs += this.#pace.elapsed();
    return this.#spentMs > this.#limitMs;
  }
}

/** Asks until there is an answer that is not null. */
export async function until<T>(
  what: string,
  ask: (note: Note) => Promise<T | null> | T | null,
  limitMs = patienceMs,
): Promise<T> {
  const patience = new Patience(limitMs);
  for (let pollMs = pollFirstMs; ; pollMs = Math.min(pollMaxMs, pollMs * 1.5)) {
    const answer = await ask((seen) => patience.note(seen));
    if (answer !== null) return answer;
    if (patience.isOver()) {
      const last = patience.seen === "" ? "" : `; last seen: ${patience.seen}`;
      throw new assert.AssertionError({
        message: `nothing has changed for ${limitMs / 1000} s in waiting for ${what}${last}`,
      });
    }
    await sleep(pollMs);
  }
}

/** What comes of `promise`, where so many ms are promised for it at the pace of the processes; else the test fails. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const patience = new Patience(ms);
  const settled = promise.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([settled, sleep(promisePollMs, false)]))) {
    if (patience.isOver()) throw new assert.AssertionError({ message: `${what} took over ${ms} ms` });
  }
  return promise;
}
