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
/** Decisions between two looks at all pairs. */
const lookEvery = 500;
const warmUpRounds = 5;
const digest = "a".repeat(64);

export function simulate(plan: Plan): Outcome {
  const { machines, random, requesters, settings, state } = plan;
  const ends = new EndQueue();
  const fairness = new Fairness(
    Array.from({ length: requesters }, (_, index) => weightOf(index)),
    workMaxSeconds * milliTokensPerToken,
  );
  const indexOf = new Map(
    Array.from({ length: requesters }, (_, index) => [requesterName(index), index] as const),
  );
  const decisionMs: number[] = [];
  const charged = new Map<number, number>();
  const away: { readonly machine: Machine; readonly backAt: number }[] = [];
  let at = 1_000;
  let decisions = 0;
  let overspend = 0;
  let spentMs = 0;
  let incarnations = 0;
  let joined = 0;
  let left = 0;
  let lost = 0;
  let busySlotMs = 0;
  let openSlotMs = 0;
  let openSlots = 0;

  const indexFor = (fence: number) => {
    const trial = mustGet(state.trials, mustGet(state.active, fence, "fence"), "trial");
    const { requester } = mustGet(state.sweeps, trial.sweep, "sweep");
    return mustGet(indexOf, requester, "requester");
  };

  const watch = (event: Event, index: number | null) => {
    if (event.kind === "LeaseOffered") {
      const served = indexFor(event.fence);
      const attempt = attemptByFence(state, event.fence)?.attempt;
      const cost = attempt?.charged ?? 0;
      charged.set(event.fence, cost);
      fairness.serve(served, cost);
      const work = workMinSeconds + (workMaxSeconds - workMinSeconds) * random.next();
      ends.push({ at: at + (1000 * work) / event.rate, fence: event.fence });
      noteBudget(served);
    } else if (event.kind === "AttemptEnded" && index !== null) {
      fairness.correct(index, event.posted - (charged.get(event.fence) ?? 0));
      charged.delete(event.fence);
      if (event.ending === "lost") lost++;
      noteBudget(index);
    }
  };

  const noteBudget = (index: number) => {
    const account = mustGet(state.accounts, requesterName(index), "account");
    overspend = Math.max(overspend, account.posted + account.pending - account.granted);
  };

  /** Runs a decision to its end; `timed`: the steps are placements. */
  const run = <T>(steps: Generator<Event, T, void>, timed: boolean): T => {
    let from = performance.now();
    for (;;) {
      const step = steps.next();
      if (step.done === true) {
        spentMs += performance.now() - from;
        return step.value;
      }
      const event = step.value;
      const index = event.kind === "AttemptEnded" ? indexFor(event.fence) : null;
      apply(state, event, at);
      const took = performance.now() - from;
      spentMs += took;
      if (timed && event.kind === "LeaseOffered") {
        decisionMs.push(took);
        decisions++;
        if (decisions % lookEvery === 0) fairness.look(plan.rich);
      }
      watch(event, index);
      from = performance.now();
    }
  };

  const take = (input: Input) => {
    run(decide(state, input, at, settings), false);
    while (run(schedule(state, at, settings), true)) {
      // Until every free slot is given away.
    }
    // What a store would have written by now.
    state.dirty.clear();
  };

  const join = (machine: Machine) => {
    joined++;
    openSlots += machine.policy.slots;
    const { capability, name, policy } = machine;
    const incarnation = `${name}-${++incarnations}`;
    take({ kind: "register", agent: name, register: { incarnation, capability, policy } });
  };

  /** Attempts of machines that have left run into nothing. */
  const busySlots = () => {
    let orphaned = 0;
    for (const { machine } of away) orphaned += state.held.get(machine.name)?.size ?? 0;
    return state.active.size - orphaned;
  };

  const pass = (until: number) => {
    busySlotMs += busySlots() * (until - at);
    openSlotMs += openSlots * (until - at);
    at = until;
  };

  const warmUp = () => {
    for (const machine of machines) join(machine);
    // Until each slot has had a few trials: before that nobody knows what a trial of a sweep costs.
    const enough = decisions * warmUpRounds;
    for (;;) {
      const next = ends.next;
      if (next === undefined || decisions >= enough) return;
      pass(next.at);
      ends.pop();
      finish(next.fence);
    }
  };
  warmUp();
  fairness.restart();
  let churnAt = at + churnEveryMs;
  let expireAt = at + expireEveryMs;
  // From here on it is the steady state that counts.
  decisionMs.length = 0;
  spentMs = 0;
  busySlotMs = 0;
  openSlotMs = 0;
  const before = decisions;
  while (decisions - before < plan.decisions) {
    const next = ends.next;
    if (next === undefined) break;
    if (expireAt <= next.at && expireAt <= churnAt) {
      pass(expireAt);
      expireAt += expireEveryMs;
      take({ kind: "expire" });
    } else if (churnAt <= next.at) {
      pass(churnAt);
      churnAt += churnEveryMs;
      const back = away[0];
      if (back !== undefined && back.backAt <= at) {
        away.shift();
        join(back.machine);
      }
      const leaver = machines[Math.floor(random.next() * machines.length)];
      if (leaver !== undefined && state.agents.get(leaver.name)?.present === true) {
        left++;
        openSlots -= leaver.policy.slots;
        away.push({ machine: leaver, backAt: at + 60_000 });
        take({ kind: "silent", agent: leaver.name });
      }
    } else {
      pass(next.at);
      ends.pop();
      finish(next.fence);
    }
  }

  function finish(fence: number): void {
    const found = attemptByFence(state, fence);
    // Of a machine that has left nothing is heard; its attempt is lost once its horizon has passed.
    if (found === null || state.agents.get(found.attempt.agent)?.present !== true) return;
    const { attempt } = found;
    take({
      kind: "report",
      agent: attempt.agent,
      report: {
        kind: "finished",
        fence,
        resource: attempt.target,
        digest,
        bytes: 1,
        metrics: { accuracy: random.next() },
        usedMs: at - attempt.at,
      },
    });
  }

  return {
    decisions: decisions - before,
    seconds: spentMs / 1000,
    decisionMs,
    overspend,
    fairness,
    utilisation: busySlotMs / openSlotMs,
    joined,
    left,
    lost,
  };
}
