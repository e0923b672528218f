/**
 * What a sweep has taught so far, for a terminal: bounded in size and in time, since the leader answers it between two
 * decisions. The report's forests are deliberately not here; they take too long.
 */
import { bestSoFar, type BestPoint } from "../insight/best-so-far.ts";
import { comparableTrials, lossSign } from "../insight/compared-trial.ts";
import { isFixed, parametersOf, type Spaces } from "../insight/insight-parameter.ts";
import { pedAnova } from "../insight/ped-anova.ts";
import { gainSentence, predictedGain } from "../insight/predicted-gain.ts";
import { plural } from "../../protocol/plural.ts";
import type { InsightView } from "../../protocol/insight-view.ts";
import type { SweepView } from "../../protocol/view.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State, Sweep, Trial } from "../state/state.ts";
import { drawnAxes, linesAcross } from "./insight-axis.ts";
import { frontOf } from "./insight-front.ts";
import { insightTrials } from "./insight-trials.ts";
import { sweepViewOf, trialsIn } from "./sweep-answer.ts";
import { trialViewOf } from "./trial-answer.ts";

/** With fewer the best tenth is one trial, and tells nothing of parameters. */
export const importanceTrialsLeast = 10;
const bestPointsMost = 300;

export function insightViewOf(state: State, sweep: Sweep, settings: CoordinatorSettings): InsightView {
  const { spec } = sweep;
  const { judged, newest, sample, seen } = insightTrials(sweep, trialsIn(state, sweep, "number"));
  const one = { sweep: sweep.sweep, offset: 0, limit: 1, order: "number" } as const;
  const whole = sweepViewOf(state, sweep, one, settings);
  const withTrials = (trials: readonly Trial[]): SweepView => ({
    ...whole,
    trials: trials.map((trial) => trialViewOf(state, trial)),
  });
  const view = withTrials(seen);
  const spaces = Object.fromEntries(spec.models.map(({ model, space }) => [model, space]));
  return insightOf(view, spaces, {
    judged,
    sample: sample === seen ? view : withTrials(sample),
    frontAt: (resource) => (spec.alsoObjectives.length === 0 ? null : frontOf(spec, newest, resource)),
  });
}

/** Beyond what one view of the sweep holds. */
interface Beyond {
  /** How many trials could be compared, of which the view holds the best and the newest. */
  readonly judged: number;
  /** The view with a fair sample of those instead. */
  readonly sample: SweepView;
  readonly frontAt: (resource: number) => InsightView["front"];
}

/** `view` holds the trials to draw; without `beyond` it holds all. */
export function insightOf(view: SweepView, spaces: Spaces, beyond: Beyond | null = null): InsightView {
  const { counts, goal, metric, name, spent, sweep } = view.summary;
  const { resource, trials } = comparableTrials(view);
  const sample = beyond === null ? trials : comparableTrials(beyond.sample).trials;
  const known = parametersOf(trials, spaces).filter((parameter) => !isFixed(parameter));
  const shares = trials.length < importanceTrialsLeast ? {} : pedAnova(parametersOf(sample, spaces), sample);
  const shareOf = (name: string) => shares[name] ?? 0;
  const ordered = known.toSorted((a, b) => shareOf(b.name) - shareOf(a.name));
  // Results that are all equal leave nothing to explain.
  const told = ordered.some(({ name }) => shareOf(name) > 0);
  const finished = counts.completed + counts.stopped;
  const gain = predictedGain(trials, finished === 0 ? 0 : spent / finished);
  const sign = lossSign(view);
  const drawn = drawnAxes(ordered, trials, sign);
  return {
    sweep,
    name,
    metric,
    goal,
    sentence: basisOf(view, trials.length, beyond?.judged ?? trials.length, resource, told),
    compared: { resource, trials: trials.length },
    importance: told ? ordered.map(({ name }) => ({ parameter: name, share: shareOf(name) })) : [],
    bestSoFar: thinned(bestSoFar(view)),
    gain,
    gainSentence: gainSentence(gain, metric),
    slices: drawn.map(({ axis, parameter, points }) => ({ parameter: parameter.name, axis, points })),
    lines: linesAcross(drawn, trials, sign),
    note: view.note,
    front: beyond?.frontAt(resource) ?? null,
  };
}

/** What all rests on: `compared` of `judged` trials at a resource. `told`: something can be said of the parameters. */
function basisOf(
  { summary: { counts } }: SweepView,
  compared: number,
  judged: number,
  resource: number,
  told: boolean,
): string {
  if (compared === 0) {
    const { failed, proposed } = counts;
    if (proposed === 0) return "No trial has been proposed yet.";
    const ends = failed === 0 ? "" : `, ${failed} failed`;
    return `No trial has a result yet: ${proposed} proposed${ends}.`;
  }
  const at = `${plural(compared, "trial")} judged at epoch ${resource} ${compared === 1 ? "is" : "are"} compared`;
  const basis = judged > compared ? `${at}, the best and the newest of ${judged}` : at;
  if (compared < importanceTrialsLeast) {
    return `${basis}; it takes ${importanceTrialsLeast} to say which parameters matter.`;
  }
  return told ? `${basis}.` : `${basis}; their results do not say which parameters matter.`;
}

/** Evenly, with the last point kept: a step line loses no more than a step's width. */
function thinned(points: readonly BestPoint[]): InsightView["bestSoFar"] {
  const every = Math.ceil(points.length / bestPointsMost);
  return points.filter((_, at) => at % every === 0 || at === points.length - 1);
}
