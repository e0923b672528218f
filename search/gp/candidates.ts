/**
 * Points to try the acquisition at: evenly over the space or the box by an additive recurrence on the powers of the
 * generalised golden ratio (Roberts 2018), and around the best points at several distances. All satisfy the constraints.
 */
import type { RandomStream } from "../space/random-stream.ts";
import { axisAt, snap, type Frame } from "./frame.ts";
import type { Box } from "./region.ts";

/** Share of the candidates that lie around the best points. */
const aroundShare = 1 / 3;
/** Deviations around the best points, as shares of an axis. */
const spreads = [0.2, 0.05, 0.01];
/** Of the coordinates of a point so many are moved on average, or this share of them. */
const movedMean = 3;
const movedShareMin = 0.3;
/** Odds that a moved category changes. */
const otherCategory = 0.3;
/** In a box, odds that a coordinate, number or category, stays that of the best point. */
const boxedStay = 0.25;
const boxedCategoryStay = 0.8;

export interface Ground {
  readonly frame: Frame;
  readonly box: Box | null;
  /** Full points, best first. */
  readonly centres: readonly Float64Array[];
  readonly allows: (full: Float64Array) => boolean;
}

/** Full points, at most `total`. */
export function candidatesOn(ground: Ground, total: number, random: RandomStream): Float64Array[] {
  const { allows, box, centres, frame } = ground;
  const around = centres.length === 0 ? 0 : Math.floor(total * aroundShare);
  const next = evenly(frame, random);
  const list: Float64Array[] = [];
  for (let index = 0; index < total; index++) {
    let x = next();
    const centre = centres[index % Math.max(1, centres.length)];
    if (index < around && centre !== undefined)
      x = near(frame, centre, spreads[index % spreads.length] ?? 0, random);
    else if (box !== null) boxed(frame, box, centres[0], x, random);
    clamp(frame, box, x);
    snap(frame, x);
    if (allows(x)) list.push(x);
  }
  return list;
}

/** The next full point of an even sequence from a random position; the resource is 1. */
export function evenly(frame: Frame, random: RandomStream): () => Float64Array {
  const { resource, size } = frame;
  let ratio = 2;
  for (let step = 0; step < 40; step++) ratio = (1 + ratio) ** (1 / (size + 1));
  const steps = Array.from({ length: size }, (_, index) => ratio ** -(index + 1));
  const here = Float64Array.from(steps, () => random.next());
  return () => {
    for (const [at, step] of steps.entries()) here[at] = ((here[at] ?? 0) + step) % 1;
    return here.map((share, at) => {
      const values = axisAt(frame, at)?.values;
      return at === resource ? 1 : values ? Math.floor(share * values.length) : share;
    });
  };
}

function near(frame: Frame, centre: Float64Array, spread: number, random: RandomStream): Float64Array {
  const x = centre.slice();
  const share = Math.max(movedShareMin, Math.min(1, movedMean / frame.size));
  for (let at = 0; at < frame.size; at++) {
    const axis = axisAt(frame, at);
    if (axis === undefined || random.next() > share) continue;
    if (axis.values !== null) {
      if (random.next() < otherCategory) x[at] = Math.floor(random.next() * axis.values.length);
      continue;
    }
    const deviation = axis.grid === null ? spread : Math.max(spread, 1 / axis.grid.length);
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    x[at] = (x[at] ?? 0) + deviation * normal;
  }
  return x;
}

/** Shrinks a point of the whole space into the box; some coordinates become those of the box's centre. */
function boxed(
  frame: Frame,
  { high, low }: Box,
  centre: Float64Array | undefined,
  x: Float64Array,
  random: RandomStream,
): void {
  for (let at = 0; at < frame.size; at++) {
    if (at === frame.resource) continue;
    const from = low[at] ?? 0;
    if (at < frame.categories) x[at] = from + (x[at] ?? 0) * ((high[at] ?? 1) - from);
    const stay = at < frame.categories ? boxedStay : boxedCategoryStay;
    if (centre !== undefined && random.next() < stay) x[at] = centre[at] ?? 0;
  }
}

function clamp(frame: Frame, box: Box | null, x: Float64Array): void {
  for (let at = 0; at < frame.categories; at++) {
    if (at !== frame.resource) x[at] = Math.min(box?.high[at] ?? 1, Math.max(box?.low[at] ?? 0, x[at] ?? 0));
  }
}
