/** The Gaussian process itself: its algebra, its gradients, and its beliefs against numbers made elsewhere. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { factorise, invert, solveLower, solveLowerFour, solveUpper } from "../../numeric/cholesky.ts";
import { encode, frameOf, type Frame } from "../../search/gp/frame.ts";
import { fitKernel } from "../../search/gp/fit.ts";
import { matern, squaredDistance, type Kernel } from "../../search/gp/covariance.ts";
import { logImprovement } from "../../search/gp/log-improvement.ts";
import { kernelOf, negativeLogPosterior, variablesOf } from "../../search/gp/marginal-likelihood.ts";
import { minimise } from "../../search/gp/minimise.ts";
import { posteriorOf } from "../../search/gp/posterior.ts";
import { drawParams } from "../../search/sampler/random.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import type { Space } from "../../protocol/space.ts";

const square: Space = {
  a: { distribution: "uniform", min: 0, max: 1 },
  b: { distribution: "uniform", min: 0, max: 1 },
};
const mixed: Space = {
  optimizer: { distribution: "choice", values: ["sgd", "adam", "rms"] },
  rate: { distribution: "log-uniform", min: 1e-5, max: 1 },
  layers: { distribution: "int", min: 1, max: 9 },
  momentum: { distribution: "uniform", min: 0, max: 1, when: { optimizer: "sgd" } },
  decay: { distribution: "uniform", min: 0, max: 1, when: { layers: { min: 4 } } },
};

/** Points of random trials one after another, and made-up standardised values. */
function sample(frame: Frame, count: number, seed: number) {
  const rows = new Float64Array(count * frame.size);
  const values = new Float64Array(count);
  const problem = { space: frame.space, where: [], seed, trials: count, objectives: 1 };
  for (let row = 0; row < count; row++) {
    const random = randomStream(seed, "test", row);
    const resource = random.next();
    encode(
      frame,
      drawParams(problem, random),
      resource,
      rows.subarray(row * frame.size, (row + 1) * frame.size),
    );
    values[row] = 2 * random.next() - 1;
  }
  return { rows, values };
}

function close(actual: number, expected: number, tolerance: number, what: string) {
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  assert.ok(error <= tolerance, `${what}: ${actual}, expected ${expected}`);
}

describe("GP-1: factors", () => {
  const matrices = fc
    .tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 0, max: 1e6 }))
    .map(([size, seed]) => {
      const random = randomStream(seed, "matrix", 0);
      const root = Array.from({ length: size * size }, () => random.next() - 0.5);
      const stride = size + 2;
      const matrix = new Float64Array(stride * stride);
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++)
          for (let k = 0; k < size; k++) {
            const product = (root[row * size + k] ?? 0) * (root[column * size + k] ?? 0);
            const at = row * stride + column;
            matrix[at] = (matrix[at] ?? 0) + product + (row === column ? 0.1 / size : 0);
          }
      return { size, stride, matrix };
    });

  test("GP-1: a factor solves systems and inverts, whatever the size and the stride", () => {
    fc.assert(
      fc.property(matrices, ({ matrix, size, stride }) => {
        const factor = matrix.slice();
        assert.ok(factorise(factor, size, stride));
        const x = Float64Array.from({ length: size }, (_, at) => Math.sin(at + 1));
        const b = x.map((_, row) => {
          let sum = 0;
          for (let k = 0; k < size; k++) sum += (matrix[row * stride + k] ?? 0) * (x[k] ?? 0);
          return sum;
        });
        const four = Float64Array.from({ length: 4 * size }, (_, at) => ((at % 4) + 1) * (b[at >> 2] ?? 0));
        solveLower(factor, size, stride, b);
        solveLowerFour(factor, size, stride, four);
        for (const [at, value] of four.entries())
          close(value, ((at % 4) + 1) * (b[at >> 2] ?? 0), 1e-9, `side ${at % 4}`);
        solveUpper(factor, size, stride, b);
        for (const [at, value] of b.entries()) close(value, x[at] ?? 0, 1e-6, `x${at}`);
        const inverse = new Float64Array(stride * stride);
        invert(factor, size, stride, inverse, new Float64Array(stride * stride));
        for (let row = 0; row < size; row++)
          for (let column = 0; column < size; column++) {
            let sum = 0;
            for (let k = 0; k < size; k++)
              sum +=
                (matrix[row * stride + k] ?? 0) *
                (inverse[Math.max(k, column) * stride + Math.min(k, column)] ?? 0);
            close(sum, row === column ? 1 : 0, 1e-6, `A·A⁻¹ at ${row}, ${column}`);
          }
      }),
      { numRuns: 40 },
    );
  });

  test("GP-1: a matrix that is not positive definite has no factor", () => {
    assert.equal(factorise(Float64Array.of(1, 0, 2, 1), 2, 2), false);
    assert.equal(factorise(Float64Array.of(Number.NaN), 1, 1), false);
  });
});

describe("GP-2: gradients are those of finite differences", () => {
  for (const [name, space, withResource] of [
    ["numbers", square, false],
    ["categories and conditions", mixed, false],
    ["several resources", mixed, true],
  ] as const) {
    test(`GP-2: of the hyperparameters' density over ${name}`, () => {
      const frame = frameOf(space, withResource);
      const { rows, values } = sample(frame, 14, 3);
      const goal = negativeLogPosterior(frame, rows, values);
      for (const noise of [1e-4, 0.1]) {
        const weights = Float64Array.from({ length: frame.size }, (_, at) => 0.5 + at);
        const variables = variablesOf({ weights, scale: 1.3, noise });
        const gradient = new Float64Array(variables.length);
        goal(variables, gradient);
        checkGradient((x) => goal(x, new Float64Array(variables.length)), variables, gradient, 1e-5);
      }
    });

    test(`GP-2: of mean, variance and log improvement by the point over ${name}`, () => {
      const frame = frameOf(space, withResource);
      const weights = Float64Array.from({ length: frame.size }, (_, at) => 0.5 + at);
      const posterior = posteriorOf(frame, { weights, scale: 1.3, noise: 0.01 }, sample(frame, 12, 5), 0);
      const points = sample(frame, 4, 9).rows;
      for (let row = 0; row < 4; row++) {
        const point = points.slice(row * frame.size, (row + 1) * frame.size);
        const meanSlope = new Float64Array(frame.size);
        const varianceSlope = new Float64Array(frame.size);
        const belief = posterior.gradients(point, meanSlope, varianceSlope);
        assert.deepEqual(belief, posterior.at(point));
        // Inactive coordinates and categories do not move.
        const moves = (at: number) => at < frame.categories && (point[at] ?? 0) >= 0;
        const only = (slopes: Float64Array) => slopes.map((slope, at) => (moves(at) ? slope : Number.NaN));
        checkGradient((x) => posterior.at(x).mean, point, only(meanSlope), 1e-5);
        checkGradient((x) => posterior.at(x).variance, point, only(varianceSlope), 1e-5);
        for (const best of [-4, 0.2]) {
          const { byMean, byVariance } = logImprovement(belief, best);
          const slope = meanSlope.map((own, at) => byMean * own + byVariance * (varianceSlope[at] ?? 0));
          checkGradient((x) => logImprovement(posterior.at(x), best).value, point, only(slope), 1e-4);
        }
      }
    });
  }

  function checkGradient(
    of: (x: Float64Array) => number,
    x: Float64Array,
    gradient: Float64Array,
    tolerance: number,
  ) {
    const step = 1e-5;
    for (const [at, slope] of gradient.entries()) {
      if (Number.isNaN(slope)) continue;
      const there = (by: number) => of(x.map((value, index) => (index === at ? value + by : value)));
      close(slope, (there(step) - there(-step)) / (2 * step), tolerance, `coordinate ${at}`);
    }
  }
});

describe("GP-3: beliefs", () => {
  const kernel: Kernel = { weights: Float64Array.of(2, 8), scale: 1.7, noise: 0.01 };
  const frame = frameOf(square, false);

  test("GP-3: one point told: mean and variance in closed form", () => {
    const told = { rows: Float64Array.of(0.2, 0.4), values: Float64Array.of(1.5) };
    const posterior = posteriorOf(frame, kernel, told, 0);
    const squared = 2 * 0.3 ** 2 + 8 * 0.1 ** 2;
    const k = 1.7 * (1 + Math.sqrt(5 * squared) + (5 / 3) * squared) * Math.exp(-Math.sqrt(5 * squared));
    const { mean, variance } = posterior.at(Float64Array.of(0.5, 0.5));
    close(mean, (k * 1.5) / 1.71, 1e-12, "mean");
    close(variance, 1.7 - k ** 2 / 1.71, 1e-12, "variance");
  });

  /*
   * scikit-learn 1.9.1: GaussianProcessRegressor(ConstantKernel(1.7) * Matern(1/sqrt([2, 8]), nu=2.5), alpha=0.01,
   * optimizer=None).fit(X, y).predict(..., return_std=True), the deviations squared; X, y and the points as below.
   */
  const told = {
    rows: Float64Array.of(0.1, 0.2, 0.4, 0.9, 0.7, 0.3, 0.95, 0.75, 0.5, 0.5),
    values: Float64Array.of(-1.2, 0.4, 0.1, 1.5, -0.3),
  };
  const recorded = [
    { point: [0.3, 0.4], mean: -0.861049369918, variance: 0.157948161237 },
    { point: [0.8, 0.1], mean: 0.098815394552, variance: 0.54401764091 },
    { point: [0.5, 0.5], mean: -0.28874137338, variance: 0.009815534283 },
    { point: [0, 1], mean: -0.001648940752, variance: 0.68093756112 },
  ];

  test("GP-3: five points told: as scikit-learn believes, one at a time and many at once", () => {
    const posterior = posteriorOf(frame, kernel, told, 0);
    const means = new Float64Array(recorded.length + 1);
    const variances = new Float64Array(recorded.length + 1);
    const points = Float64Array.from([...recorded, { point: [0.3, 0.4] }].flatMap(({ point }) => point));
    posterior.many(points, recorded.length + 1, means, variances);
    for (const [index, { mean, point, variance }] of recorded.entries()) {
      const belief = posterior.at(Float64Array.from(point));
      close(belief.mean, mean, 1e-10, "mean");
      close(belief.variance, variance, 1e-10, "variance");
      close(means[index] ?? 0, mean, 1e-10, "mean of many");
      close(variances[index] ?? 0, variance, 1e-10, "variance of many");
    }
    assert.equal(means[recorded.length], means[0]);
  });

  test("GP-3: points learnt one by one lead to the same beliefs", () => {
    const first = { rows: told.rows.slice(0, 4), values: told.values.slice(0, 2) };
    const posterior = posteriorOf(frame, kernel, first, 3);
    for (let row = 2; row < 5; row++)
      posterior.add(told.rows.slice(2 * row, 2 * row + 2), told.values[row] ?? 0);
    for (const { mean, point, variance } of recorded) {
      const belief = posterior.at(Float64Array.from(point));
      close(belief.mean, mean, 1e-10, "mean");
      close(belief.variance, variance, 1e-10, "variance");
    }
  });

  test("GP-3: the density of hyperparameters differs from scikit-learn's marginal likelihood by the priors alone", () => {
    const goal = negativeLogPosterior(frame, told.rows, told.values);
    const value = goal(variablesOf(kernel), new Float64Array(4));
    const priors = -0.1 * (1 / 2 + 2 + 1 / 8 + 8) + Math.log(1.7) - 1.7 + 0.1 * Math.log(0.01) - 30 * 0.01;
    // scikit-learn's log_marginal_likelihood_value_ for the same model.
    const likelihood = -6.59473263806525;
    close(-value, likelihood + 2.5 * Math.log(2 * Math.PI) + priors, 1e-9, "density");
  });

  test("GP-3: the same trial twice, without noise, is survived", () => {
    const rows = Float64Array.of(0.2, 0.4, 0.2, 0.4, 0.2, 0.4);
    const posterior = posteriorOf(
      frame,
      { ...kernel, noise: 0 },
      { rows, values: Float64Array.of(1, 1, 1) },
      0,
    );
    close(posterior.at(Float64Array.of(0.2, 0.4)).mean, 1, 1e-4, "mean");
  });
});

describe("GP-4: log expected improvement", () => {
  // log(φ(z) + z Φ(z)) with 60 digits by mpmath.
  const recorded: readonly (readonly [number, number])[] = [
    [-1000, -500014.734452091],
    [-40, -808.29856835662],
    [-10, -55.5531220361224],
    [-3.01, -7.90505346225658],
    [-2.99, -7.83440669650897],
    [-1, -2.48512102571264],
    [0, -0.918938533204673],
    [2, 0.697383545788228],
    [6, 1.79175946925411],
  ];
  for (const [z, expected] of recorded) {
    test(`GP-4: z = ${z} as computed with 60 digits`, () => {
      close(logImprovement({ mean: -z, variance: 1 }, 0).value, expected, 1e-12, "value");
    });
  }

  test("GP-4: its derivatives are those of finite differences, on both sides of the switch", () => {
    for (const z of [-30, -3.5, -2.5, 0, 4]) {
      const variance = 0.7;
      const mean = -z * Math.sqrt(variance);
      const { byMean, byVariance } = logImprovement({ mean, variance }, 0);
      const step = 1e-6;
      const at = (m: number, v: number) => logImprovement({ mean: m, variance: v }, 0).value;
      close(byMean, (at(mean + step, variance) - at(mean - step, variance)) / (2 * step), 1e-6, "by mean");
      close(
        byVariance,
        (at(mean, variance + step) - at(mean, variance - step)) / (2 * step),
        1e-6,
        "by variance",
      );
    }
  });
});

describe("GP-5: the kernel", () => {
  test("GP-5: with categories and inactive parameters its matrix is positive definite", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        (seed, weight) => {
          const frame = frameOf(mixed, true);
          const count = 20;
          const { rows } = sample(frame, count, seed);
          const weights = new Float64Array(frame.size).fill(weight);
          const matrix = new Float64Array(count * count);
          for (let row = 0; row < count; row++)
            for (let column = 0; column <= row; column++) {
              const point = rows.subarray(row * frame.size, (row + 1) * frame.size);
              const near = matern(squaredDistance(frame, weights, point, rows, column * frame.size));
              matrix[row * count + column] = near + (row === column ? 1e-6 : 0);
            }
          assert.ok(factorise(matrix, count, count));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("GP-5: categories are exchangeable: their order means nothing", () => {
    const permuted: Space = {
      ...mixed,
      optimizer: { distribution: "choice", values: ["rms", "sgd", "adam"] },
    };
    const believe = (space: Space) => {
      const frame = frameOf(space, false);
      // Drawn from the space as first stated, so that both are told the same trials.
      const problem = { space: mixed, where: [], seed: 4, trials: 9, objectives: 1 };
      const trials = Array.from({ length: 16 }, (_, row) =>
        drawParams(problem, randomStream(4, "test", row)),
      );
      const rows = new Float64Array(15 * frame.size);
      for (const [row, params] of trials.slice(0, 15).entries())
        encode(frame, params, 1, rows.subarray(row * frame.size, (row + 1) * frame.size));
      const values = Float64Array.from({ length: 15 }, (_, row) => Math.sin(row));
      const point = new Float64Array(frame.size);
      encode(frame, trials[15] ?? {}, 1, point);
      const weights = new Float64Array(frame.size).fill(1);
      return posteriorOf(frame, { weights, scale: 1, noise: 0.01 }, { rows, values }, 0).at(point);
    };
    assert.deepEqual(believe(permuted), believe(mixed));
  });
});

describe("GP-6: the fit", () => {
  test("GP-6: minimise finds Rosenbrock's minimum, and the best point of a face where bounds cut it off", () => {
    const rosenbrock = (x: Float64Array, gradient: Float64Array) => {
      const [a = 0, b = 0] = x;
      gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
      gradient[1] = 200 * (b - a * a);
      return 100 * (b - a * a) ** 2 + (1 - a) ** 2;
    };
    const limits = { evaluationsMax: 200, firstStep: 0.1, tolerance: 1e-12 };
    const free = Float64Array.of(-1.2, 1);
    minimise(rosenbrock, free, { low: -2, high: 2 }, limits);
    close(free[0] ?? 0, 1, 1e-4, "a");
    close(free[1] ?? 0, 1, 1e-4, "b");
    const bounded = Float64Array.of(-1.2, 0.5);
    minimise(rosenbrock, bounded, { low: -2, high: 0.5 }, limits);
    close(bounded[0] ?? 0, 0.5, 1e-6, "a at its bound");
    close(bounded[1] ?? 0, 0.25, 1e-4, "b");
  });

  test("GP-6: a coordinate without influence gets less weight than one with", () => {
    const frame = frameOf(square, false);
    const { rows } = sample(frame, 40, 11);
    const values = Float64Array.from({ length: 40 }, (_, row) => Math.sin(9 * (rows[2 * row] ?? 0)));
    const { noise, weights } = fitKernel(frame, { rows, values });
    assert.ok((weights[0] ?? 0) > 20 * (weights[1] ?? 0), `weights ${weights.join(", ")}`);
    assert.ok(noise < 1e-3, `noise ${noise}`);
  });

  test("GP-6: variables and hyperparameters are the same thing twice", () => {
    const kernel = { weights: Float64Array.of(0.3, 4), scale: 2, noise: 0.05 };
    const back = kernelOf(variablesOf(kernel));
    close(back.scale, 2, 1e-12, "scale");
    close(back.noise, 0.05, 1e-12, "noise");
    close(back.weights[1] ?? 0, 4, 1e-12, "weight");
  });
});
