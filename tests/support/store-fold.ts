// The coordinator's core beside a store of bytes: what trials leave is stored as they leave it, with when; looks, removals and the crash
// between them are the test's to call. Equal work leaves equal bytes, as real training does.
import { createHash } from "node:crypto";
import { activeAttempt, mustGet, type Trial } from "../../coordinator/state/state.ts";
import { retentionOf } from "../../coordinator/collect/default-retention.ts";
import { referredTo } from "../../coordinator/collect/reference.ts";
import { leftByTrials } from "../../coordinator/collect/mention.ts";
import { youngMsFor } from "../../coordinator/collect/young.ts";
import { Fold } from "./fold.ts";

const dayMs = 24 * 3_600_000;
const restMs = 300_000;
const bytes = 10;

interface Stored {
  /** When, and as which message of the stream. */
  readonly at: number;
  readonly sequence: number;
}

export interface Look {
  readonly mayCollect?: boolean;
  /** Whoever leads ends after the mark is collected and before its bytes are removed. */
  readonly dieBeforeRemoval?: boolean;
}

export class StoreFold extends Fold {
  readonly stored = new Map<string, Stored>();
  onCollected: (digest: string) => void = () => {};
  /** When somebody who brought what was there was told so. */
  readonly #told = new Map<string, number>();
  /** Attempts whose bytes are stored and not yet spoken of. */
  readonly #early = new Set<number>();
  #sequence = 0;

  /** As putting a blob does: what is being removed is removed first, and what is there is told to be. */
  put(digest: string): void {
    const mark = this.state.marks.get(this.state.gone.get(digest) ?? 0);
    if (mark?.state === "collected") this.#drop(digest, mark.before ?? 0);
    if (this.stored.has(digest)) this.#told.set(digest, this.at);
    else this.stored.set(digest, { at: this.at, sequence: ++this.#sequence });
  }

  /** It reaches its target. */
  complete(trial: Trial | undefined, accuracy: number): void {
    const attempt = trial === undefined ? null : activeAttempt(trial);
    if (trial === undefined || attempt === null) return;
    this.at += 1_000;
    const digest = this.upload(trial);
    this.#early.delete(attempt.fence);
    const kept = { resource: attempt.target, digest, bytes, metrics: { accuracy }, usedMs: 900 };
    this.report(attempt.agent, { kind: "finished", fence: attempt.fence, ...kept });
  }

  /** What it will report is stored; once, however long that takes then. */
  upload(trial: Trial): string {
    const attempt = activeAttempt(trial);
    const { model, params, parent } = trial;
    const { fingerprint, warmStart } = mustGet(this.state.sweeps, trial.sweep, "sweep");
    const work = parent === null ? warmStart : `${fingerprint}/${parent}`;
    const digest = createHash("sha256")
      .update(JSON.stringify([work, model, params, attempt?.target]))
      .digest("hex");
    const fence = attempt?.fence ?? 0;
    if (!this.#early.has(fence)) this.put(digest);
    this.#early.add(fence);
    return digest;
  }

  /** Its agent gives it back, having kept nothing. */
  fail(trial: Trial): void {
    const attempt = activeAttempt(trial);
    if (attempt === null) return;
    const failed = { fence: attempt.fence, reason: "it broke", retryable: true, usedMs: 1 } as const;
    this.report(attempt.agent, { kind: "failed", ...failed });
  }

  /** A whole look, and the removal of what was collected in it or before. */
  look({ dieBeforeRemoval = false, mayCollect = true }: Look = {}): void {
    const { state } = this;
    const referred = referredTo({ state, at: this.at, retention: retentionOf(state) });
    const youngMs = youngMsFor({ state, left: leftByTrials(state), restMs });
    const found = [...this.stored].flatMap(([digest, { at }]) => {
      return referred.has(digest) || this.at - at < youngMs(digest) ? [] : [{ digest, bytes }];
    });
    const wasTold = (digest: string) => this.at - (this.#told.get(digest) ?? -Infinity) < youngMs(digest);
    const before = this.#sequence + 1;
    const gone = new Set(state.gone.keys());
    this.do({
      kind: "collect",
      collection: { found, spared: { has: wasTold }, isLook: true, mayCollect, before },
    });
    for (const digest of state.gone.keys()) if (!gone.has(digest)) this.onCollected(digest);
    if (!dieBeforeRemoval) this.removeCollected();
  }

  removeCollected(): void {
    for (const number of [...this.state.openMarks]) {
      const { artifacts, before, mark, state } = mustGet(this.state.marks, number, "mark");
      if (state !== "collected") continue;
      for (const { digest } of artifacts) this.#drop(digest, before ?? 0);
      this.do({ kind: "removed", mark });
    }
  }

  /** Everything that can end ends, and all graces pass. */
  restOfIt(): void {
    this.at += 2 * dayMs;
    for (let round = 0; round < 3; round++) {
      this.look();
      this.at += 2 * dayMs;
    }
  }

  #drop(digest: string, before: number): void {
    const stored = this.stored.get(digest);
    if (stored !== undefined && stored.sequence < before) this.stored.delete(digest);
  }
}
