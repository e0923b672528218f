/**
 * What can be understood about a sweep from its view, for every place that shows it: the report, the terminal. Pure: the same
 * view gives the same answer.
 */
import type { SweepView } from "../../protocol/view.ts";
import { bestSoFar, type BestPoint } from "./best-so-far.ts";
import { chartAxis, chartValue, type ChartAxis } from "./chart-axis.ts";
import { comparableTrials, lossSign } from "./compared-trial.ts";
import { gridOf, lineOf, type Drawn, type GridPoint, type LinePoint } from "./landscape.ts";
import { modelOfTrials } from "./model-of-trials.ts";
import { isFixed, parametersOf, type Spaces } from "./insight-parameter.ts";
import { pedAnova } from "./ped-anova.ts";
import { predictedGain, type PredictedGain } from "./predicted-gain.ts";

/** A lower share than this of the trials says that a parameter is too seldom there to be drawn over a plane. */
const planeShareLeast = 0.5;

export interface InsightTrial {
  readonly trial: string;
  readonly number: number;
  readonly model: string;
  /** The objective at the common resource. */
  readonly value: number;
  /** By parameter, in the order of `parameters`; null where it is inactive. */
  readonly at: readonly (number | string | null)[];
}

export interface InsightParameter {
  readonly axis: ChartAxis;
  /** Share of being among the best that it decided (PED-ANOVA), 0 to 1. */
  readonly importance: number;
  /** Share of the results' variance that it explains alone (fANOVA), 0 to 1; null while there are too few trials. */
  readonly varianceShare: number | null;
  /** The objective along it with all others averaged out; empty while there are too few trials. */
  readonly line: readonly LinePoint[];
}

export interface SweepInsight {
  /** The resource (epochs) at which the trials below are compared. */
  readonly resource: number;
  readonly trials: readonly InsightTrial[];
  /** The most important first; parameters of one possible value are left out. */
  readonly parameters: readonly InsightParameter[];
  readonly bestSoFar: readonly BestPoint[];
  /** The objective over the two most important parameters; null with fewer than two or too few trials. */
  readonly plane: { readonly x: string; readonly y: string; readonly grid: readonly GridPoint[] } | null;
  readonly gain: PredictedGain | null;
}

/** `view` must hold all trials of the sweep. Where `spaces` lacks a model, its trials tell what was searched. */
export function sweepInsight(view: SweepView, spaces: Spaces): SweepInsight {
  const { resource, trials } = comparableTrials(view);
  const sign = lossSign(view);
  const known = parametersOf(trials, spaces).filter((parameter) => !isFixed(parameter));
  const importance = pedAnova(known, trials);
  const ordered = known.toSorted((a, b) => (importance[b.name] ?? 0) - (importance[a.name] ?? 0));
  const drawn: readonly Drawn[] = ordered.map((parameter) => ({ parameter, axis: chartAxis(parameter) }));
  const model = modelOfTrials(ordered, trials, view.search.seed);
  const wide = drawn.filter(({ parameter }) => {
    const active = parameter.regimes.reduce((sum, regime) => sum + regime.trials.length, 0);
    return active >= planeShareLeast * trials.length;
  });
  const [x, y] = wide;
  const { counts, spent } = view.summary;
  const finished = counts.completed + counts.stopped;
  return {
    resource,
    trials: trials.map((trial) => ({
      trial: trial.trial,
      number: trial.number,
      model: trial.model,
      value: sign * trial.loss,
      at: drawn.map(({ axis, parameter }) => chartValue(axis, parameter, trial)),
    })),
    parameters: drawn.map((one) => ({
      axis: one.axis,
      importance: importance[one.parameter.name] ?? 0,
      varianceShare: model?.importance[one.parameter.name] ?? null,
      line: model === null ? [] : lineOf(model, one, sign),
    })),
    bestSoFar: bestSoFar(view),
    plane:
      model === null || x === undefined || y === undefined
        ? null
        : { x: x.axis.name, y: y.axis.name, grid: gridOf(model, x, y, sign) },
    gain: predictedGain(trials, finished === 0 ? 0 : spent / finished),
  };
}
