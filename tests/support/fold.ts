// The coordinator's core without a loop: inputs in, events out, invariants checked after every one.
import assert from "node:assert/strict";
import type * as z from "zod";
import { apply } from "../../coordinator/core/apply.ts";
import { decide, run } from "../../coordinator/core/decide.ts";
import type { Event } from "../../coordinator/format/event.ts";
import type { Input } from "../../coordinator/state/input.ts";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { schedule } from "../../coordinator/core/schedule.ts";
import { settingsFor, type CoordinatorSettings } from "../../coordinator/state/setting.ts";
import { activeAttempt, emptyState, mustGet, type State, type Trial } from "../../coordinator/state/state.ts";
import { openPolicy, type Capability } from "../../protocol/capability.ts";
import { proposalsFrom, questionFor } from "../../coordinator/leader/proposer.ts";
import { answerTo } from "../../search/choose/sampler-worker-port.ts";
import type { CommandName } from "../../protocol/command.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Report } from "../../protocol/report.ts";
import type { Role } from "../../protocol/subjects.ts";
import { sweepSpecSchema, type SweepSpec } from "../../protocol/sweep.ts";

export const digestA = "a".repeat(64);

export function capability(
  rates: Readonly<Record<string, number>> = { alpha: 1 },
  host: Partial<Capability["host"]> = {},
): Capability {
  return {
    host: {
      os: "linux",
      arch: "x64",
      cpuModel: "test",
      cores: 4,
      memGiB: 8,
      diskGiB: 50,
      gpus: [],
      cpuFeatures: ["avx2"],
      ...host,
    },
    node: "24.0.0",
    backends: [{ name: "cpu", works: true, reason: null, version: null, dtypes: ["f32"] }],
    rates: Object.entries(rates).map(([model, tokensPerSecond]) => ({
      kind: `work/${model}`,
      backend: "cpu" as const,
      examplesPerSecond: 1,
      tokensPerSecond,
    })),
    labels: {},
    python: null,
  };
}

export function sweepSpec(change: Partial<z.input<typeof sweepSpecSchema>> = {}): SweepSpec {
  return sweepSpecSchema.parse({
    name: "sweep",
    task: "work",
    dataset: null,
    objective: { metric: "accuracy", goal: "maximize" },
    search: { method: "random", trials: 6, seed: 1 },
    stopping: { policy: "none", max: 1 },
    models: [{ model: "alpha", space: { lr: { distribution: "uniform", min: 0, max: 1 } } }],
    needs: {},
    cap: null,
    trialSeed: 1,
    codeVersion: "test",
    reuse: true,
    register: null,
    ...change,
  });
}

export class Fold {
  readonly state: State;
  readonly events: { at: number; event: Event }[] = [];
  /** Where a crash may cut the journal: how many events there were after each batch. */
  readonly cuts: number[] = [];
  readonly settings: CoordinatorSettings;
  at = 1_000_000;
  #keys = 0;

  constructor(settings = settingsFor(15_000), state = emptyState()) {
    this.settings = settings;
    this.state = state;
    this.#apply([{ kind: "LeaderElected", epoch: state.meta.epoch + 1, leader: "test" }]);
  }

  do(input: Input): Outcome<unknown> {
    const events: Event[] = [];
    const answer = run(this.state, decide(this.state, input, this.at, this.settings), this.at, events);
    // Here every batch takes all of an input.
    if (answer === null) throw new Error("a decision was cut short");
    this.#settle(events);
    // Samplers that learn answer at once here; in a process of its own that takes a while.
    for (const id of [...this.state.wanting]) {
      while (this.state.wanting.has(id)) this.#think(id, events);
    }
    this.events.push(...events.map((event) => ({ at: this.at, event })));
    this.cuts.push(this.events.length);
    assert.deepEqual(brokenInvariants(this.state), []);
    return answer;
  }

  command(
    name: CommandName,
    body: unknown,
    who = "ada",
    role: Role = "owner",
    key = `key-${++this.#keys}`,
  ): Outcome<unknown> {
    return this.do({ kind: "command", key, sender: { role, who }, name, body });
  }

  /** As `command`, and it must be accepted. */
  must(name: CommandName, body: unknown, who = "ada", role: Role = "owner"): unknown {
    const answer = this.command(name, body, who, role);
    assert.ok(answer.ok, answer.ok ? "" : answer.refusal.message);
    return answer.value;
  }

  open(requester: string, tokens: number, weight = 1): void {
    this.must("account-open", { requester, weight, grant: tokens * 1000 });
  }

  join(
    agent: string,
    slots: number,
    rates?: Readonly<Record<string, number>>,
    incarnation = `${agent}-1`,
  ): void {
    const policy = openPolicy(slots);
    this.do({
      kind: "register",
      agent,
      register: { incarnation, capability: capability(rates), policy },
    });
  }

  /** A machine with a capability of its own. */
  joinWith(agent: string, slots: number, of: Capability): void {
    const policy = openPolicy(slots);
    this.do({ kind: "register", agent, register: { incarnation: `${agent}-1`, capability: of, policy } });
  }

  /** Time passes, and the coordinator looks what has run out. */
  pass(ms: number): void {
    this.at += ms;
    this.do({ kind: "expire" });
  }

  /** What runs on the agent says it is alive, having used `usedMs`. */
  heartbeat(agent: string, usedMs: number): void {
    const running = this.running().flatMap((trial) => {
      const attempt = activeAttempt(trial);
      if (attempt?.agent !== agent) return [];
      return [{ fence: attempt.fence, resource: 0, usedMs, suspended: false }];
    });
    const heartbeat = {
      incarnation: `${agent}-1`,
      epoch: this.state.meta.epoch,
      closed: null,
      cpuLoad: null,
      memFreeGiB: null,
      running,
      owner: null,
    };
    this.do({ kind: "heartbeat", agent, heartbeat });
  }

  /** As `heartbeat`, of one attempt, with the others of its agent having used what they could. */
  heartbeatOf(trial: Trial, usedMs: number): void {
    const agent = activeAttempt(trial)?.agent ?? "";
    const running = this.running().flatMap((one) => {
      const attempt = activeAttempt(one);
      if (attempt?.agent !== agent) return [];
      const used = one === trial ? usedMs : Math.max(0, this.at - attempt.at);
      return [{ fence: attempt.fence, resource: 0, usedMs: used, suspended: false }];
    });
    const { incarnation } = mustGet(this.state.agents, agent, "agent");
    const silent = { closed: null, cpuLoad: null, memFreeGiB: null, owner: null };
    const heartbeat = { incarnation, epoch: this.state.meta.epoch, ...silent, running };
    this.do({ kind: "heartbeat", agent, heartbeat });
  }

  #settle(events: Event[]): void {
    while (run(this.state, schedule(this.state, this.at, this.settings), this.at, events)) {
      // Until nothing more can be done at once.
    }
  }

  #think(id: string, events: Event[]): void {
    const sweep = mustGet(this.state.sweeps, id, "sweep");
    const answer = answerTo(questionFor(this.state, sweep));
    const proposals = proposalsFrom(sweep, sweep.proposed, answer);
    const input = { kind: "proposals", proposals } as const;
    run(this.state, decide(this.state, input, this.at, this.settings), this.at, events);
    this.#settle(events);
  }

  report(agent: string, report: Report): void {
    this.do({ kind: "report", agent, report });
  }

  /** The attempt's target reached with this value, after `usedMs` of training: which take their time. `startMs` of it: the start. */
  finish(trial: Trial, accuracy: number, usedMs = 1_000, startMs = 0): void {
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null, `${trial.trial} runs`);
    this.at = Math.max(this.at, attempt.at + usedMs);
    const epochs = attempt.target - (attempt.from?.resource ?? 0);
    const epochMs = (usedMs - startMs) / epochs;
    const pace = { startMs: 0, firstMs: startMs + epochMs, ...(epochs > 1 ? { epochMs } : {}) };
    const kept = {
      pace,
      resource: attempt.target,
      digest: digestOfNumber(attempt.fence),
      bytes: 10,
      metrics: { accuracy },
      usedMs,
    };
    this.report(attempt.agent, { kind: "finished", fence: attempt.fence, ...kept });
  }

  running(): Trial[] {
    return [...this.state.trials.values()].filter(({ state }) => state === "running");
  }

  trial(id: string): Trial {
    const trial = this.state.trials.get(id);
    assert.ok(trial !== undefined, `there is a trial ${id}`);
    return trial;
  }

  of(kind: Event["kind"]): Event[] {
    return this.events.flatMap(({ event }) => (event.kind === kind ? [event] : []));
  }

  #apply(events: readonly Event[]): void {
    for (const event of events) {
      apply(this.state, event, this.at);
      this.events.push({ at: this.at, event });
    }
  }
}

export function digestOfNumber(number: number): string {
  return number.toString(16).padStart(64, "0");
}
