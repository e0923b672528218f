/** The best value a sweep had after so many trials, tokens and milliseconds. A step line: each point holds until the next. */
import type { SweepView } from "../../protocol/view.ts";

export interface BestPoint {
  /** Finished trials. */
  readonly trials: number;
  /** Milli-tokens. */
  readonly spent: number;
  /** Ms since the sweep was submitted. */
  readonly elapsed: number;
  readonly value: number;
}

/** One point per improvement and one for how far the sweep has come; empty without a result. */
export function bestSoFar({ bestSoFar: improvements, summary, trials }: SweepView): readonly BestPoint[] {
  const { counts, finishedAt, spent, submittedAt } = summary;
  const points = improvements.map((point) => ({
    trials: point.trials,
    spent: point.spent,
    elapsed: point.at - submittedAt,
    value: point.value,
  }));
  const last = points.at(-1);
  if (last === undefined) return points;
  const ends = trials.flatMap(({ attempts }) => attempts.flatMap(({ endedAt }) => endedAt ?? []));
  const end = ends.reduce((latest, at) => Math.max(latest, at), finishedAt ?? submittedAt);
  const finished = counts.completed + counts.stopped + counts.failed + counts.cancelled;
  return [
    ...points,
    {
      trials: Math.max(last.trials, finished),
      spent: Math.max(last.spent, spent),
      elapsed: Math.max(last.elapsed, end - submittedAt),
      value: last.value,
    },
  ];
}
