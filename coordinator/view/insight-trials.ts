/**
 * Which trials of a sweep its insight looks at: all that can be compared, and of very many a bounded number. What is drawn and
 * foretold wants the best and the newest; importance wants a fair sample, for the best alone would hide what made them so.
 */
import { enoughTrials } from "../insight/compared-trial.ts";
import { scoreOf } from "../state/objective.ts";
import type { Sweep, Trial } from "../state/state.ts";

/** Of each kind. */
export const seenTrialsMost = 1_000;

export interface InsightTrials {
  /** How many could be compared. */
  readonly judged: number;
  /** By number: half of them the best, the others the newest. The same as `sample` where all are seen. */
  readonly seen: readonly Trial[];
  /** By number: evenly over all. */
  readonly sample: readonly Trial[];
  /** By number: where trials that no other beats are looked for. */
  readonly newest: readonly Trial[];
}

/** Of a larger sweep its front is that of so many newest trials. */
const frontTrialsMost = 5_000;

/** `all`: the sweep's trials by number. */
export function insightTrials(sweep: Sweep, all: readonly Trial[]): InsightTrials {
  const counts = new Map<number, number>();
  for (const { rungs } of all) {
    for (const { resource } of rungs) counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  // As `comparableTrials` chooses it, which is shown no trial that has not got there.
  const [resource] = [...counts.keys()]
    .filter((each) => (counts.get(each) ?? 0) >= enoughTrials)
    .toSorted((a, b) => b - a);
  const valueOf = ({ rungs }: Trial) =>
    (resource === undefined ? rungs.at(-1) : rungs.find((each) => each.resource === resource))?.value;
  const judged = all.filter((trial) => valueOf(trial) !== undefined);
  const newest = judged.slice(-frontTrialsMost);
  if (judged.length <= seenTrialsMost) return { judged: judged.length, seen: judged, sample: judged, newest };
  const score = (trial: Trial) => scoreOf(sweep.spec, valueOf(trial) ?? Number.NaN);
  const seen = new Set(judged.toSorted((a, b) => score(b) - score(a)).slice(0, seenTrialsMost / 2));
  for (let at = judged.length - 1; at >= 0 && seen.size < seenTrialsMost; at--) {
    const trial = judged[at];
    if (trial !== undefined) seen.add(trial);
  }
  const every = Math.ceil(judged.length / seenTrialsMost);
  return {
    judged: judged.length,
    seen: [...seen].toSorted((a, b) => a.number - b.number),
    sample: judged.filter((_, at) => at % every === 0),
    newest,
  };
}
