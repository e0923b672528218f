/**
 * A forest fitted to a sweep's trials: importances (fANOVA, Hutter 2014) and what one or two parameters do with the others
 * averaged out. Inactive parameters stand at the middle of their range or at the first choice, as in that paper.
 */
import { toUnit } from "../../search/space/axis.ts";
import type { Distribution } from "../../protocol/space.ts";
import type { Value } from "../../protocol/value.ts";
import type { ComparedTrial } from "./compared-trial.ts";
import { expectation, growForest, mainEffects, type Forest } from "./forest.ts";
import { isFixed, observedDomain, type Parameter } from "./insight-parameter.ts";
import type { Dimension } from "./regression-tree.ts";

/** A forest of more would take seconds; beyond it every so-many-th trial is taken. */
const trialsMost = 500;
export const modelTrialsLeast = 8;

interface Axis {
  readonly parameter: Parameter;
  readonly domain: Distribution;
  readonly dimension: Dimension;
}

export interface TrialModel {
  /** Importance by parameter, summing to 1. */
  readonly importance: Readonly<Record<string, number>>;
  /** The loss expected where these parameters have these values; null where a parameter is not in the model. */
  expected(at: Readonly<Record<string, Value>>): number | null;
}

/** Null while there are too few trials, or nothing but equal results. */
export function modelOfTrials(
  parameters: readonly Parameter[],
  trials: readonly ComparedTrial[],
  seed: number,
): TrialModel | null {
  const every = Math.ceil(trials.length / trialsMost);
  const seen = trials.filter((_, at) => at % every === 0);
  const losses = seen.map(({ loss }) => loss);
  if (seen.length < modelTrialsLeast || losses.every((loss) => loss === losses[0])) return null;
  const axes = parameters.filter((parameter) => !isFixed(parameter)).map(axisOf);
  if (axes.length === 0) return null;
  const rows = seen.map((trial) => axes.map((axis) => coordinate(axis, axis.parameter.valueIn(trial))));
  const forest = growForest(
    axes.map(({ dimension }) => dimension),
    rows,
    losses,
    seed,
  );
  return {
    importance: importanceOf(parameters, axes, forest),
    expected(at) {
      const chosen: number[] = [];
      const point: number[] = [];
      for (const [name, value] of Object.entries(at)) {
        const index = axes.findIndex(({ parameter }) => parameter.name === name);
        const axis = axes[index];
        if (axis === undefined) return null;
        chosen.push(index);
        point.push(coordinate(axis, value));
      }
      return expectation(forest, chosen, point);
    },
  };
}

function importanceOf(
  parameters: readonly Parameter[],
  axes: readonly Axis[],
  forest: Forest,
): Readonly<Record<string, number>> {
  const effects = mainEffects(forest);
  const sum = effects.reduce((total, effect) => total + effect, 0);
  const share = (name: string) => {
    const effect = effects[axes.findIndex(({ parameter }) => parameter.name === name)] ?? 0;
    return sum > 0 ? effect / sum : 0;
  };
  return Object.fromEntries(parameters.map(({ name }) => [name, share(name)]));
}

/** Where models give a parameter different domains, the one that its values span together. */
function axisOf(parameter: Parameter): Axis {
  const [only, ...others] = parameter.regimes;
  const domain =
    only !== undefined && others.length === 0
      ? only.domain
      : observedDomain(
          parameter.regimes.flatMap(({ trials }) =>
            trials.flatMap((trial) => parameter.valueIn(trial) ?? []),
          ),
        );
  const dimension: Dimension =
    domain.distribution === "choice"
      ? { kind: "choice", choices: new Set(domain.values).size }
      : { kind: "number" };
  return { parameter, domain, dimension };
}

function coordinate({ domain }: Axis, value: Value | undefined): number {
  if (domain.distribution === "choice") {
    return value === undefined ? 0 : Math.max(0, [...new Set(domain.values)].indexOf(value));
  }
  return value === undefined ? 0.5 : toUnit(domain, value);
}
