/**
 * Limited-memory BFGS within bounds, for smooth functions of a few dozen variables: a quasi-Newton step on the
 * variables that are not pressed against a bound, projected, with a backtracking line search. Nocedal and Wright,
 * Numerical Optimization, algorithm 7.4, with the projection of Bertsekas. Not for functions with kinks.
 */

/** Pairs of steps and gradient changes that are remembered. */
const memoryMax = 8;
/** Share of the first-order decrease that a step must bring. */
const armijo = 1e-4;
const halvingsMax = 12;

interface Bounds {
  readonly low: number;
  readonly high: number;
}

interface Limits {
  /** How often the function may be evaluated. */
  readonly evaluationsMax: number;
  /** Length of the first step, in the units of the variables. */
  readonly firstStep: number;
  /** Ends where the function falls by less than this, or no projected gradient is larger. */
  readonly tolerance: number;
}

/** Returns the value at x and writes the gradient; Infinity where there is none. */
export type Smooth = (x: Float64Array, gradient: Float64Array) => number;

/** Moves `x` to a lower value, in place; returns that value. */
export function minimise(of: Smooth, x: Float64Array, { high, low }: Bounds, limits: Limits): number {
  const size = x.length;
  let gradient = new Float64Array(size);
  let nextGradient = new Float64Array(size);
  const next = new Float64Array(size);
  const direction = new Float64Array(size);
  const pairs: { step: Float64Array; change: Float64Array; curvature: number }[] = [];
  let value = of(x, gradient);
  let evaluations = 1;
  if (!Number.isFinite(value)) return value;
  while (evaluations < limits.evaluationsMax) {
    let largest = 0;
    for (let at = 0; at < size; at++) {
      const slope = gradient[at] ?? 0;
      const here = x[at] ?? 0;
      const pressed = (here <= low && slope > 0) || (here >= high && slope < 0);
      direction[at] = pressed ? 0 : -slope;
      if (!pressed) largest = Math.max(largest, Math.abs(slope));
    }
    if (largest <= limits.tolerance) break;
    let length = 1;
    if (pairs.length === 0) length = Math.min(1, limits.firstStep / largest);
    else if (!bend(direction, gradient, pairs)) {
      pairs.length = 0;
      continue;
    }
    let lower: number | null = null;
    for (let halving = 0; halving < halvingsMax && evaluations < limits.evaluationsMax; halving++) {
      let expected = 0;
      for (let at = 0; at < size; at++) {
        const here = x[at] ?? 0;
        const there = Math.min(high, Math.max(low, here + length * (direction[at] ?? 0)));
        next[at] = there;
        expected += (there - here) * (gradient[at] ?? 0);
      }
      const candidate = of(next, nextGradient);
      evaluations++;
      if (candidate <= value + armijo * expected) {
        lower = candidate;
        break;
      }
      // The minimum of the parabola through both values and the slope, within sensible limits.
      const fall = candidate - value - expected;
      const best = Number.isFinite(candidate) && fall > 0 ? -expected / (2 * fall) : 0.1;
      length *= Math.min(0.5, Math.max(0.1, best));
    }
    if (lower === null) {
      if (pairs.length === 0) break;
      pairs.length = 0;
      continue;
    }
    remember(pairs, x, next, gradient, nextGradient);
    const fell = value - lower;
    x.set(next);
    value = lower;
    [gradient, nextGradient] = [nextGradient, gradient];
    if (fell <= limits.tolerance) break;
  }
  return value;
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

function remember(
  pairs: Pair[],
  x: Float64Array,
  next: Float64Array,
  gradient: Float64Array,
  nextGradient: Float64Array,
): void {
  const step = next.map((value, at) => value - (x[at] ?? 0));
  const change = nextGradient.map((value, at) => value - (gradient[at] ?? 0));
  const curvature = dot(step, change);
  if (!(curvature > 1e-12 * dot(change, change))) return;
  pairs.push({ step, change, curvature });
  if (pairs.length > memoryMax) pairs.shift();
}

/** Turns the steepest descent into the quasi-Newton direction; false where that would not descend. */
function bend(direction: Float64Array, gradient: Float64Array, pairs: readonly Pair[]): boolean {
  const held = direction.map((value) => (value === 0 ? 0 : 1));
  const shares: number[] = [];
  for (const { change, curvature, step } of pairs.toReversed()) {
    const share = dot(step, direction) / curvature;
    shares.push(share);
    for (let at = 0; at < direction.length; at++)
      direction[at] = (direction[at] ?? 0) - share * (change[at] ?? 0);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const shrink = last.curvature / dot(last.change, last.change);
    for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] ?? 0) * shrink;
  }
  for (const { change, curvature, step } of pairs) {
    const share = (shares.pop() ?? 0) - dot(change, direction) / curvature;
    for (let at = 0; at < direction.length; at++)
      direction[at] = (direction[at] ?? 0) + share * (step[at] ?? 0);
  }
  for (let at = 0; at < direction.length; at++) direction[at] = (direction[at] ?? 0) * (held[at] ?? 0);
  return dot(direction, gradient) < 0;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}
