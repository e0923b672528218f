/**
 * What agents said last about themselves: volatile, never journalled. Only the moment an agent falls
 * silent or comes back is an event; the rest is for views.
 */
import type { Heartbeat } from "../../protocol/report.ts";

export interface Seen {
  readonly at: number;
  readonly heartbeat: Heartbeat | null;
  /** When its last heartbeat came, monotonic ms; null before the first in this term. */
  readonly beatAt: number | null;
}

export class HeartbeatBoard {
  readonly #seen = new Map<string, Seen>();

  /** A registration is a sign of life too, without a heartbeat. */
  note(agent: string, at: number): void {
    const { beatAt = null, heartbeat = null } = this.#seen.get(agent) ?? {};
    this.#seen.set(agent, { at, heartbeat, beatAt });
  }

  noteBeat(agent: string, at: number, heartbeat: Heartbeat, beatAt: number): void {
    this.#seen.set(agent, { at, heartbeat, beatAt });
  }

  of(agent: string): Seen | null {
    return this.#seen.get(agent) ?? null;
  }

  /** Agents that should have been heard since `before`; one never heard counts from when the board began. */
  silentSince(agents: Iterable<string>, before: number, boardBegan: number): string[] {
    return [...agents].filter((agent) => (this.#seen.get(agent)?.at ?? boardBegan) < before);
  }
}
