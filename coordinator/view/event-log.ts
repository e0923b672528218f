/** The last events, in memory, for people who watch; the journal itself holds them all. */
import type { Event } from "../format/event.ts";

const kept = 2_000;

export interface LoggedEvent {
  readonly sequence: number;
  readonly at: number;
  readonly event: Event;
}

interface Batch {
  readonly sequence: number;
  readonly at: number;
  readonly events: readonly Event[];
}

export class EventLog {
  /** By batch: an entry of its own for each event would be made seven times for every trial, and hardly ever read. */
  #batches: Batch[] = [];
  #count = 0;

  add(events: readonly Event[], sequence: number, at: number): void {
    this.#batches.push({ sequence, at, events });
    this.#count += events.length;
    if (this.#count <= kept * 2) return;
    let first = 0;
    for (const batch of this.#batches) {
      if (this.#count - batch.events.length < kept) break;
      this.#count -= batch.events.length;
      first++;
    }
    this.#batches = this.#batches.slice(first);
  }

  last(limit: number): readonly LoggedEvent[] {
    const lines: LoggedEvent[] = [];
    for (const { sequence, at, events } of this.#batches.toReversed()) {
      for (const event of events.toReversed()) {
        if (lines.length >= limit) return lines.reverse();
        lines.push({ sequence, at, event });
      }
    }
    return lines.reverse();
  }

  clear(): void {
    this.#batches = [];
    this.#count = 0;
  }
}
