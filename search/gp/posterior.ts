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
  return new GaussianPosterior(frame, kernel, told, room);
}

/** Methods read the arrays once: what they do with each point, they do thousands of times. */
class GaussianPosterior implements Posterior {
  readonly frame: Frame;
  readonly kernel: Kernel;
  /** Points there is room for; a row of `#factor`. */
  readonly #stride: number;
  readonly #rows: Float64Array;
  readonly #values: Float64Array;
  /** Cholesky factor of the points' covariances. */
  readonly #factor: Float64Array;
  /** The covariances' inverse times the values. */
  readonly #pull: Float64Array;
  readonly #varianceMin: number;
  // Scratch space of a call.
  readonly #column: Float64Array;
  readonly #forward: Float64Array;
  readonly #four: Float64Array;
  readonly #squared: Float64Array;
  readonly #one: Float64Array;
  #count = 0;

  constructor(
    frame: Frame,
    kernel: Kernel,
    told: { readonly rows: Float64Array; readonly values: Float64Array },
    room: number,
  ) {
    const { size } = frame;
    const stride = told.values.length + room;
    this.frame = frame;
    this.kernel = kernel;
    this.#stride = stride;
    this.#rows = new Float64Array(stride * size);
    this.#values = new Float64Array(stride);
    this.#factor = new Float64Array(stride * stride);
    this.#pull = new Float64Array(stride);
    this.#varianceMin = varianceShareMin * kernel.scale;
    this.#column = new Float64Array(stride);
    this.#forward = new Float64Array(stride);
    this.#four = new Float64Array(4 * stride);
    this.#squared = new Float64Array(stride);
    this.#one = new Float64Array(size);
    for (let row = 0; row < told.values.length; row++) {
      this.#one.set(told.rows.subarray(row * size, (row + 1) * size));
      this.#append(this.#one, told.values[row] ?? 0);
    }
    this.#resolve();
  }

  count(): number {
    return this.#count;
  }

  at(point: Float64Array): Belief {
    const column = this.#column;
    const count = this.#count;
    const pull = this.#pull;
    const rows = this.#rows;
    const { frame } = this;
    const { scale, weights } = this.kernel;
    let mean = 0;
    for (let row = 0; row < count; row++) {
      const value = scale * matern(squaredDistance(frame, weights, point, rows, row * frame.size));
      column[row] = value;
      mean += value * (pull[row] ?? 0);
    }
    solveLower(this.#factor, count, this.#stride, column);
    let variance = scale;
    for (let row = 0; row < count; row++) variance -= (column[row] ?? 0) ** 2;
    return { mean, variance: Math.max(this.#varianceMin, variance) };
  }

  many(points: Float64Array, total: number, means: Float64Array, variances: Float64Array): void {
    const count = this.#count;
    const four = this.#four;
    const one = this.#one;
    const pull = this.#pull;
    const rows = this.#rows;
    const { frame } = this;
    const { size } = frame;
    const { scale, weights } = this.kernel;
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
      solveLowerFour(this.#factor, count, this.#stride, four);
      for (let side = 0; side < 4 && first + side < total; side++) {
        let variance = scale;
        for (let row = 0; row < count; row++) variance -= (four[4 * row + side] ?? 0) ** 2;
        variances[first + side] = Math.max(this.#varianceMin, variance);
      }
    }
  }

  gradients(point: Float64Array, meanGradient: Float64Array, varianceGradient: Float64Array): Belief {
    const count = this.#count;
    const factor = this.#factor;
    const forward = this.#forward;
    const pull = this.#pull;
    const rows = this.#rows;
    const squared = this.#squared;
    const stride = this.#stride;
    const { frame } = this;
    const { scale, weights } = this.kernel;
    let mean = 0;
    for (let row = 0; row < count; row++) {
      const distance = squaredDistance(frame, weights, point, rows, row * frame.size);
      squared[row] = distance;
      const value = scale * matern(distance);
      forward[row] = value;
      mean += value * (pull[row] ?? 0);
    }
    solveLower(factor, count, stride, forward);
    let variance = scale;
    for (let row = 0; row < count; row++) variance -= (forward[row] ?? 0) ** 2;
    solveUpper(factor, count, stride, forward);
    this.#sumGradients(point, meanGradient, varianceGradient);
    if (variance < this.#varianceMin) varianceGradient.fill(0);
    return { mean, variance: Math.max(this.#varianceMin, variance) };
  }

  add(point: Float64Array, value: number): void {
    this.#append(point, value);
    this.#resolve();
  }

  /** From the distances in `#squared` and the solved covariances in `#forward`. */
  #sumGradients(point: Float64Array, meanGradient: Float64Array, varianceGradient: Float64Array): void {
    const count = this.#count;
    const forward = this.#forward;
    const pull = this.#pull;
    const rows = this.#rows;
    const { frame } = this;
    const { scale, weights } = this.kernel;
    const squared = this.#squared;
    meanGradient.fill(0);
    varianceGradient.fill(0);
    for (let row = 0; row < count; row++) {
      const gradient = 2 * scale * maternGradient(squared[row] ?? 0);
      const byMean = gradient * (pull[row] ?? 0);
      const byVariance = -2 * gradient * (forward[row] ?? 0);
      const from = row * frame.size;
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
  }

  #append(point: Float64Array, value: number): void {
    const column = this.#column;
    const count = this.#count;
    const factor = this.#factor;
    const rows = this.#rows;
    const stride = this.#stride;
    const { frame } = this;
    const { noise, scale, weights } = this.kernel;
    if (count === stride) throw new Error("broken invariant: a posterior without room for another point");
    for (let row = 0; row < count; row++)
      factor[count * stride + row] =
        scale * matern(squaredDistance(frame, weights, point, rows, row * frame.size));
    for (let jitter = 0; ; jitter = jitter === 0 ? firstJitter : jitter * 10) {
      column.set(factor.subarray(count * stride, count * stride + count));
      factor[count * stride + count] = scale + noise + jitter;
      if (factoriseRow(factor, count, stride)) break;
      if (!(jitter < jitterMax))
        throw new Error("broken invariant: a kernel matrix that no jitter makes definite");
      factor.set(column.subarray(0, count), count * stride);
    }
    rows.set(point, count * frame.size);
    this.#values[count] = value;
    this.#count++;
  }

  #resolve(): void {
    this.#pull.set(this.#values);
    solveLower(this.#factor, this.#count, this.#stride, this.#pull);
    solveUpper(this.#factor, this.#count, this.#stride, this.#pull);
  }
}
