/**
 * GC-8: what was collected and could not go from this machine yet, because it was of use a moment ago or somebody reads it: each comes
 * up again once that may be over. Not here: whether it still is to go, which the leader says.
 */
import type { Digest } from "../../protocol/id.ts";
import type { Clock } from "../../protocol/time/clock.ts";

const lookMs = 60_000;
/** More are left to the quota. */
const sparedMax = 100_000;

export class SparedArtifact {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #onDue: (digest: Digest) => void;
  /** When each was spared, oldest first. */
  readonly #sparedAt = new Map<Digest, number>();
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, afterMs: number, onDue: (digest: Digest) => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#onDue = onDue;
  }

  add(digest: Digest): void {
    if (this.#sparedAt.has(digest) || this.#sparedAt.size >= sparedMax) return;
    this.#sparedAt.set(digest, this.#clock.monotonic());
    this.#cancel ??= this.#clock.setTimer(lookMs, () => this.#look());
  }

  close(): void {
    this.#cancel?.();
    this.#sparedAt.clear();
  }

  #look(): void {
    const now = this.#clock.monotonic();
    this.#cancel = null;
    for (const [digest, at] of [...this.#sparedAt]) {
      if (now - at < this.#afterMs) break;
      this.#sparedAt.delete(digest);
      this.#onDue(digest);
    }
    if (this.#sparedAt.size > 0) this.#cancel = this.#clock.setTimer(lookMs, () => this.#look());
  }
}
