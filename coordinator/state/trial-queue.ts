/**
 * Trials that wait to be placed, of one sweep and one model: they need the same, so if the first cannot be placed none
 * can. Those that ran before come first. Derived from the trials' own state; what has left it is skipped when met.
 */
import type { TrialId } from "../../protocol/id.ts";

/** Left-over places at the front are given back to memory once there are so many. */
const compactAt = 1024;

class Line {
  #items: TrialId[] = [];
  #head = 0;

  push(id: TrialId): void {
    this.#items.push(id);
  }

  /** The first that still waits; what no longer does is dropped on the way. */
  first(waits: (id: TrialId) => boolean): TrialId | null {
    for (; this.#head < this.#items.length; this.#head++) {
      const id = this.#items[this.#head];
      if (id !== undefined && waits(id)) return id;
    }
    this.#items = [];
    this.#head = 0;
    return null;
  }

  /** Takes `id` out: nearly always the first, which `first` has just named. */
  remove(id: TrialId): boolean {
    if (this.#items[this.#head] !== id) {
      const place = this.#items.indexOf(id, this.#head);
      if (place < 0) return false;
      this.#items.splice(place, 1);
      return true;
    }
    this.#head++;
    if (this.#head >= compactAt && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return true;
  }

  /** How many stand before `id`, or null where it does not stand here. */
  before(id: TrialId, waits: (id: TrialId) => boolean): number | null {
    let count = 0;
    for (let index = this.#head; index < this.#items.length; index++) {
      const item = this.#items[index];
      if (item === id) return count;
      if (item !== undefined && waits(item)) count++;
    }
    return null;
  }

  *waiting(waits: (id: TrialId) => boolean): Iterable<TrialId> {
    for (const id of this.#items.slice(this.#head)) if (waits(id)) yield id;
  }
}

export class TrialQueue {
  readonly #resumed = new Line();
  readonly #fresh = new Line();
  readonly #waits: (id: TrialId) => boolean;

  /** `waits` says whether a trial is still queued. */
  constructor(waits: (id: TrialId) => boolean) {
    this.#waits = waits;
  }

  push(id: TrialId, hasRun: boolean): void {
    (hasRun ? this.#resumed : this.#fresh).push(id);
  }

  first(): TrialId | null {
    return this.#resumed.first(this.#waits) ?? this.#fresh.first(this.#waits);
  }

  remove(id: TrialId): void {
    if (!this.#resumed.remove(id)) this.#fresh.remove(id);
  }

  before(id: TrialId): number | null {
    const inResumed = this.#resumed.before(id, this.#waits);
    if (inResumed !== null) return inResumed;
    const inFresh = this.#fresh.before(id, this.#waits);
    if (inFresh === null) return null;
    return [...this.#resumed.waiting(this.#waits)].length + inFresh;
  }

  *waiting(): Iterable<TrialId> {
    yield* this.#resumed.waiting(this.#waits);
    yield* this.#fresh.waiting(this.#waits);
  }
}
