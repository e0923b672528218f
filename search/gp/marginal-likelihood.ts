/**
 * The log posterior density of the hyperparameters: marginal likelihood of standardised values under the kernel, plus
 * the priors. Rasmussen and Williams, Gaussian Processes for Machine Learning, section 5.4.1. Variables are logarithms:
 * one per weight, then the scale, then the noise above its floor.
 */
import { factorise, invert, solveLower, solveUpper } from "../../numeric/cholesky.ts";
import type { Frame } from "./frame.ts";
import { difference, type Kernel } from "./covariance.ts";
import type { Smooth } from "./minimise.ts";

/** The least variance of the noise, for a factor that stays positive definite. */
const noiseMin = 1e-6;
const root5 = Math.sqrt(5);

/** −(0.1/w + 0.1w) per weight; Gamma(2, 1) for the scale; Gamma(1.1, 30) for the noise: Optuna 5's `_gp/prior.py`. */
const prior = { weight: 0.1, scaleShape: 2, scaleRate: 1, noiseShape: 1.1, noiseRate: 30 };

export function kernelOf(variables: Float64Array): Kernel {
  const size = variables.length - 2;
  return {
    weights: variables.slice(0, size).map((value) => Math.exp(value)),
    scale: Math.exp(variables[size] ?? 0),
    noise: Math.exp(variables[size + 1] ?? 0) + noiseMin,
  };
}

export function variablesOf({ noise, scale, weights }: Kernel): Float64Array {
  const variables = new Float64Array(weights.length + 2);
  variables.set(weights.map((weight) => Math.log(weight)));
  variables[weights.length] = Math.log(scale);
  variables[weights.length + 1] = Math.log(Math.max(noise - noiseMin, 0.01 * noiseMin));
  return variables;
}

/** The negative of the density, up to a constant, as a function to minimise. `rows` holds the points one after another. */
export function negativeLogPosterior(frame: Frame, rows: Float64Array, values: Float64Array): Smooth {
  const { size } = frame;
  const count = values.length;
  const apart = differences(frame, rows, count);
  const factor = new Float64Array(count * count);
  const inverse = new Float64Array(count * count);
  const scratch = new Float64Array(count * count);
  const slopes = new Float64Array((count * (count - 1)) / 2);
  const solved = new Float64Array(count);
  return (variables, gradient) => {
    const { noise, scale, weights } = kernelOf(variables);
    let pair = 0;
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < row; column++, pair++) {
        let squared = 0;
        for (let at = 0, from = pair * size; at < size; at++)
          squared += (weights[at] ?? 0) * (apart[from + at] ?? 0);
        const r = root5 * Math.sqrt(squared);
        const decay = scale * Math.exp(-r);
        factor[row * count + column] = (1 + r + (5 / 3) * squared) * decay;
        slopes[pair] = (-5 / 6) * (1 + r) * decay;
      }
      factor[row * count + row] = scale + noise;
    }
    if (!factorise(factor, count, count)) return Infinity;
    solved.set(values);
    solveLower(factor, count, count, solved);
    let fit = 0;
    for (let row = 0; row < count; row++)
      fit -= 0.5 * (solved[row] ?? 0) ** 2 + Math.log(factor[row * count + row] ?? 1);
    solveUpper(factor, count, count, solved);
    invert(factor, count, count, inverse, scratch);

    gradient.fill(0);
    let trace = 0;
    pair = 0;
    for (let row = 0; row < count; row++) {
      const own = solved[row] ?? 0;
      for (let column = 0; column < row; column++, pair++) {
        const pull = own * (solved[column] ?? 0) - (inverse[row * count + column] ?? 0);
        const slope = pull * (slopes[pair] ?? 0);
        for (let at = 0, from = pair * size; at < size; at++)
          gradient[at] = (gradient[at] ?? 0) + slope * (apart[from + at] ?? 0);
      }
      trace += own * own - (inverse[row * count + row] ?? 0);
    }
    // The scale's part without a sum of its own: K = C − noise·I, and αᵀCα − tr(C⁻¹C) = αᵀy − n.
    let matched = 0;
    for (let row = 0; row < count; row++) matched += (solved[row] ?? 0) * (values[row] ?? 0);
    const scaleSlope = 0.5 * (matched - count - noise * trace);
    const noiseSlope = 0.5 * trace * (noise - noiseMin);

    for (let at = 0; at < size; at++) {
      const weight = weights[at] ?? 1;
      fit -= prior.weight * (1 / weight + weight);
      gradient[at] = -((gradient[at] ?? 0) * weight + prior.weight * (1 / weight - weight));
    }
    fit += (prior.scaleShape - 1) * Math.log(scale) - prior.scaleRate * scale;
    fit += (prior.noiseShape - 1) * Math.log(noise) - prior.noiseRate * noise;
    gradient[size] = -(scaleSlope + prior.scaleShape - 1 - prior.scaleRate * scale);
    gradient[size + 1] = -(
      noiseSlope +
      ((prior.noiseShape - 1) / noise - prior.noiseRate) * (noise - noiseMin)
    );
    return -fit;
  };
}

/** Squared differences of every pair of rows, coordinate by coordinate. */
function differences(frame: Frame, rows: Float64Array, count: number): Float64Array {
  const { size } = frame;
  const apart = new Float64Array(((count * (count - 1)) / 2) * size);
  let to = 0;
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < row; column++) {
      for (let at = 0; at < size; at++, to++) {
        apart[to] = difference(frame, at, rows[row * size + at] ?? 0, rows[column * size + at] ?? 0);
      }
    }
  }
  return apart;
}
