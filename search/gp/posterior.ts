/**
 * What a Gaussian process with given hyperparameters believes after the points it has observed: mean and variance of the
 * function (without noise) anywhere, and their gradients. Rasmussen and Williams, algorithm 2.1. It grows by a point at
 * a time, for proposals that are still without a result.
 */
import { factoriseRow, solveLower, solveLowerFour, solveUpper } from "../../numeric/cholesky.ts";
import type { Frame } from "./frame.ts";
import { halfGradient, matern, maternGradient, squaredDistance, type Kernel } from "./covariance.ts";

/** Variances are not believed to be less than this share of the scale. */
const varianceShareMin = 1e-10;
/** Added to the diagonal, times ten until it suffices, where rounding makes the matrix indefinite. */
const firstJitter = 1e-8;
const jitterMax = 1;

export interface Belief {
  readonly mean: number;
  readonly variance: number;
}

export interface Posterior {
  readonly frame: Frame;
  readonly kernel: Kernel;
  count(): number;
  at(point: Float64Array): Belief;
  /** Means and variances of many points that stand one after another. */
  many(points: Float64Array, count: number, means: Float64Array, variances: Float64Array): void;
  /** As `at`, and writes the gradients by the point's coordinates. */
  gradients(point: Float64Array, meanGradient: Float64Array, varianceGradient: Float64Array): Belief;
  /** Learns one more point and value. */
  add(point: Float64Array, value: number): void;
}

/** `room`: points it may learn later. */
export function posteriorOf(
  frame: Frame,
  kernel: Kernel,
  told: { readonly rows: Float64Array; readonly values: Float64Array },
  room: number,
): Posterior {
  const { size } = frame;
  const { noise, scale, weights } = kernel;
  const stride = told.values.length + room;
  const rows = new Float64Array(stride * size);
  const values = new Float64Array(stride);
  const factor = new Float64Array(stride * stride);
  const pull = new Float64Array(stride);
  const column = new Float64Array(stride);
  const forward = new Float64Array(stride);
  const four = new Float64Array(4 * stride);
  const squared = new Float64Array(stride);
  const one = new Float64Array(size);
  const varianceMin = varianceShareMin * scale;
  let count = 0;

  const append = (point: Float64Array, value: number) => {
    if (count === stride) throw new Error("broken invariant: a posterior without room for another point");
    for (let row = 0; row < count; row++)
      factor[count * stride + row] = scale * matern(squaredDistance(frame, weights, point, rows, row * size));
    for (let jitter = 0; ; jitter = jitter === 0 ? firstJitter : jitter * 10) {
      column.set(factor.subarray(count * stride, count * stride + count));
      factor[count * stride + count] = scale + noise + jitter;
      if (factoriseRow(factor, count, stride)) break;
      if (!(jitter < jitterMax))
        throw new Error("broken invariant: a kernel matrix that no jitter makes definite");
      factor.set(column.subarray(0, count), count * stride);
    }
    rows.set(point, count * size);
    values[count] = value;
    count++;
  };
  const resolve = () => {
    pull.set(values);
    solveLower(factor, count, stride, pull);
    solveUpper(factor, count, stride, pull);
  };

  for (let row = 0; row < told.values.length; row++) {
    one.set(told.rows.subarray(row * size, (row + 1) * size));
    append(one, told.values[row] ?? 0);
  }
  resolve();

  return {
    frame,
    kernel,
    count: () => count,

    at(point) {
      let mean = 0;
      for (let row = 0; row < count; row++) {
        const value = scale * matern(squaredDistance(frame, weights, point, rows, row * size));
        column[row] = value;
        mean += value * (pull[row] ?? 0);
      }
      solveLower(factor, count, stride, column);
      let variance = scale;
      for (let row = 0; row < count; row++) variance -= (column[row] ?? 0) ** 2;
      return { mean, variance: Math.max(varianceMin, variance) };
    },

    many(points, total, means, variances) {
      for (let first = 0; first < total; first += 4) {
        for (let side = 0; side < 4; side++) {
          // The last few stand in for the missing ones of an incomplete four.
          const from = Math.min(first + side, total - 1) * size;
          one.set(points.subarray(from, from + size));
          let mean = 0;
          for (let row = 0; row < count; row++) {
            const value = scale * matern(squaredDistance(frame, weights, one, rows, row * size));
            four[4 * row + side] = value;
            mean += value * (pull[row] ?? 0);
          }
          if (first + side < total) means[first + side] = mean;
        }
        solveLowerFour(factor, count, stride, four);
        for (let side = 0; side < 4 && first + side < total; side++) {
          let variance = scale;
          for (let row = 0; row < count; row++) variance -= (four[4 * row + side] ?? 0) ** 2;
          variances[first + side] = Math.max(varianceMin, variance);
        }
      }
    },

    gradients(point, meanGradient, varianceGradient) {
      let mean = 0;
      for (let row = 0; row < count; row++) {
        const distance = squaredDistance(frame, weights, point, rows, row * size);
        squared[row] = distance;
        const value = scale * matern(distance);
        forward[row] = value;
        mean += value * (pull[row] ?? 0);
      }
      solveLower(factor, count, stride, forward);
      let variance = scale;
      for (let row = 0; row < count; row++) variance -= (forward[row] ?? 0) ** 2;
      solveUpper(factor, count, stride, forward);
      meanGradient.fill(0);
      varianceGradient.fill(0);
      for (let row = 0; row < count; row++) {
        const gradient = 2 * scale * maternGradient(squared[row] ?? 0);
        const byMean = gradient * (pull[row] ?? 0);
        const byVariance = -2 * gradient * (forward[row] ?? 0);
        const from = row * size;
        for (let at = 0; at < frame.plain; at++) {
          const half = (point[at] ?? 0) - (rows[from + at] ?? 0);
          meanGradient[at] = (meanGradient[at] ?? 0) + byMean * half;
          varianceGradient[at] = (varianceGradient[at] ?? 0) + byVariance * half;
        }
        for (let at = frame.plain; at < frame.categories; at++) {
          const half = halfGradient(frame, at, point[at] ?? 0, rows[from + at] ?? 0);
          meanGradient[at] = (meanGradient[at] ?? 0) + byMean * half;
          varianceGradient[at] = (varianceGradient[at] ?? 0) + byVariance * half;
        }
      }
      for (let at = 0; at < frame.categories; at++) {
        meanGradient[at] = (meanGradient[at] ?? 0) * (weights[at] ?? 0);
        varianceGradient[at] = (varianceGradient[at] ?? 0) * (weights[at] ?? 0);
      }
      if (variance < varianceMin) varianceGradient.fill(0);
      return { mean, variance: Math.max(varianceMin, variance) };
    },

    add(point, value) {
      append(point, value);
      resolve();
    },
  };
}
