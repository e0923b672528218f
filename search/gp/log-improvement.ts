/**
 * The logarithm of the expected improvement below a best value, for a normal belief, in a form that does not underflow
 * far from the best points: Ament and others, Unexpected Improvements to Expected Improvement for Bayesian
 * Optimization, 2023. Below z = -3 the ratio of the normal's tail to its density is a continued fraction.
 */
import { normalCumulative } from "../../numeric/normal-law.ts";
import type { Belief } from "./posterior.ts";

const logRoot2Pi = 0.5 * Math.log(2 * Math.PI);
const tailFrom = -3;
const fractionTerms = 40;

interface LogImprovement {
  readonly value: number;
  /** Derivatives by the belief's mean and variance. */
  readonly byMean: number;
  readonly byVariance: number;
}

export function logImprovement({ mean, variance }: Belief, best: number): LogImprovement {
  const deviation = Math.sqrt(variance);
  const z = (best - mean) / deviation;
  const { gradient, value } = logShape(z);
  return {
    value: value + Math.log(deviation),
    byMean: -gradient / deviation,
    byVariance: (1 - gradient * z) / (2 * variance),
  };
}

/** log(φ(z) + z Φ(z)) and its derivative. */
function logShape(z: number): { readonly value: number; readonly gradient: number } {
  const logDensity = -0.5 * z * z - logRoot2Pi;
  if (z > tailFrom) {
    const share = normalCumulative(z);
    const shape = Math.exp(logDensity) + z * share;
    return { value: Math.log(shape), gradient: share / shape };
  }
  // Φ/φ = 1/(t + c) with c = 1/(t + 2/(t + 3/(t + …))) at t = -z, so φ + zΦ = φ c/(t + c): no cancellation.
  const t = -z;
  let fraction = t;
  for (let term = fractionTerms; term >= 2; term--) fraction = t + term / fraction;
  const c = 1 / fraction;
  return { value: logDensity + Math.log(c / (t + c)), gradient: 1 / c };
}
