/** The last events, in memory, for people who watch; the journal itself holds them all. */
import type { Event } from "./core/event.ts";

const kept = 2_000;

export interface LoggedEvent {
  readonly sequence: number;
  readonly at: number;
  readonly event: Event;
}

export class EventLog {
  #lines: LoggedEvent[] = [];

  add(events: readonly Event[], sequence: number, at: number): void {
    for (const event of events) this.#lines.push({ sequence, at, event });
    if (this.#lines.length > kept * 2) this.#lines = this.#lines.slice(-kept);
  }

  last(limit: number): readonly LoggedEvent[] {
    return this.#lines.slice(-limit);
  }

  clear(): void {
    this.#lines = [];
  }
}
