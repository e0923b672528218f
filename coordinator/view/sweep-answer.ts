/** Sweeps as people see them: a summary, and one sweep with a slice of its trials. */
import type { QueryBody } from "../../protocol/command.ts";
import type { SweepSummary, SweepView } from "../../protocol/view.ts";
import { keptOf } from "../state/kept-of.ts";
import { scoreOf } from "../state/objective.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";
import { waitingFor } from "../placement/waiting-for.ts";
import { labelsOf } from "./label-answer.ts";
import { pausedText } from "./paused-text.ts";
import { trialViewOf } from "./trial-answer.ts";

export function summaryOf(state: State, sweep: Sweep, settings: CoordinatorSettings): SweepSummary {
  const { spec } = sweep;
  const paused = sweep.state === "running" ? pausedText(sweep) : null;
  const waiting = paused ?? (sweep.state === "running" ? waitingFor(state, sweep, settings) : null);
  return {
    sweep: sweep.sweep,
    name: spec.name,
    requester: sweep.requester,
    task: spec.task,
    state: stateOf(sweep, waiting),
    waiting,
    ...(paused === null || sweep.paused === undefined ? null : { paused: sweep.paused }),
    metric: spec.objective.metric,
    goal: spec.objective.goal,
    total: sweep.exhausted ? sweep.proposed : sweep.total,
    counts: { proposed: sweep.proposed, ...sweep.counts, reused: sweep.reused },
    best: sweep.best,
    spent: sweep.spent,
    pending: sweep.pending,
    savedByReuse: sweep.savedByReuse,
    // SAVED-2: what stopping has cost in starts is not saved.
    savedByStopping: Math.max(0, sweep.savedByStopping - sweep.restarts),
    cap: spec.cap,
    weight: sweep.weight,
    priority: sweep.priority,
    experiment: spec.experiment,
    ...labelsOf(sweep),
    ...(sweep.removed === undefined ? null : { removed: sweep.removed }),
    submittedAt: sweep.submittedAt,
    finishedAt: sweep.finishedAt,
    registered: registeredBy(state, sweep),
  };
}

function stateOf(sweep: Sweep, waiting: string | null): SweepSummary["state"] {
  switch (sweep.state) {
    case "done":
      return "done";
    case "stopped":
      return "stopped";
    case "stopping":
      return "running";
    case "running":
      if (sweep.paused !== undefined) return "paused";
      return waiting === null ? "running" : "waiting";
  }
}

/** What the sweep put into the registry; one answered from the record points to the version already there. */
function registeredBy(state: State, sweep: Sweep): SweepSummary["registered"] {
  if (sweep.registered !== null) {
    const { kept, ...registered } = sweep.registered;
    return kept === undefined ? registered : { ...registered, kept };
  }
  const { register } = sweep.spec;
  if (register === null || sweep.state !== "done" || sweep.best === null) return null;
  const digest = keptOf(mustGet(state.trials, sweep.best.trial, "trial"))?.digest;
  const version = state.models.get(register.model)?.versions.find(({ artifact }) => artifact === digest);
  return version === undefined
    ? null
    : { model: register.model, version: version.version, alias: register.alias };
}

export function sweepViewOf(
  state: State,
  sweep: Sweep,
  { limit, offset, order }: QueryBody<"sweep">,
  settings: CoordinatorSettings,
): SweepView {
  return {
    summary: summaryOf(state, sweep, settings),
    search: sweep.spec.search,
    stopping: sweep.spec.stopping,
    dataset: sweep.spec.dataset,
    models: sweep.spec.models.map(({ model }) => model),
    failures: failuresOf(state, sweep),
    spaces: Object.fromEntries(sweep.spec.models.map(({ model, space }) => [model, space])),
    alsoObjectives: sweep.spec.alsoObjectives,
    note: sweep.note,
    ...(sweep.spec.keep === undefined ? null : { keep: sweep.spec.keep }),
    trials: trialsIn(state, sweep, order)
      .slice(offset, offset + limit)
      .map((trial) => trialViewOf(state, trial)),
    bestSoFar: sweep.bestSoFar,
  };
}

/** Reasons told apart; the rest is counted with them as one more. */
const reasonsMax = 3;

function failuresOf(state: State, sweep: Sweep): SweepView["failures"] {
  if (sweep.counts.failed === 0) return [];
  const counts = new Map<string, number>();
  for (const { failure, state: is, trial } of trialsOf(state, sweep)) {
    if (is !== "failed" || failure === null) continue;
    const reason = reasonOfMany(failure, trial);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const common = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => ({ reason, count }));
  const rest = common.slice(reasonsMax).reduce((sum, { count }) => sum + count, 0);
  const shown = common.slice(0, reasonsMax);
  return rest === 0 ? shown : [...shown, { reason: "other reasons", count: rest }];
}

/** A reason that names its own trial is another trial's reason too. */
function reasonOfMany(failure: string, trial: string): string {
  // A name within a longer one, as s7-1 in s7-12, is another trial's.
  return failure.replaceAll(new RegExp(` of trial ${trial}(?![\\w-])`, "g"), "");
}

/** -∞ stands for no value, and equals itself. */
function descending(a: number, b: number): number {
  return a === b ? 0 : b - a;
}

/** All trials of a sweep by number, or best first: BEST-1, the head is what the sweep calls its best. */
export function trialsIn(state: State, sweep: Sweep, order: "number" | "best"): Trial[] {
  const trials = [...trialsOf(state, sweep)];
  if (order === "number") return trials;
  const score = (trial: Trial) => (trial.value === null ? -Infinity : scoreOf(sweep.spec, trial.value));
  // As `improves` ranks them; where it ranked them otherwise once, the sweep's best is the first of its equals all the same.
  const isBest = ({ trial }: Trial) => (trial === sweep.best?.trial ? 1 : 0);
  return trials.sort(
    (a, b) => descending(score(a), score(b)) || isBest(b) - isBest(a) || a.number - b.number,
  );
}
