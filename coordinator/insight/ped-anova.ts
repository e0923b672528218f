/**
 * How much each parameter decided whether a trial was among the best: PED-ANOVA (Watanabe et al. 2023, arXiv 2304.10255),
 * with its extension to parameters that exist under a condition (arXiv 2601.20800). Optuna's default, to its settings.
 */
import type { Distribution } from "../../protocol/space.ts";
import { toUnit } from "../../search/space/axis.ts";
import type { Value } from "../../protocol/value.ts";
import type { ComparedTrial } from "./compared-trial.ts";
import { isFixed, type Parameter } from "./insight-parameter.ts";
import { densityOnChoice, densityOnLine } from "./scott-parzen.ts";

/** The share of the trials that counts as the best. */
const bestShare = 0.1;
const gridCells = 50;
/** A domain that fewer trials drew from tells nothing. */
const regimeTrialsLeast = 2;
const densityLeast = 1e-12;

/** Importance by parameter, from 0 to 1, summing to 1; all 0 where nothing can be said yet. */
export function pedAnova(
  parameters: readonly Parameter[],
  trials: readonly ComparedTrial[],
): Readonly<Record<string, number>> {
  const best = bestOf(trials);
  const raw = parameters.map(
    (parameter) => [parameter.name, divergence(parameter, best, trials.length)] as const,
  );
  const sum = raw.reduce((total, [, value]) => total + value, 0);
  return Object.fromEntries(raw.map(([name, value]) => [name, sum > 0 ? value / sum : 0]));
}

/** All that are as good as the last of the best tenth. */
function bestOf(trials: readonly ComparedTrial[]): ReadonlySet<ComparedTrial> {
  const losses = trials.map(({ loss }) => loss).toSorted((a, b) => a - b);
  const cut = losses[Math.ceil(bestShare * losses.length) - 1] ?? -Infinity;
  return new Set(trials.filter(({ loss }) => loss <= cut));
}

function divergence(parameter: Parameter, best: ReadonlySet<ComparedTrial>, all: number): number {
  if (isFixed(parameter) || best.size === 0 || best.size === all) return 0;
  let sum = 0;
  for (const { domain, trials } of parameter.regimes) {
    const bestHere = trials.filter((trial) => best.has(trial));
    if (trials.length < regimeTrialsLeast || bestHere.length === 0) continue;
    const density = (of: readonly ComparedTrial[]) =>
      densityOn(
        domain,
        of.flatMap((trial) => parameter.valueIn(trial) ?? []),
      );
    const among = density(trials);
    const pearson = density(bestHere).reduce((total, top, cell) => {
      const local = (among[cell] ?? 0) + densityLeast;
      return total + local * ((top + densityLeast) / local - 1) ** 2;
    }, 0);
    const shareOfBest = bestHere.length / best.size;
    const shareOfAll = trials.length / all;
    sum += (shareOfBest ** 2 / shareOfAll) * pearson;
  }
  return sum * (best.size / all) ** 2;
}

function densityOn(domain: Distribution, values: readonly Value[]): readonly number[] {
  if (domain.distribution === "choice") {
    const choices = [...new Set(domain.values)];
    return densityOnChoice(choices.map((choice) => values.filter((value) => value === choice).length));
  }
  const cells = cellsOf(domain);
  const counts = Array.from({ length: cells }, () => 0);
  for (const value of values) {
    // A value half way between two cells goes to the lower.
    const cell = Math.ceil(shareOf(domain, Number(value)) * (cells - 1) - 0.5);
    const inside = Math.min(cells - 1, Math.max(0, cell));
    counts[inside] = (counts[inside] ?? 0) + 1;
  }
  return densityOnLine(counts);
}

function cellsOf(domain: Distribution): number {
  if (!("min" in domain)) return gridCells;
  const { max, min } = domain;
  if (domain.distribution === "log-int") {
    return Math.min(Math.ceil(Math.log2(max - min + 1)) + 1, gridCells);
  }
  const step = domain.step ?? (domain.distribution === "int" ? 1 : undefined);
  return step === undefined ? gridCells : Math.min(Math.round((max - min) / step) + 1, gridCells);
}

/** Where between the ends of its domain a number stands, 0 to 1, on the domain's own scale. */
function shareOf(domain: Distribution, value: number): number {
  if (!("min" in domain)) return toUnit(domain, value);
  const log =
    domain.distribution === "log-uniform" ||
    domain.distribution === "log-int" ||
    (domain.distribution === "quantised" && domain.log === true);
  const [low, high, at] = log
    ? [Math.log(domain.min), Math.log(domain.max), Math.log(value)]
    : [domain.min, domain.max, value];
  return high > low ? (at - low) / (high - low) : 0;
}
