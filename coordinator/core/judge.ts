/** At a rung: asks the stopping policy about the trial that reached it, then about those that wait. */
import { stoppingPolicy } from "../stopping/choose-policy.ts";
import { nextRung, type RungEntry } from "../stopping/stopping-policy.ts";
import type { Event } from "./event.ts";
import type { Steps } from "./input.ts";
import { scoreOf } from "./objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";

export function* judge(state: State, trial: Trial): Steps {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const policy = stoppingPolicy(sweep.spec.stopping);
  const resource = trial.rungs.at(-1)?.resource ?? 0;
  const index = policy.rungs.indexOf(resource);
  const next = nextRung(policy, resource);
  // At the last rung there is nothing to compare: gathering all who got there, for each of them, would be quadratic.
  const verdict =
    next === null ? "complete" : policy.verdict(index, entriesOf(state, sweep, resource), trial.trial);
  if (verdict === "complete" || next === null) {
    yield { kind: "TrialFinished", trial: trial.trial, outcome: "completed", why: "full length reached" };
  } else if (sweep.state === "stopping") {
    yield { kind: "TrialFinished", trial: trial.trial, outcome: "cancelled", why: "the sweep was stopped" };
  } else if (verdict === "continue") {
    yield { kind: "TrialPromoted", trial: trial.trial, target: next };
  } else {
    yield { kind: "TrialPaused", trial: trial.trial };
  }
  yield* promote(state, sweep);
}

/** Promotes every paused trial that has come into the top of its rung, highest rung first. */
export function* promote(state: State, sweep: Sweep): Steps {
  if (sweep.state !== "running" || sweep.counts.paused === 0) return;
  const policy = stoppingPolicy(sweep.spec.stopping);
  for (let index = policy.rungs.length - 2; index >= 0; index--) {
    const resource = policy.rungs[index] ?? 0;
    const target = policy.rungs[index + 1] ?? 0;
    for (;;) {
      const trial = policy.promotable(index, entriesOf(state, sweep, resource));
      if (trial === null) break;
      yield { kind: "TrialPromoted", trial, target };
    }
  }
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
    const target = nextRung(policy, resource);
    const paused = entriesOf(state, sweep, resource).filter((entry) => entry.paused);
    const [best] = paused.toSorted((a, b) => b.score - a.score || a.number - b.number);
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
    const value = trial.rungs.find((rung) => rung.resource === resource)?.value ?? 0;
    return {
      trial: id,
      number: trial.number,
      score: scoreOf(sweep.spec, value),
      promoted: trial.target > resource,
      paused: trial.state === "paused" && trial.target === resource,
    };
  });
}
