/** Draws one value from a distribution, and says which values a stepped or discrete one can take. */
import type { Distribution } from "../../protocol/space.ts";
import type { Value } from "../../protocol/value.ts";
import type { RandomStream } from "./random-stream.ts";

export function draw(distribution: Distribution, random: RandomStream): Value {
  switch (distribution.distribution) {
    case "constant":
      return distribution.value;
    case "choice":
      return drawChoice(distribution.values, distribution.weights, random);
    case "uniform":
      return clamp(quantise(between(distribution.min, distribution.max, random), distribution), distribution);
    case "log-uniform":
      return clamp(
        quantise(logBetween(distribution.min, distribution.max, random), distribution),
        distribution,
      );
    case "int":
      return clamp(
        wholeStep(distribution, between(distribution.min, distribution.max + 1, random)),
        distribution,
      );
    case "log-int":
      return clamp(
        wholeStep(distribution, logBetween(distribution.min, distribution.max + 1, random)),
        distribution,
      );
    case "normal":
      return quantise(distribution.mean + distribution.deviation * gaussian(random), distribution);
    case "log-normal":
      return quantise(Math.exp(distribution.mean + distribution.deviation * gaussian(random)), distribution);
  }
}

/** The values a distribution can take, in order, or null where they cannot be listed. */
export function listValues(distribution: Distribution): readonly Value[] | null {
  switch (distribution.distribution) {
    case "constant":
      return [distribution.value];
    case "choice":
      return distribution.values;
    case "int":
    case "log-int":
      return range(distribution.min, distribution.max, Math.max(1, Math.round(distribution.step ?? 1)));
    case "uniform":
      return distribution.step === undefined
        ? null
        : range(distribution.min, distribution.max, distribution.step);
    case "log-uniform":
    case "normal":
    case "log-normal":
      return null;
  }
}

function range(min: number, max: number, step: number): number[] {
  const count = Math.floor((max - min) / step + 1e-9) + 1;
  return Array.from({ length: count }, (_, index) => tidy(min + index * step));
}

function between(min: number, max: number, random: RandomStream): number {
  return min + (max - min) * random.next();
}

function logBetween(min: number, max: number, random: RandomStream): number {
  return Math.exp(between(Math.log(min), Math.log(max), random));
}

/** Box and Muller's transform; one of the pair is enough here. */
function gaussian(random: RandomStream): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

function quantise(value: number, { step }: { readonly step?: number | undefined }): number {
  return step === undefined ? value : tidy(Math.round(value / step) * step);
}

function wholeStep({ min, step }: { min: number; step?: number | undefined }, value: number): number {
  const whole = Math.max(1, Math.round(step ?? 1));
  return min + Math.floor((Math.floor(value) - min) / whole) * whole;
}

function clamp(value: number, { min, max }: { min: number; max: number }): number {
  return Math.min(max, Math.max(min, value));
}

/** Takes the binary dust off a multiple of a decimal step: 0.30000000000000004 becomes 0.3. */
function tidy(value: number): number {
  return Number(value.toPrecision(12));
}

function drawChoice(
  values: readonly Value[],
  weights: readonly number[] | undefined,
  random: RandomStream,
): Value {
  const total = weights === undefined ? values.length : weights.reduce((sum, weight) => sum + weight, 0);
  let left = random.next() * total;
  for (const [index, value] of values.entries()) {
    left -= weights?.[index] ?? (weights === undefined ? 1 : 0);
    if (left < 0) return value;
  }
  const last = values.at(-1);
  if (last === undefined) throw new Error("broken invariant: a choice without values");
  return last;
}
