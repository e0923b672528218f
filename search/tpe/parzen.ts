/**
 * A Parzen estimator over some parameters: a mixture with one kernel per observed trial and one for the prior, each the
 * product of truncated normals on the unit axis or of weighted choices. Widths and weights as in Optuna 5 (Watanabe 2023).
 */
import type { Distribution } from "../../protocol/space.ts";
import { putValue, valueIn, type Params, type Value } from "../../protocol/value.ts";
import { cellOf, fromUnit, toUnit } from "../space/axis.ts";
import { normalCumulative, normalQuantile } from "../../numeric/normal-law.ts";
import { logSumExp } from "../../numeric/softmax.ts";
import type { RandomStream } from "../space/random-stream.ts";

export interface Dimension {
  readonly name: string;
  readonly distribution: Distribution;
}

export interface Parzen {
  sample(random: RandomStream): Params;
  /** Log density of each trial; densities of stepped and discrete parameters are probabilities of their cells. */
  logDensity(candidates: readonly Params[]): Float64Array;
}

const priorWeight = 1;
/** Trials this many from the newest count in full; older ones on a ramp. */
const fullWeightTrials = 25;
const kernelsPerRangeMax = 100;

/** `observed`: trials from oldest to newest, each with all of the dimensions. */
export function parzenOf(dimensions: readonly Dimension[], observed: readonly Params[]): Parzen {
  const weights = mixtureWeights(observed.length);
  const logWeights = weights.map(Math.log);
  const axes = dimensions.map((dimension) => {
    const values = observed.map((params) => valueIn(params, dimension.name) ?? "");
    return dimension.distribution.distribution === "choice"
      ? choiceAxis(dimension, dimension.distribution, values)
      : numberAxis(dimension, values);
  });

  return {
    sample(random) {
      let kernel = 0;
      let left = random.next();
      while (kernel < weights.length - 1 && left >= (weights[kernel] ?? 0)) {
        left -= weights[kernel] ?? 0;
        kernel++;
      }
      const params: Record<string, Value> = {};
      for (const axis of axes) putValue(params, axis.name, axis.sample(kernel, random));
      return params;
    },

    logDensity(candidates) {
      const densities = new Float64Array(candidates.length);
      const sums = new Float64Array(weights.length);
      for (const [index, params] of candidates.entries()) {
        sums.set(logWeights);
        for (const axis of axes) axis.addLogDensity(valueIn(params, axis.name) ?? "", sums);
        densities[index] = logSumExp(sums);
      }
      return densities;
    },
  };
}

interface Axis {
  readonly name: string;
  sample(kernel: number, random: RandomStream): Value;
  /** Adds every kernel's log density of the value. */
  addLogDensity(value: Value, sums: Float64Array): void;
}

/** Kernels on the unit axis: centres at the values, widths by the gap to the farther neighbour, the prior last. */
function numberAxis({ distribution, name }: Dimension, values: readonly Value[]): Axis {
  const count = values.length;
  const centres = new Float64Array(count + 1);
  for (const [index, value] of values.entries()) centres[index] = toUnit(distribution, value);
  centres[count] = 0.5;
  const widths = widthsOf(centres.subarray(0, count));
  const lowest = new Float64Array(count + 1);
  const mass = new Float64Array(count + 1);
  const logScale = new Float64Array(count + 1);
  for (let kernel = 0; kernel <= count; kernel++) {
    const centre = centres[kernel] ?? 0.5;
    const width = widths[kernel] ?? 1;
    const low = normalCumulative(-centre / width);
    lowest[kernel] = low;
    mass[kernel] = normalCumulative((1 - centre) / width) - low;
    logScale[kernel] = -Math.log((mass[kernel] ?? 1) * width * Math.sqrt(2 * Math.PI));
  }
  return {
    name,
    sample(kernel, random) {
      const p = (lowest[kernel] ?? 0) + (mass[kernel] ?? 1) * random.next();
      return fromUnit(distribution, (centres[kernel] ?? 0.5) + (widths[kernel] ?? 1) * normalQuantile(p));
    },
    addLogDensity(value, sums) {
      const { high, low } = cellOf(distribution, value);
      if (high <= low) {
        for (let kernel = 0; kernel < sums.length; kernel++) {
          const z = (low - (centres[kernel] ?? 0.5)) / (widths[kernel] ?? 1);
          sums[kernel] = (sums[kernel] ?? 0) + (logScale[kernel] ?? 0) - 0.5 * z * z;
        }
        return;
      }
      for (let kernel = 0; kernel < sums.length; kernel++) {
        const centre = centres[kernel] ?? 0.5;
        const width = widths[kernel] ?? 1;
        const share = normalMass((low - centre) / width, (high - centre) / width) / (mass[kernel] ?? 1);
        sums[kernel] = (sums[kernel] ?? 0) + Math.log(share);
      }
    },
  };
}

/** The prior's width is the whole axis. One observation has the axis' ends for neighbours; with more, the outermost do not. */
function widthsOf(centres: Float64Array): Float64Array {
  const count = centres.length;
  const narrowest = 1 / Math.min(kernelsPerRangeMax, count + 2);
  const widths = new Float64Array(count + 1).fill(1);
  const order = Array.from(centres.keys()).toSorted((a, b) => (centres[a] ?? 0) - (centres[b] ?? 0));
  for (const [place, index] of order.entries()) {
    const centre = centres[index] ?? 0;
    const below = order[place - 1];
    const above = order[place + 1];
    const toLower = below === undefined ? (count > 1 ? 0 : centre) : centre - (centres[below] ?? 0);
    const toUpper = above === undefined ? (count > 1 ? 0 : 1 - centre) : (centres[above] ?? 1) - centre;
    widths[index] = Math.min(1, Math.max(narrowest, toLower, toUpper));
  }
  return widths;
}

type Choice = Extract<Distribution, { readonly distribution: "choice" }>;

/** Each kernel favours its own value; all share the prior's weight, spread as the distribution's own weights. */
function choiceAxis({ name }: Dimension, choice: Choice, values: readonly Value[]): Axis {
  const kernels = values.length + 1;
  const { weights } = choice;
  const total = weights?.reduce((sum, weight) => sum + weight, 0) ?? 1;
  const prior = choice.values.map((_, index) =>
    weights === undefined ? 1 : ((weights[index] ?? 0) * choice.values.length) / total,
  );
  const spread = priorWeight / kernels;
  const rowTotal = 1 + spread * choice.values.length;
  const indices = new Map(choice.values.map((value, index) => [value, index] as const));
  const own = values.map((value) => indices.get(value) ?? -1);
  const probability = (kernel: number, index: number) =>
    kernel === kernels - 1
      ? (prior[index] ?? 0) / choice.values.length
      : ((own[kernel] === index ? 1 : 0) + spread * (prior[index] ?? 0)) / rowTotal;
  return {
    name,
    sample(kernel, random) {
      const isOwn = kernel < kernels - 1 && random.next() * rowTotal < 1;
      return (isOwn ? values[kernel] : undefined) ?? fromUnit(choice, random.next());
    },
    addLogDensity(value, sums) {
      const index = indices.get(value) ?? -1;
      const other = Math.log((spread * (prior[index] ?? 0)) / rowTotal);
      const same = Math.log((1 + spread * (prior[index] ?? 0)) / rowTotal);
      for (let kernel = 0; kernel < kernels - 1; kernel++) {
        sums[kernel] = (sums[kernel] ?? 0) + (own[kernel] === index ? same : other);
      }
      sums[kernels - 1] = (sums[kernels - 1] ?? 0) + Math.log(probability(kernels - 1, index));
    },
  };
}

/** One per trial from oldest to newest and one for the prior, summing to 1. */
function mixtureWeights(count: number): Float64Array {
  const weights = new Float64Array(count + 1);
  const ramp = count - fullWeightTrials;
  for (let index = 0; index < count; index++) {
    const share = ramp <= 1 ? 1 / count : 1 / count + ((1 - 1 / count) * index) / (ramp - 1);
    weights[index] = index < ramp ? share : 1;
  }
  weights[count] = priorWeight;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Probability between two standard deviations, taken on the side where it is not a difference of ones. */
function normalMass(low: number, high: number): number {
  return low > 0
    ? normalCumulative(-low) - normalCumulative(-high)
    : normalCumulative(high) - normalCumulative(low);
}
