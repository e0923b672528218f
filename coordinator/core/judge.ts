/**
 * At a rung: asks the stopping policy about the trial that reached it, then about those that wait there, and
 * whether the sweep has what it was after.
 */
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { bestFirst } from "../../search/stopping/curve-rank.ts";
import type { Ranked } from "../../search/stopping/rung-order.ts";
import { nextRung, type RungEntry, type Verdict } from "../../search/stopping/stopping-policy.ts";
import { stopText } from "../../search/stopping/stop-reason.ts";
import { curveOf, rankedOf, rungOrdersOf } from "./follow-rung.ts";
import { trialFinished, trialStopped } from "./outcome-fact.ts";
import { endAtTarget } from "./end-at-target.ts";
import type { Event } from "../format/event.ts";
import type { Steps } from "../state/input.ts";
import { reachesTarget, scoreOf, scoresOf, targetReached } from "../state/objective.ts";
import { mustGet, type Rung, type State, type Sweep, type Trial } from "../state/state.ts";

const noRung: Rung = { resource: 0, value: Number.NaN };

export function* judge(state: State, trial: Trial): Steps {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const policy = stoppingPolicy(sweep.spec.stopping);
  const rung = trial.rungs.at(-1) ?? noRung;
  const next = nextRung(policy.rungsOf(trial.number), rung.resource);
  yield outcomeOf(state, sweep, trial, rung, next);
  if (sweep.state !== "running") return;
  if (targetReached(sweep)) yield* endAtTarget(sweep);
  // Nothing has changed at the other rungs.
  else if (next !== null) yield* promoteFrom(state, sweep, rung.resource);
}

function outcomeOf(state: State, sweep: Sweep, trial: Trial, rung: Rung, next: number | null): Event {
  const { spec } = sweep;
  const { resource } = rung;
  const value = trial.value ?? rung.value;
  const finish = (outcome: "completed" | "stopped" | "cancelled", why: string) =>
    trialFinished(state, trial, outcome, why);
  if (next === null) return finish("completed", "full length reached");
  if (trial.stopAsked !== undefined) return trialStopped(state, trial, trial.stopAsked);
  if (sweep.state === "stopping") return finish("cancelled", "the sweep was stopped");
  if (reachesTarget(spec, value)) {
    return finish("stopped", `target: ${value} at epoch ${resource} reaches ${spec.stopping.target}`);
  }
  const verdict = verdictOn(state, sweep, trial, resource);
  switch (verdict.kind) {
    case "continue":
      return { kind: "TrialPromoted", trial: trial.trial, target: next };
    case "pause":
      return { kind: "TrialPaused", trial: trial.trial };
    case "stop": {
      const valueOf = (score: number) => scoreOf(spec, score);
      return finish("stopped", stopText(verdict.reason, resource, spec.objective.goal, valueOf));
    }
  }
}

function verdictOn(state: State, sweep: Sweep, trial: Trial, resource: number): Verdict {
  const policy = stoppingPolicy(sweep.spec.stopping);
  // Not one of its own rungs: nobody to compare it with.
  if (!policy.rungsOf(trial.number).includes(resource)) return { kind: "continue" };
  if (!hasSeveral(sweep)) {
    const { ordered } = policy;
    const order = rungOrdersOf(state, sweep, resource)[ordered.groupOf(trial.number)];
    if (order === undefined) throw new Error(`broken invariant: ${trial.trial} is not at rung ${resource}`);
    const curve = curveOf(sweep, trial, resource);
    return ordered.verdict({ order, trial: rankedOf(trial, curve), curve });
  }
  const entries = entriesOf(state, sweep, resource);
  const own = entries.findLast((entry) => entry.trial === trial.trial);
  if (own === undefined) throw new Error(`broken invariant: ${trial.trial} is not at rung ${resource}`);
  const curveAt = (entry: RungEntry) => curveOf(sweep, mustGet(state.trials, entry.trial, "trial"), resource);
  return policy.verdict({ resource, trial: own, entries, curveOf: curveAt });
}

/**
 * After results that came from the record: ends the sweep where one of them reaches its target, else promotes every
 * paused trial that has come into the top of its rung, highest rung first.
 */
export function* promote(state: State, sweep: Sweep): Steps {
  if (sweep.state !== "running") return;
  if (targetReached(sweep)) {
    yield* endAtTarget(sweep);
    return;
  }
  const policy = stoppingPolicy(sweep.spec.stopping);
  for (const resource of policy.rungs.toReversed()) {
    if (sweep.counts.paused === 0) return;
    yield* promoteFrom(state, sweep, resource);
  }
}

function* promoteFrom(state: State, sweep: Sweep, resource: number): Steps {
  if (sweep.counts.paused === 0) return;
  const policy = stoppingPolicy(sweep.spec.stopping);
  const promotable = hasSeveral(sweep)
    ? policy.promotable(entriesOf(state, sweep, resource))
    : promotableIn(state, sweep, resource);
  for (const { trial, number } of promotable) {
    const target = nextRung(policy.rungsOf(number), resource);
    if (target !== null) yield { kind: "TrialPromoted", trial, target };
  }
}

/** Of each group its waiting ones among the best, best first. */
function promotableIn(state: State, sweep: Sweep, resource: number): readonly Ranked[] {
  const { ordered } = stoppingPolicy(sweep.spec.stopping);
  const waits = ({ trial: id }: Ranked) => {
    const trial = mustGet(state.trials, id, "trial");
    return trial.state === "paused" && trial.target === resource;
  };
  return rungOrdersOf(state, sweep, resource).flatMap((order) =>
    order.waitingAmong(ordered.placesOf(order.size), waits),
  );
}

/** With several objectives trials stand in fronts and not in an order: all of a rung are looked at. */
function hasSeveral({ spec }: Sweep): boolean {
  return spec.alsoObjectives.length > 0;
}

/**
 * RUNG-3: a sweep does not end without a trial at full length while one could still get there: a handful of
 * trials fills no rung, and its best would stay half trained. The paused one that came furthest, and there did
 * best, goes on.
 */
export function* promoteLast(state: State, sweep: Sweep): Generator<Event, boolean, void> {
  if (sweep.state !== "running" || sweep.counts.completed > 0 || sweep.counts.paused === 0) return false;
  const policy = stoppingPolicy(sweep.spec.stopping);
  for (const resource of policy.rungs.toReversed()) {
    const paused = entriesOf(state, sweep, resource).filter((entry) => entry.paused);
    const [best] = bestFirst(paused);
    const target = best === undefined ? null : nextRung(policy.rungsOf(best.number), resource);
    if (best === undefined || target === null) continue;
    yield { kind: "TrialPromoted", trial: best.trial, target };
    return true;
  }
  return false;
}

function entriesOf(state: State, sweep: Sweep, resource: number): RungEntry[] {
  const ids = state.rungs.get(sweep.sweep)?.get(resource) ?? [];
  return ids.map((id) => {
    const trial = mustGet(state.trials, id, "trial");
    const rung = trial.rungs.find((each) => each.resource === resource) ?? noRung;
    return {
      trial: id,
      number: trial.number,
      scores: scoresOf(sweep.spec, rung),
      promoted: trial.target > resource,
      paused: trial.state === "paused" && trial.target === resource,
    };
  });
}
