/**
 * CMA-ES's own arithmetic: the state of one search distribution on the unit cube, and its update by one ranked
 * generation (weights and rates from Hansen's tutorial, 2023). Sampling uses the covariance's Cholesky factor, which
 * also stands in for its square root in the step-size path (Krause et al. 2016). Knows neither trials nor parameters.
 */
import { factorInOrder, solveInOrder } from "../../numeric/ordered-cholesky.ts";

export interface CmaState {
  readonly mean: Float64Array;
  /** Step size, in widths of the unit axis. */
  readonly sigma: number;
  /** Row by row, d × d. */
  readonly covariance: Float64Array;
  /** Lower triangle L with L·Lᵀ the covariance. */
  readonly factor: Float64Array;
  /** Extra scale per axis, which keeps whole numbers moving; 1 elsewhere. */
  readonly stretch: Float64Array;
  readonly sigmaPath: Float64Array;
  readonly covariancePath: Float64Array;
  readonly generation: number;
}

export interface CmaRates {
  readonly lambda: number;
  /** Recombination weights of the best half, positive, summing to 1. */
  readonly weights: readonly number[];
  readonly effective: number;
  readonly sigmaRate: number;
  readonly damping: number;
  readonly pathRate: number;
  readonly rankOneRate: number;
  readonly rankMuRate: number;
  /** Expected length of a standard normal vector. */
  readonly expectedLength: number;
}

/** λ = 4 + ⌊3 ln d⌋, the usual population. */
export function populationOf(dimensions: number): number {
  return 4 + Math.floor(3 * Math.log(dimensions));
}

export function ratesOf(dimensions: number, lambda: number): CmaRates {
  const raw = Array.from(
    { length: Math.floor(lambda / 2) },
    (_, rank) => Math.log((lambda + 1) / 2) - Math.log(rank + 1),
  );
  const sum = raw.reduce((total, weight) => total + weight, 0);
  const weights = raw.map((weight) => weight / sum);
  const effective = 1 / weights.reduce((total, weight) => total + weight * weight, 0);
  const d = dimensions;
  const sigmaRate = (effective + 2) / (d + effective + 5);
  const rankOneRate = 2 / ((d + 1.3) ** 2 + effective);
  return {
    lambda,
    weights,
    effective,
    sigmaRate,
    damping: 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (d + 1)) - 1) + sigmaRate,
    pathRate: (4 + effective / d) / (d + 4 + (2 * effective) / d),
    rankOneRate,
    rankMuRate: Math.min(
      1 - rankOneRate,
      (2 * (0.25 + effective - 2 + 1 / effective)) / ((d + 2) ** 2 + effective),
    ),
    expectedLength: Math.sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d)),
  };
}

export function initialState(mean: Float64Array, sigma: number): CmaState {
  const d = mean.length;
  const identity = new Float64Array(d * d);
  for (let i = 0; i < d; i++) identity[i * d + i] = 1;
  return {
    mean,
    sigma,
    covariance: identity,
    factor: identity,
    stretch: new Float64Array(d).fill(1),
    sigmaPath: new Float64Array(d),
    covariancePath: new Float64Array(d),
    generation: 0,
  };
}

/** mean + σ · stretch · L · z, for a vector of standard normal numbers. */
export function sampleAt(state: CmaState, z: Float64Array): Float64Array {
  const d = z.length;
  const x = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    let y = 0;
    for (let j = 0; j <= i; j++) y += (state.factor[i * d + j] ?? 0) * (z[j] ?? 0);
    x[i] = (state.mean[i] ?? 0) + state.sigma * (state.stretch[i] ?? 1) * y;
  }
  return x;
}

/** The state after a generation, its points given from best to worst; null where the numbers no longer hold together. */
export function updated(state: CmaState, rates: CmaRates, ranked: readonly Float64Array[]): CmaState | null {
  const d = state.mean.length;
  const { effective, pathRate, rankMuRate, rankOneRate, sigmaRate, weights } = rates;
  const steps = ranked.slice(0, weights.length).map((x) => stepTo(state, x, rates.expectedLength));
  const weightSum = weights.slice(0, steps.length).reduce((sum, weight) => sum + weight, 0);
  if (steps.length === 0 || weightSum <= 0) return state;

  const shift = new Float64Array(d);
  for (const [rank, step] of steps.entries()) {
    const weight = (weights[rank] ?? 0) / weightSum;
    for (let i = 0; i < d; i++) shift[i] = (shift[i] ?? 0) + weight * (step[i] ?? 0);
  }
  const mean = state.mean.map((m, i) =>
    clampToCube(m + state.sigma * (state.stretch[i] ?? 1) * (shift[i] ?? 0)),
  );

  const white = solveInOrder(state.factor, shift);
  const sigmaGain = Math.sqrt(sigmaRate * (2 - sigmaRate) * effective);
  const sigmaPath = state.sigmaPath.map((p, i) => (1 - sigmaRate) * p + sigmaGain * (white[i] ?? 0));
  const length = Math.hypot(...sigmaPath);
  const generation = state.generation + 1;
  const settled = Math.sqrt(1 - (1 - sigmaRate) ** (2 * generation));
  const isSteady = length / settled < (1.4 + 2 / (d + 1)) * rates.expectedLength;
  const pathGain = isSteady ? Math.sqrt(pathRate * (2 - pathRate) * effective) : 0;
  const covariancePath = state.covariancePath.map((p, i) => (1 - pathRate) * p + pathGain * (shift[i] ?? 0));

  const lost = isSteady ? 0 : pathRate * (2 - pathRate);
  const keep = 1 - rankOneRate - rankMuRate + rankOneRate * lost;
  const covariance = state.covariance.map((c) => keep * c);
  addOuter(covariance, covariancePath, rankOneRate);
  for (const [rank, step] of steps.entries())
    addOuter(covariance, step, (rankMuRate * (weights[rank] ?? 0)) / weightSum);

  const growth = (sigmaRate / rates.damping) * (length / rates.expectedLength - 1);
  const sigma = Math.min(sigmaMax, state.sigma * Math.exp(Math.min(1, growth)));
  const factor = factorInOrder(covariance, d);
  if (factor === null || !Number.isFinite(sigma)) return null;
  return {
    mean,
    sigma,
    covariance,
    factor,
    stretch: state.stretch,
    sigmaPath,
    covariancePath,
    generation,
  };
}

const sigmaMax = 1;
/** A step longer than this many expected lengths is shortened: its point was not drawn from this state (Hansen 2011). */
const injectedLengthMax = 3;

/** (x − mean) / σ / stretch, shortened where the point lies improbably far out. */
function stepTo(state: CmaState, x: Float64Array, expectedLength: number): Float64Array {
  const step = x.map((value, i) => (value - (state.mean[i] ?? 0)) / (state.sigma * (state.stretch[i] ?? 1)));
  const length = Math.hypot(...solveInOrder(state.factor, step));
  const longest = injectedLengthMax * expectedLength;
  return length > longest ? step.map((value) => (value * longest) / length) : step;
}

function clampToCube(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function addOuter(matrix: Float64Array, vector: Float64Array, weight: number): void {
  const d = vector.length;
  for (let i = 0; i < d; i++) {
    const scaled = weight * (vector[i] ?? 0);
    for (let j = 0; j < d; j++) matrix[i * d + j] = (matrix[i * d + j] ?? 0) + scaled * (vector[j] ?? 0);
  }
}
