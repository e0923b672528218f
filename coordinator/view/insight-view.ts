/**
 * What a sweep has taught so far, for a terminal: bounded in size and in time, since the leader answers it between two
 * decisions. The report's forests are deliberately not here; they take too long.
 */
import { bestSoFar, type BestPoint } from "../insight/best-so-far.ts";
import { comparableTrials, lossSign, type ComparedTrial } from "../insight/compared-trial.ts";
import { isFixed, parametersOf } from "../insight/parameter.ts";
import { pedAnova } from "../insight/ped-anova.ts";
import { nextTrials, predictedGain, type PredictedGain } from "../insight/predicted-gain.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { InsightView, SweepView } from "../../protocol/view.ts";
import type { CoordinatorSettings } from "../core/setting.ts";
import type { State, Sweep, Trial } from "../core/state.ts";
import { drawnAxes, linesAcross } from "./insight-axis.ts";
import { frontOf } from "./insight-front.ts";
import { sweepViewOf, trialsIn } from "./sweep-view.ts";
import { trialViewOf } from "./trial-view.ts";

/** Of a larger sweep so many trials are looked at, half of them the best and half the newest. */
export const seenTrialsMost = 1_000;
/** With fewer the best tenth is one trial, and tells nothing of parameters. */
export const importanceTrialsLeast = 10;
const bestPointsMost = 300;

export function insightViewOf(state: State, sweep: Sweep, settings: CoordinatorSettings): InsightView {
  const { spec } = sweep;
  const seen = seenTrials(state, sweep);
  const one = { sweep: sweep.sweep, offset: 0, limit: 1, order: "number" } as const;
  const view: SweepView = {
    ...sweepViewOf(state, sweep, one, settings),
    trials: seen.map((trial) => trialViewOf(state, trial)),
  };
  const { resource, trials } = comparableTrials(view);
  const spaces = Object.fromEntries(spec.models.map(({ model, space }) => [model, space]));
  const known = parametersOf(trials, spaces).filter((parameter) => !isFixed(parameter));
  const shares = trials.length < importanceTrialsLeast ? {} : pedAnova(known, trials);
  const shareOf = (name: string) => shares[name] ?? 0;
  const ordered = known.toSorted((a, b) => shareOf(b.name) - shareOf(a.name));
  // Results that are all equal leave nothing to explain.
  const told = ordered.some(({ name }) => shareOf(name) > 0);
  const { counts, spent } = view.summary;
  const finished = counts.completed + counts.stopped;
  const gain = predictedGain(trials, finished === 0 ? 0 : spent / finished);
  const sign = lossSign(view);
  const drawn = drawnAxes(ordered, trials, sign);
  return {
    sweep: sweep.sweep,
    name: spec.name,
    ...spec.objective,
    sentence: basisOf(sweep, resource, trials, told),
    compared: { resource, trials: trials.length },
    importance: told ? ordered.map(({ name }) => ({ parameter: name, share: shareOf(name) })) : [],
    bestSoFar: thinned(bestSoFar(view)),
    gain,
    gainSentence: gainText(gain, spec.objective.metric),
    slices: drawn.map(({ axis, parameter, points }) => ({ parameter: parameter.name, axis, points })),
    lines: linesAcross(drawn, trials, sign),
    note: sweep.note,
    front: spec.alsoObjectives.length === 0 ? null : frontOf(spec, seen, resource),
  };
}

/** By number. Those without a result have nothing to tell. */
function seenTrials(state: State, sweep: Sweep): readonly Trial[] {
  const all = trialsIn(state, sweep, "number").filter(({ value }) => value !== null);
  if (all.length <= seenTrialsMost) return all;
  const best = trialsIn(state, sweep, "best").slice(0, seenTrialsMost / 2);
  const seen = new Set(best.filter(({ value }) => value !== null));
  for (const trial of all.toReversed()) {
    if (seen.size >= seenTrialsMost) break;
    seen.add(trial);
  }
  return [...seen].toSorted((a, b) => a.number - b.number);
}

function basisOf(sweep: Sweep, resource: number, trials: readonly ComparedTrial[], told: boolean): string {
  const { counts, proposed } = sweep;
  if (trials.length === 0) {
    const failed = counts.failed === 0 ? "" : `, ${counts.failed} of them failed`;
    return proposed === 0
      ? "No trial has been proposed yet."
      : `None of the ${plural(proposed, "trial")} has a result yet${failed}.`;
  }
  const [are, them] = trials.length === 1 ? ["is", "it"] : ["are", "them"];
  const some =
    proposed > seenTrialsMost && trials.length < proposed ? `, of ${proposed}: the best and the newest` : "";
  const basis = `${plural(trials.length, "trial")} judged at epoch ${resource} ${are} compared${some}`;
  if (trials.length < importanceTrialsLeast) {
    return `${basis}; it takes ${importanceTrialsLeast} to say which parameters matter.`;
  }
  return told ? `${basis}.` : `${basis}; nothing in ${them} says yet which parameters matter.`;
}

function gainText(gain: PredictedGain | null, metric: string): string {
  if (gain === null) return "Too few trials to foretell what more of them would gain.";
  const chance = gain.chance < 0.01 ? "less than 1 in 100" : `${Math.round(100 * gain.chance)} in 100`;
  const cost = formatTokens(Math.round(gain.cost));
  const better = Number(gain.gain.toPrecision(3));
  const sentence = `${nextTrials} more trials would cost about ${cost} tokens and improve ${metric} by ${better} on average; the chance of any improvement is ${chance}`;
  return gain.suggestStop ? `${sentence}: it may be time to stop.` : `${sentence}.`;
}

/** Evenly, with the last point kept: a step line loses no more than a step's width. */
function thinned(points: readonly BestPoint[]): InsightView["bestSoFar"] {
  const every = Math.ceil(points.length / bestPointsMost);
  return points.filter((_, at) => at % every === 0 || at === points.length - 1);
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
