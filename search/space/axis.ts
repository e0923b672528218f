/**
 * A distribution as an axis from 0 to 1: its quantile function and back, with the stretch of the axis that each
 * value of a stepped or discrete one owns. No randomness here; samplers bring their own numbers.
 */
import type { Distribution } from "../../protocol/space.ts";
import type { Value } from "../../protocol/value.ts";
import { betaCumulative, betaQuantile } from "../../numeric/beta-law.ts";
import { indexOn, latticeOf, logEnds, onLattice, tidy, type Numeric } from "./lattice.ts";
import { normalCumulative, normalQuantile } from "../../numeric/normal-law.ts";

/** A normal's quantiles stop here, about six deviations from its mean. */
const tail = 1e-9;

/** A stretch of the axis; `low` equals `high` for a value of a continuous distribution. */
export interface Cell {
  readonly low: number;
  readonly high: number;
}

/** The value at `u` (0 to 1) of the distribution's quantile function, within its bounds and on its steps. */
export function fromUnit(distribution: Distribution, u: number): Value {
  const at = Math.min(1, Math.max(0, u));
  switch (distribution.distribution) {
    case "constant":
      return distribution.value;
    case "choice":
      return choiceAt(distribution, at);
    case "uniform":
    case "int": {
      const lattice = latticeOf(distribution);
      if (lattice !== null) return onLattice(lattice, Math.floor(at * lattice.count));
      return within(distribution, along(distribution, at));
    }
    case "log-uniform":
    case "log-int": {
      const lattice = latticeOf(distribution);
      const [low, high] = logEnds(distribution, lattice);
      const value = Math.exp(low + (high - low) * at);
      if (lattice !== null) return onLattice(lattice, Math.round((value - lattice.min) / lattice.step));
      return within(distribution, value);
    }
    case "normal":
    case "log-normal": {
      const z = normalQuantile(Math.min(1 - tail, Math.max(tail, at)));
      const plain = distribution.mean + distribution.deviation * z;
      const value = distribution.distribution === "normal" ? plain : Math.exp(plain);
      return multipleOf(distribution.step, value);
    }
    case "beta":
      return multipleOf(distribution.step, betaQuantile(distribution.a, distribution.b, at));
    case "quantised": {
      const [low, high] = quantisedEnds(distribution);
      const plain = low + (high - low) * at;
      const { first, last } = multiplesOf(distribution);
      const index = Math.round((distribution.log === true ? Math.exp(plain) : plain) / distribution.step);
      return tidy(Math.min(last, Math.max(first, index)) * distribution.step);
    }
  }
}

/** Where a value stands on the axis: the centre of its cell. */
export function toUnit(distribution: Distribution, value: Value): number {
  const { high, low } = cellOf(distribution, value);
  return (low + high) / 2;
}

/** The stretch of the axis that `fromUnit` maps to this value. A value the distribution cannot take is moved to the nearest it can. */
export function cellOf(distribution: Distribution, value: Value): Cell {
  switch (distribution.distribution) {
    case "constant":
      return { low: 0, high: 1 };
    case "choice":
      return choiceCell(distribution, value);
    case "uniform":
    case "int": {
      const lattice = latticeOf(distribution);
      const x = Number(value);
      if (lattice !== null) {
        const index = indexOn(lattice, x);
        return { low: index / lattice.count, high: (index + 1) / lattice.count };
      }
      return point(shareAlong(distribution, x));
    }
    case "log-uniform":
    case "log-int": {
      const lattice = latticeOf(distribution);
      const [low, high] = logEnds(distribution, lattice);
      const share = (x: number) => (high > low ? (Math.log(x) - low) / (high - low) : Number.NaN);
      const x = Number(value);
      if (lattice === null) return point(share(x));
      const index = indexOn(lattice, x);
      const centre = lattice.min + index * lattice.step;
      return {
        low: index === 0 ? 0 : share(centre - lattice.step / 2),
        high: index === lattice.count - 1 ? 1 : share(centre + lattice.step / 2),
      };
    }
    case "normal":
    case "log-normal": {
      const { deviation, mean, step } = distribution;
      const plain = (x: number) =>
        distribution.distribution === "normal" ? x : x > 0 ? Math.log(x) : -Infinity;
      const share = (x: number) => normalCumulative((plain(x) - mean) / deviation);
      const x = Number(value);
      if (step === undefined) return point(share(x));
      return { low: share(x - step / 2), high: share(x + step / 2) };
    }
    case "beta": {
      const { a, b, step } = distribution;
      const x = Number(value);
      if (step === undefined) return point(betaCumulative(a, b, x));
      return { low: betaCumulative(a, b, x - step / 2), high: betaCumulative(a, b, x + step / 2) };
    }
    case "quantised": {
      const { log, step } = distribution;
      const [low, high] = quantisedEnds(distribution);
      const plain = (x: number) => (log === true ? (x > 0 ? Math.log(x) : -Infinity) : x);
      const share = (x: number) => Math.min(1, Math.max(0, (plain(x) - low) / (high - low)));
      const { first, last } = multiplesOf(distribution);
      const index = Math.round(Number(value) / step);
      const inside = Number.isFinite(index) ? Math.min(last, Math.max(first, index)) : first;
      if (last === first) return { low: 0, high: 1 };
      return { low: share((inside - 0.5) * step), high: share((inside + 0.5) * step) };
    }
  }
}

/** How many distinct values a distribution can take; null where it is continuous or has no end. */
export function levels(distribution: Distribution): number | null {
  switch (distribution.distribution) {
    case "constant":
      return 1;
    case "choice":
      return taken(distribution).length;
    case "normal":
    case "log-normal":
    case "beta":
      return null;
    case "quantised": {
      const { first, last } = multiplesOf(distribution);
      return last - first + 1;
    }
    default:
      return latticeOf(distribution)?.count ?? null;
  }
}

/** The value of this index among the `levels` in their order; undefined beyond them. A choice of weight 0 is never taken. */
export function nth(distribution: Distribution, index: number): Value | undefined {
  switch (distribution.distribution) {
    case "constant":
      return index === 0 ? distribution.value : undefined;
    case "choice":
      return taken(distribution)[index];
    case "normal":
    case "log-normal":
    case "beta":
      return undefined;
    case "quantised": {
      const { first, last } = multiplesOf(distribution);
      return first + index > last ? undefined : tidy((first + index) * distribution.step);
    }
    default: {
      const lattice = latticeOf(distribution);
      return lattice === null || index >= lattice.count ? undefined : onLattice(lattice, index);
    }
  }
}

/** All the values a distribution can take, in order; null where `levels` is null. */
export function listed(distribution: Distribution): readonly Value[] | null {
  const count = levels(distribution);
  if (count === null) return null;
  const values: Value[] = [];
  for (let index = 0; index < count; index++) {
    const value = nth(distribution, index);
    if (value !== undefined) values.push(value);
  }
  return values;
}

type Quantised = Extract<Distribution, { readonly distribution: "quantised" }>;
type Choice = Extract<Distribution, { readonly distribution: "choice" }>;

function within({ max, min }: Numeric, value: number): number {
  return Math.min(max, Math.max(min, value));
}

/** Of a range as wide as numbers go, of which the width itself is none. */
function along({ max, min }: Numeric, share: number): number {
  const width = max - min;
  return Number.isFinite(width) ? min + width * share : min * (1 - share) + max * share;
}

function shareAlong({ max, min }: Numeric, x: number): number {
  const width = max - min;
  return Number.isFinite(width) ? (x - min) / width : (x / 2 - min / 2) / (max / 2 - min / 2);
}

function point(u: number): Cell {
  const at = Number.isNaN(u) ? 0.5 : Math.min(1, Math.max(0, u));
  return { low: at, high: at };
}

function quantisedEnds({ log, max, min }: Quantised): readonly [number, number] {
  return log === true ? [Math.log(min), Math.log(max)] : [min, max];
}

/** The first and last multiple of the step that a number between min and max is nearest to. */
function multiplesOf({ max, min, step }: Quantised): { readonly first: number; readonly last: number } {
  const first = Math.round(min / step);
  return { first, last: Math.max(first, Math.ceil(max / step - 0.5 - 1e-9)) };
}

function multipleOf(step: number | undefined, value: number): number {
  return step === undefined ? value : tidy(Math.round(value / step) * step);
}

function taken(distribution: Choice): readonly Value[] {
  return [...new Set(distribution.values.filter((_, index) => weightAt(distribution, index) > 0))];
}

function weightAt({ weights }: Choice, index: number): number {
  return weights === undefined ? 1 : (weights[index] ?? 0);
}

function totalWeight(distribution: Choice): number {
  const { values, weights } = distribution;
  return weights === undefined ? values.length : weights.reduce((sum, weight) => sum + weight, 0);
}

function choiceAt(distribution: Choice, u: number): Value {
  let left = u * totalWeight(distribution);
  let last: Value | undefined;
  for (const [index, value] of distribution.values.entries()) {
    const weight = weightAt(distribution, index);
    if (weight <= 0) continue;
    left -= weight;
    last = value;
    if (left < 0) return value;
  }
  if (last === undefined) throw new Error("broken invariant: a choice without a value of positive weight");
  return last;
}

function choiceCell(distribution: Choice, value: Value): Cell {
  const total = totalWeight(distribution);
  let before = 0;
  for (const [index, candidate] of distribution.values.entries()) {
    const weight = weightAt(distribution, index);
    if (candidate === value) return { low: before / total, high: (before + weight) / total };
    before += weight;
  }
  return { low: 0, high: 1 };
}
