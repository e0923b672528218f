/** One trial with its attempts, as people see it. */
import type { TrialView } from "../../protocol/view.ts";
import { labelsOf } from "./label-answer.ts";
import { isKeptHeld } from "../state/bytes-held.ts";
import { keptOf } from "../state/kept-of.ts";
import { mustGet, type State, type Trial } from "../state/state.ts";

export function trialViewOf(state: State, trial: Trial): TrialView {
  const { requester } = mustGet(state.sweeps, trial.sweep, "sweep");
  return {
    trial: trial.trial,
    sweep: trial.sweep,
    requester,
    number: trial.number,
    model: trial.model,
    params: { ...trial.params },
    state: trial.state,
    resource: trial.checkpoint?.resource ?? 0,
    target: trial.target,
    value: trial.value,
    metrics: keptOf(trial)?.metrics ?? trial.metrics,
    ...(trial.best === undefined ? {} : { best: { resource: trial.best.resource, value: trial.best.value } }),
    rungs: trial.rungs,
    attempts: trial.attempts.map((attempt) => ({
      fence: attempt.fence,
      agent: attempt.agent,
      backend: attempt.backend,
      rate: attempt.rate,
      fromResource: attempt.from?.resource ?? 0,
      target: attempt.target,
      approximate: attempt.approximate,
      startedAt: attempt.at,
      endedAt: attempt.endedAt,
      state: attempt.state,
      ending: attempt.ending === null ? null : [attempt.ending, attempt.note].filter(Boolean).join(": "),
      reserved: attempt.reserved,
      posted: attempt.posted,
    })),
    reusedFrom: trial.reusedFrom,
    parent: trial.parent ?? trial.resumes,
    artifact: keptOf(trial)?.digest ?? null,
    ...(isKeptHeld(state, trial) ? {} : { collected: true as const }),
    spent: trial.spent,
    failure: trial.failure,
    ...labelsOf(trial),
  };
}
