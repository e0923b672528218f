// One attempt on one agent of a coordinator's core, whose heartbeats and end a test makes up. At 1 token a second, so that ms and
// milli-tokens are the same.
import assert from "node:assert/strict";
import {
  activeAttempt,
  mustGet,
  type Agent,
  type Attempt,
  type Trial,
} from "../../coordinator/state/state.ts";
import type { Heartbeat, Report } from "../../protocol/report.ts";
import { digestOfNumber, Fold, sweepSpec } from "./fold.ts";

export type Word = Partial<Heartbeat["running"][number]>;

export class MeteredAttempt {
  readonly fold = new Fold();
  readonly trial: Trial;
  readonly attempt: Attempt;
  /** When it was offered, and accepted at once. */
  readonly from: number;
  #heardAt: number | null = null;
  /** Since when the coordinator's clock runs evenly. */
  steadySince = 0;

  constructor(tokens = 10_000, accepts = true) {
    const { fold } = this;
    fold.open("ada", tokens);
    fold.join("box", 1);
    const search = { method: "random", trials: 1, seed: 1 } as const;
    fold.must("sweep-run", { spec: sweepSpec({ search, beyondBudget: true }) });
    this.trial = fold.trial("s1-1");
    const attempt = activeAttempt(this.trial);
    assert.ok(attempt !== null, "it was offered");
    this.attempt = attempt;
    this.from = fold.at;
    if (accepts) fold.report("box", { kind: "accepted", fence: attempt.fence });
  }

  get agent(): Agent {
    return mustGet(this.fold.state.agents, "box", "agent");
  }

  /** Why its agent is quarantined; null where it is not. */
  get accused(): string | null {
    return this.agent.cordonReason;
  }

  /** A heartbeat that says this of the attempt, heard at `at`; null: it says nothing of it. */
  beat(at: number, word: Word | null, agent = "box"): void {
    const { fold } = this;
    fold.at = Math.max(fold.at, at);
    const { fence } = this.attempt;
    const running = word === null ? [] : [{ fence, resource: 0, usedMs: 0, suspended: false, ...word }];
    const { epoch } = fold.state.meta;
    const said = { closed: null, cpuLoad: null, memFreeGiB: null, owner: null };
    const heartbeat = { incarnation: `${agent}-1`, epoch, running, ...said };
    fold.do({ kind: "heartbeat", agent, heartbeat, heard: this.#heard(at) });
    if (agent === "box") this.#heardAt = at;
  }

  report(at: number, report: Report): void {
    const { fold } = this;
    fold.at = Math.max(fold.at, at);
    fold.do({ kind: "report", agent: "box", report, heard: this.#heard(at) });
  }

  finish(at: number, usedMs: number): void {
    const kept = { resource: 1, digest: digestOfNumber(1), bytes: 1, metrics: { accuracy: 1 } };
    this.report(at, { kind: "finished", fence: this.attempt.fence, ...kept, usedMs });
  }

  #heard(at: number) {
    const beatAt = this.#heardAt;
    const sinceMs = beatAt === null ? null : at - beatAt;
    return { at, sinceMs, beatAt, steadySince: this.steadySince };
  }
}
