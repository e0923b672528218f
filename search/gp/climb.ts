/**
 * From a point to a better one nearby: by gradient over continuous coordinates, then move by move over discrete ones,
 * a few rounds of both. The point keeps to the box and to the constraints.
 */
import type { RandomStream } from "../space/random-stream.ts";
import type { Ground } from "./candidates.ts";
import { axisAt, mask, nearest, type Frame } from "./frame.ts";
import { logImprovement } from "./log-improvement.ts";
import { minimise } from "./minimise.ts";
import type { Posterior } from "./posterior.ts";

const roundsMax = 3;
/** A round that gains less than this in log improvement is the last. */
const gainMin = 1e-4;
const firstStep = 0.05;
const tolerance = 1e-5;
/** All values of a discrete coordinate are tried where there are no more than this. */
const movesMax = 16;
const unit = { low: 0, high: 1 };

interface Landscape {
  readonly ground: Ground;
  readonly posterior: Posterior;
  /** The value to improve on. */
  readonly best: number;
  readonly random: RandomStream;
}

/** Moves the full point `x` in place, with at most so many evaluations of the model. */
export function climb(landscape: Landscape, x: Float64Array, evaluationsMax: number): void {
  const { best, ground, posterior, random } = landscape;
  const { frame } = ground;
  const { discrete, smooth } = coordinatesOf(frame);
  const point = new Float64Array(frame.size);
  let left = evaluationsMax;
  let value = -Infinity;
  for (let round = 0; round < roundsMax && left > 0; round++) {
    const before = value;
    if (smooth.length > 0) {
      const most = Math.max(2, Math.floor(left / (discrete.length === 0 ? 1 : roundsMax - round)));
      const { evaluations, reached } = ascend(landscape, smooth, x, most);
      left -= evaluations;
      value = Math.max(value, reached);
    }
    if (discrete.length === 0) return;
    const score = () => {
      left--;
      mask(frame, x, point);
      return logImprovement(posterior.at(point), best).value;
    };
    if (value === -Infinity) value = score();
    for (const at of discrete) {
      let chosen = x[at] ?? 0;
      for (const other of movesOf(frame, at, chosen, random)) {
        if (left <= 0) break;
        x[at] = other;
        const there = score();
        if (there <= value || !ground.allows(x)) continue;
        value = there;
        chosen = other;
      }
      x[at] = chosen;
    }
    if (value - before < gainMin) return;
  }
}

/** Climbs over some coordinates, unless that ends where the constraints forbid it. */
function ascend(
  { best, ground, posterior }: Landscape,
  smooth: readonly number[],
  x: Float64Array,
  most: number,
) {
  const { box, frame } = ground;
  const point = new Float64Array(frame.size);
  const meanGradient = new Float64Array(frame.size);
  const varianceGradient = new Float64Array(frame.size);
  const moved = x.slice();
  const low = smooth.map((at) => box?.low[at] ?? 0);
  const width = smooth.map((at, index) => (box?.high[at] ?? 1) - (low[index] ?? 0));
  const place = (shares: Float64Array) => {
    for (const [index, at] of smooth.entries())
      moved[at] = (low[index] ?? 0) + (width[index] ?? 1) * (shares[index] ?? 0);
  };
  const shares = Float64Array.from(smooth, (at, index) => {
    const share = ((x[at] ?? 0) - (low[index] ?? 0)) / (width[index] || 1);
    return Math.min(1, Math.max(0, share));
  });
  let evaluations = 0;
  const negative = (candidate: Float64Array, gradient: Float64Array) => {
    evaluations++;
    place(candidate);
    mask(frame, moved, point);
    const belief = posterior.gradients(point, meanGradient, varianceGradient);
    const { byMean, byVariance, value } = logImprovement(belief, best);
    for (const [index, at] of smooth.entries()) {
      const own = byMean * (meanGradient[at] ?? 0) + byVariance * (varianceGradient[at] ?? 0);
      gradient[index] = -(width[index] ?? 1) * own;
    }
    return -value;
  };
  const reached = -minimise(negative, shares, unit, { evaluationsMax: most, firstStep, tolerance });
  place(shares);
  if (!ground.allows(moved)) return { evaluations, reached: -Infinity };
  x.set(moved);
  return { evaluations, reached };
}

function coordinatesOf(frame: Frame) {
  const smooth: number[] = [];
  const discrete: number[] = [];
  for (let at = 0; at < frame.size; at++) {
    const axis = axisAt(frame, at);
    if (axis !== undefined) (axis.values !== null || axis.grid !== null ? discrete : smooth).push(at);
  }
  return { smooth, discrete };
}

/** Other coordinates worth a try: all where there are few, else near and far neighbours, or some at random of a category. */
function movesOf(frame: Frame, coordinate: number, own: number, random: RandomStream): readonly number[] {
  const axis = axisAt(frame, coordinate);
  if (axis === undefined) return [];
  const { grid, values } = axis;
  const count = values?.length ?? grid?.length ?? 0;
  const here = grid === null ? own : nearest(grid, own);
  let indices = Array.from({ length: count }, (_, index) => index);
  if (count > movesMax && grid !== null) {
    const steps = [1, 2, 4, count >> 3, Math.floor(count / 3)];
    indices = steps
      .flatMap((step) => [here - step, here + step])
      .filter((index) => index >= 0 && index < count);
  } else if (count > movesMax) {
    indices = Array.from({ length: movesMax }, () => Math.floor(random.next() * count));
  }
  return indices.filter((index) => index !== here).map((index) => grid?.[index] ?? index);
}
