/**
 * A stand-in for tuning gradient boosting: ten parameters of which three matter and two hang together, log scales and
 * whole numbers, and a validation error with noise. Chosen because the five functions of the literature here are
 * exact and every parameter of theirs matters; real sweeps are neither. Not fitted to any measurement.
 */
import type { Params } from "../../protocol/value.ts";
import { numberIn, type BenchFunction } from "./bench-function.ts";

/** The learning rate times the number of trees that is best, as a power of ten: a rate of 0.05 with 400 trees. */
const bestProduct = Math.log10(0.05 * 400);

export const noisyBoosting: BenchFunction = {
  name: "noisy-boosting10",
  space: {
    rate: { distribution: "log-uniform", min: 1e-3, max: 1 },
    trees: { distribution: "log-int", min: 10, max: 2000 },
    depth: { distribution: "int", min: 1, max: 12 },
    rowShare: { distribution: "uniform", min: 0.3, max: 1 },
    columnShare: { distribution: "uniform", min: 0.3, max: 1 },
    leafWeight: { distribution: "log-uniform", min: 1e-2, max: 1e2 },
    l1: { distribution: "log-uniform", min: 1e-6, max: 10 },
    l2: { distribution: "log-uniform", min: 1e-6, max: 10 },
    leastGain: { distribution: "uniform", min: 0, max: 5 },
    bins: { distribution: "log-int", min: 16, max: 1024 },
  },
  optimum: 0,
  noise: 0.01,
  value(params: Params) {
    const of = (name: string) => numberIn(params, name);
    const log = (name: string) => Math.log10(of(name));
    const product = log("rate") + log("trees") - bestProduct;
    return (
      // Too little training costs more than too much.
      0.12 * product ** 2 * (product < 0 ? 1.5 : 0.6) +
      0.02 * Math.max(0, log("rate") + 1) +
      0.008 * (of("depth") - 6) ** 2 +
      0.1 * (of("rowShare") - 0.8) ** 2 +
      0.05 * (of("columnShare") - 0.7) ** 2 +
      0.01 * log("leafWeight") ** 2 +
      0.002 * (log("l2") + 1) ** 2 +
      0.004 * of("leastGain") * (of("depth") > 6 ? 0.2 : 1)
    );
  },
};
