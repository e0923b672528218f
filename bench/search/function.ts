/**
 * What the samplers search: five functions with known optima that peers are usually compared on, and two that look like
 * machine learning. Where each of the first five is from stands in docs/search.md.
 */
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";
import { numberIn, type BenchFunction } from "./bench-function.ts";
import { networkTree } from "./network-tree.ts";
import { noisyBoosting } from "./noisy-boosting.ts";

function cube(dimensions: number, min: number, max: number): Space {
  return Object.fromEntries(
    Array.from({ length: dimensions }, (_, at) => [`x${at}`, { distribution: "uniform" as const, min, max }]),
  );
}

function vector(params: Params): readonly number[] {
  return Object.keys(params).map((_, at) => numberIn(params, `x${at}`));
}

const branin2: BenchFunction = {
  name: "branin2",
  space: {
    a: { distribution: "uniform", min: -5, max: 10 },
    b: { distribution: "uniform", min: 0, max: 15 },
  },
  optimum: 0.397887,
  noise: 0,
  value(params) {
    const a = numberIn(params, "a");
    const b = numberIn(params, "b");
    const bend = b - (5.1 * a * a) / (4 * Math.PI ** 2) + (5 * a) / Math.PI - 6;
    return bend * bend + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10;
  },
};

const hartmannAlpha = [1, 1.2, 3, 3.2];
const hartmannA = [
  [10, 3, 17, 3.5, 1.7, 8],
  [0.05, 10, 17, 0.1, 8, 14],
  [3, 3.5, 1.7, 10, 17, 8],
  [17, 8, 0.05, 10, 0.1, 14],
];
const hartmannP = [
  [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
  [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
  [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.665],
  [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

const hartmann6: BenchFunction = {
  name: "hartmann6",
  space: cube(6, 0, 1),
  optimum: -3.32237,
  noise: 0,
  value(params) {
    const x = vector(params);
    return -hartmannAlpha.reduce((sum, alpha, row) => {
      const inner = x.reduce(
        (total, value, at) =>
          total + (hartmannA[row]?.[at] ?? 0) * (value - (hartmannP[row]?.[at] ?? 0)) ** 2,
        0,
      );
      return sum + alpha * Math.exp(-inner);
    }, 0);
  },
};

const rosenbrock4: BenchFunction = {
  name: "rosenbrock4",
  space: cube(4, -2.048, 2.048),
  optimum: 0,
  noise: 0,
  value: (params) => {
    const x = vector(params);
    return x.slice(0, -1).reduce((sum, value, at) => {
      const next = x[at + 1] ?? 0;
      return sum + 100 * (next - value * value) ** 2 + (1 - value) ** 2;
    }, 0);
  },
};

const ackley5: BenchFunction = {
  name: "ackley5",
  // Not centred, so that guessing the centre gains nothing.
  space: cube(5, -32.768, 28),
  optimum: 0,
  noise: 0,
  value(params) {
    const x = vector(params);
    const mean = (of: (value: number) => number) => x.reduce((sum, value) => sum + of(value), 0) / x.length;
    return (
      -20 * Math.exp(-0.2 * Math.sqrt(mean((value) => value * value))) -
      Math.exp(mean((value) => Math.cos(2 * Math.PI * value))) +
      20 +
      Math.E
    );
  },
};

const best = { sgd: -1, adam: -3, rms: -3.3 } as const;
const extra = { sgd: 0.05, adam: 0, rms: 0.1 } as const;

const mixedConditional: BenchFunction = {
  name: "mixed-conditional",
  space: {
    opt: { distribution: "choice", values: ["sgd", "adam", "rms"] },
    lr: { distribution: "log-uniform", min: 1e-5, max: 1 },
    bs: { distribution: "log-int", min: 16, max: 512 },
    wd: { distribution: "log-uniform", min: 1e-6, max: 1e-1 },
    layers: { distribution: "int", min: 1, max: 6 },
    momentum: { distribution: "uniform", min: 0, max: 0.99, when: { opt: "sgd" } },
    beta2: { distribution: "uniform", min: 0.9, max: 0.9999, when: { opt: { not: "sgd" } } },
  },
  optimum: 0,
  noise: 0,
  value(params) {
    const opt = params["opt"] === "sgd" ? "sgd" : params["opt"] === "adam" ? "adam" : "rms";
    const batch = numberIn(params, "bs") / 64;
    const rate = Math.log10(numberIn(params, "lr")) - best[opt] - 0.5 * Math.log10(batch);
    return (
      extra[opt] +
      0.3 * rate ** 2 +
      0.05 * (Math.log10(numberIn(params, "wd")) + 4) ** 2 +
      0.04 * (numberIn(params, "layers") - 4) ** 2 +
      (0.05 * Math.abs(Math.log2(batch))) / 3 +
      (opt === "sgd"
        ? 0.5 * (numberIn(params, "momentum") - 0.9) ** 2
        : 100 * (numberIn(params, "beta2") - 0.99) ** 2)
    );
  },
};

export const benchFunctions: readonly BenchFunction[] = [
  branin2,
  hartmann6,
  rosenbrock4,
  ackley5,
  mixedConditional,
  noisyBoosting,
  networkTree,
];

/** As in `benchFunctions`, but for its smoothness in 10 dimensions: what the proposal time is measured on. */
export const smoothTen: BenchFunction = {
  name: "smooth10",
  space: cube(10, -5, 5),
  optimum: 0,
  noise: 0,
  value: (params) => vector(params).reduce((sum, value, at) => sum + (value - at / 4) ** 2, 0),
};
