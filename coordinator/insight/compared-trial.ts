/**
 * The trials of a sweep that may be compared with each other: all judged at one resource, never one after two epochs
 * with one after eight. Smaller is better here, whatever the sweep's goal.
 */
import type { SweepView, TrialView } from "../../protocol/view.ts";
import type { Params } from "../../protocol/value.ts";

export interface ComparedTrial {
  readonly trial: string;
  readonly number: number;
  readonly model: string;
  readonly params: Params;
  /** The objective at the common resource; negated where the goal is to maximise. */
  readonly loss: number;
}

export interface Comparable {
  /** Resource (epochs) at which all of them were judged; 0 where none was. */
  readonly resource: number;
  /** By number. */
  readonly trials: readonly ComparedTrial[];
}

/** So many trials say more at a high resource than any number does at a low one. */
export const enoughTrials = 30;

/** +1 where smaller values of the metric are better, else −1: what turns a value into a loss and back. */
export function lossSign(view: SweepView): 1 | -1 {
  return view.summary.goal === "minimize" ? 1 : -1;
}

/** At the highest resource with `enoughTrials`, else at the one where most were judged. */
export function comparableTrials(view: SweepView): Comparable {
  const judged = view.trials.map((trial) => ({ trial, rungs: rungsOf(trial) }));
  const counts = new Map<number, number>();
  for (const { rungs } of judged) {
    for (const { resource } of rungs) counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  const order = [...counts].toSorted(([a], [b]) => b - a);
  const most = order.toSorted(([, a], [, b]) => b - a)[0];
  const [resource] = order.find(([, count]) => count >= enoughTrials) ?? most ?? [0];
  const sign = lossSign(view);
  const trials = judged.flatMap(({ rungs, trial }) => {
    const rung = rungs.find((one) => one.resource === resource);
    if (rung === undefined) return [];
    const { model, number, params } = trial;
    return [{ trial: trial.trial, number, model, params, loss: sign * rung.value }];
  });
  return { resource, trials: trials.toSorted((a, b) => a.number - b.number) };
}

function rungsOf({ resource, rungs, value }: TrialView): readonly { resource: number; value: number }[] {
  if (rungs.length > 0) return rungs;
  return value === null ? [] : [{ resource, value }];
}
