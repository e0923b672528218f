/** Sweeps as people see them: a summary, and one sweep with a slice of its trials. */
import type { QueryBody } from "../../protocol/command.ts";
import type { SweepSummary, SweepView } from "../../protocol/view.ts";
import { reachesTarget, scoreOf } from "../state/objective.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";
import { waitingFor } from "../placement/waiting-for.ts";
import { trialViewOf } from "./trial-answer.ts";

export function summaryOf(state: State, sweep: Sweep, settings: CoordinatorSettings): SweepSummary {
  const { spec } = sweep;
  const waiting = sweep.state === "running" ? waitingFor(state, sweep, settings) : null;
  return {
    sweep: sweep.sweep,
    name: spec.name,
    requester: sweep.requester,
    task: spec.task,
    state: stateOf(sweep, waiting),
    waiting,
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
      return waiting === null ? "running" : "waiting";
  }
}

/** What the sweep put into the registry; one answered from the record points to the version already there. */
function registeredBy(state: State, sweep: Sweep): SweepSummary["registered"] {
  if (sweep.registered !== null) return sweep.registered;
  const { register } = sweep.spec;
  if (register === null || sweep.state !== "done" || sweep.best === null) return null;
  const digest = mustGet(state.trials, sweep.best.trial, "trial").checkpoint?.digest;
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
  for (const { failure, state: is } of trialsOf(state, sweep)) {
    if (is === "failed" && failure !== null) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  }
  const common = [...counts].sort(([, a], [, b]) => b - a).map(([reason, count]) => ({ reason, count }));
  const rest = common.slice(reasonsMax).reduce((sum, { count }) => sum + count, 0);
  const shown = common.slice(0, reasonsMax);
  return rest === 0 ? shown : [...shown, { reason: "other reasons", count: rest }];
}

/** All trials of a sweep by number, or best first: trained further, then by value. */
export function trialsIn(state: State, sweep: Sweep, order: "number" | "best"): Trial[] {
  const trials = [...trialsOf(state, sweep)];
  if (order === "number") return trials;
  const reached = (trial: Trial) => trial.rungs.at(-1)?.resource ?? 0;
  const score = (trial: Trial) => (trial.value === null ? -Infinity : scoreOf(sweep.spec, trial.value));
  // As `improves` ranks them: what reaches the target, then what trained further, then the better value.
  const hits = ({ value }: Trial) => (value !== null && reachesTarget(sweep.spec, value) ? 1 : 0);
  const longer = (a: Trial, b: Trial) =>
    sweep.spec.stopping.policy === "patience" ? 0 : reached(b) - reached(a);
  return trials.sort(
    (a, b) => hits(b) - hits(a) || longer(a, b) || score(b) - score(a) || a.number - b.number,
  );
}
