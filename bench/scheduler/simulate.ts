/**
 * Drives the real rooms of the coordinator (decide, schedule, apply) in simulated time: attempts end, machines leave and come
 * back, and every free slot is given away by the scheduler. Only the clock and the agents are made up.
 */
import { apply } from "../../coordinator/core/apply.ts";
import { decide } from "../../coordinator/core/decide.ts";
import type { Event } from "../../coordinator/format/event.ts";
import type { Input } from "../../coordinator/state/input.ts";
import { schedule } from "../../coordinator/core/schedule.ts";
import type { CoordinatorSettings } from "../../coordinator/state/setting.ts";
import { attemptByFence, mustGet, type State } from "../../coordinator/state/state.ts";
import type { RandomStream } from "../../search/space/random-stream.ts";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { EndQueue } from "./end-queue.ts";
import { Fairness } from "./fairness.ts";
import type { Machine } from "./fleet.ts";
import { requesterName, weightOf } from "./workload.ts";

export interface Plan {
  readonly state: State;
  readonly settings: CoordinatorSettings;
  readonly machines: readonly Machine[];
  readonly requesters: number;
  /** Requesters that have work and money throughout. */
  readonly rich: readonly number[];
  readonly decisions: number;
  readonly random: RandomStream;
}

export interface Outcome {
  readonly decisions: number;
  readonly seconds: number;
  /** Of each decision, ms: from the question until its event is applied. */
  readonly decisionMs: readonly number[];
  readonly overspend: number;
  readonly fairness: Fairness;
  readonly utilisation: number;
  readonly joined: number;
  readonly left: number;
  readonly lost: number;
}

/** Work of a trial, in seconds of the reference machine. */
const workMinSeconds = 20;
const workMaxSeconds = 60;
const churnEveryMs = 500;
const expireEveryMs = 5_000;
const awayMs = 60_000;
/** Decisions between two looks at all pairs. */
const lookEvery = 500;
const warmUpRounds = 5;
const digest = "a".repeat(64);

export function simulate(plan: Plan): Outcome {
  return new Simulation(plan).run();
}

class Simulation {
  readonly #plan: Plan;
  readonly #ends = new EndQueue();
  readonly #fairness: Fairness;
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #charged = new Map<number, number>();
  readonly #away: { readonly machine: Machine; readonly backAt: number }[] = [];
  #decisionMs: number[] = [];
  #at = 1_000;
  #decisions = 0;
  #overspend = 0;
  #spentMs = 0;
  #incarnations = 0;
  #joined = 0;
  #left = 0;
  #lost = 0;
  #busySlotMs = 0;
  #openSlotMs = 0;
  #openSlots = 0;

  constructor(plan: Plan) {
    const each = Array.from({ length: plan.requesters }, (_, index) => index);
    this.#plan = plan;
    this.#fairness = new Fairness(each.map(weightOf), workMaxSeconds * milliTokensPerToken);
    this.#indexOf = new Map(each.map((index) => [requesterName(index), index]));
  }

  run(): Outcome {
    this.#warmUp();
    // From here on it is the steady state that counts.
    this.#fairness.restart();
    this.#decisionMs = [];
    this.#spentMs = 0;
    this.#busySlotMs = 0;
    this.#openSlotMs = 0;
    const before = this.#decisions;
    this.#goOn(before + this.#plan.decisions);
    return {
      decisions: this.#decisions - before,
      seconds: this.#spentMs / 1000,
      decisionMs: this.#decisionMs,
      overspend: this.#overspend,
      fairness: this.#fairness,
      utilisation: this.#busySlotMs / this.#openSlotMs,
      joined: this.#joined,
      left: this.#left,
      lost: this.#lost,
    };
  }

  /** Until each slot has had a few trials: before that nobody knows what a trial of a sweep costs. */
  #warmUp(): void {
    for (const machine of this.#plan.machines) this.#join(machine);
    const enough = this.#decisions * warmUpRounds;
    while (this.#ends.next !== undefined && this.#decisions < enough) this.#endNext(this.#ends.next);
  }

  #goOn(toDecisions: number): void {
    let churnAt = this.#at + churnEveryMs;
    let expireAt = this.#at + expireEveryMs;
    while (this.#decisions < toDecisions) {
      const { next } = this.#ends;
      if (next === undefined) return;
      if (expireAt <= next.at && expireAt <= churnAt) {
        this.#pass(expireAt);
        expireAt += expireEveryMs;
        this.#take({ kind: "expire" });
      } else if (churnAt <= next.at) {
        this.#pass(churnAt);
        churnAt += churnEveryMs;
        this.#churn();
      } else this.#endNext(next);
    }
  }

  #endNext({ at, fence }: { readonly at: number; readonly fence: number }): void {
    this.#pass(at);
    this.#ends.pop();
    this.#finish(fence);
  }

  /** One machine that was away comes back, another leaves. */
  #churn(): void {
    const { machines, random, state } = this.#plan;
    const [back] = this.#away;
    if (back !== undefined && back.backAt <= this.#at) {
      this.#away.shift();
      this.#join(back.machine);
    }
    const leaver = machines[Math.floor(random.next() * machines.length)];
    if (leaver === undefined || state.agents.get(leaver.name)?.present !== true) return;
    this.#left++;
    this.#openSlots -= leaver.policy.slots;
    this.#away.push({ machine: leaver, backAt: this.#at + awayMs });
    this.#take({ kind: "silent", agent: leaver.name });
  }

  #join(machine: Machine): void {
    this.#joined++;
    this.#openSlots += machine.policy.slots;
    const { capability, name, policy } = machine;
    const incarnation = `${name}-${++this.#incarnations}`;
    this.#take({ kind: "register", agent: name, register: { incarnation, capability, policy } });
  }

  #finish(fence: number): void {
    const { random, state } = this.#plan;
    const found = attemptByFence(state, fence);
    // Of a machine that has left nothing is heard; its attempt is lost once its horizon has passed.
    if (found === null || state.agents.get(found.attempt.agent)?.present !== true) return;
    const { attempt } = found;
    this.#take({
      kind: "report",
      agent: attempt.agent,
      report: {
        kind: "finished",
        fence,
        resource: attempt.target,
        digest,
        bytes: 1,
        metrics: { accuracy: random.next() },
        usedMs: this.#at - attempt.at,
      },
    });
  }

  #take(input: Input): void {
    const { settings, state } = this.#plan;
    this.#carryOut(decide(state, input, this.#at, settings), false);
    while (this.#carryOut(schedule(state, this.#at, settings), true)) {
      // Until every free slot is given away.
    }
    // What a store would have written by now.
    state.dirty.clear();
  }

  /** Runs a decision to its end; `timed`: the steps are placements. */
  #carryOut<T>(steps: Generator<Event, T, void>, timed: boolean): T {
    let from = performance.now();
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        this.#spentMs += performance.now() - from;
        return step.value;
      }
      const event = step.value;
      const index = event.kind === "AttemptEnded" ? this.#requesterOf(event.fence) : null;
      apply(this.#plan.state, event, this.#at);
      const took = performance.now() - from;
      this.#spentMs += took;
      if (timed && event.kind === "LeaseOffered") {
        this.#decisionMs.push(took);
        if (++this.#decisions % lookEvery === 0) this.#fairness.look(this.#plan.rich);
      }
      this.#watch(event, index);
      from = performance.now();
    }
  }

  #watch(event: Event, index: number | null): void {
    const { random, state } = this.#plan;
    if (event.kind === "LeaseOffered") {
      const served = this.#requesterOf(event.fence);
      const cost = attemptByFence(state, event.fence)?.attempt.charged ?? 0;
      this.#charged.set(event.fence, cost);
      this.#fairness.serve(served, cost);
      const work = workMinSeconds + (workMaxSeconds - workMinSeconds) * random.next();
      this.#ends.push({ at: this.#at + (1000 * work) / event.rate, fence: event.fence });
      this.#noteBudget(served);
    } else if (event.kind === "AttemptEnded" && index !== null) {
      this.#fairness.correct(index, event.posted - (this.#charged.get(event.fence) ?? 0));
      this.#charged.delete(event.fence);
      if (event.ending === "lost") this.#lost++;
      this.#noteBudget(index);
    }
  }

  #requesterOf(fence: number): number {
    const { state } = this.#plan;
    const trial = mustGet(state.trials, mustGet(state.active, fence, "fence"), "trial");
    const { requester } = mustGet(state.sweeps, trial.sweep, "sweep");
    return mustGet(this.#indexOf, requester, "requester");
  }

  #noteBudget(index: number): void {
    const account = mustGet(this.#plan.state.accounts, requesterName(index), "account");
    this.#overspend = Math.max(this.#overspend, account.posted + account.pending - account.granted);
  }

  #pass(until: number): void {
    this.#busySlotMs += this.#busySlots() * (until - this.#at);
    this.#openSlotMs += this.#openSlots * (until - this.#at);
    this.#at = until;
  }

  /** Attempts of machines that have left run into nothing. */
  #busySlots(): number {
    const { active, held } = this.#plan.state;
    let orphaned = 0;
    for (const { machine } of this.#away) orphaned += held.get(machine.name)?.size ?? 0;
    return active.size - orphaned;
  }
}
