/**
 * Finds the trial with the largest log expected improvement: many candidates, then climbs from the most promising. How
 * many there are of each depends on the number of points alone, so that a proposal takes about the same time with few
 * and with many results, and is the same on every machine.
 */
import { satisfies, type Constraint } from "../../protocol/constraint.ts";
import type { Params } from "../../protocol/value.ts";
import type { RandomStream } from "../space/random-stream.ts";
import { candidatesOn, type Ground } from "./candidates.ts";
import { climb } from "./climb.ts";
import { decode, encode, mask, snap, valuesIn, type Frame } from "./frame.ts";
import { logImprovement } from "./log-improvement.ts";
import type { Model } from "./model.ts";

/** Work of the candidates and of the climbs, in units of count²/2 + 40·count per evaluation. */
const candidateWorkMax = 11_000_000;
const climbWorkMax = 7_000_000;
const candidatesMax = 2048;
const candidatesMin = 256;
const climbsMax = 10;
const climbsMin = 3;
/** More evaluations per coordinate, and as many again, bring a climb nothing. */
const evaluationsPerCoordinate = 10;
/** A climb with fewer evaluations than this is not worth its start. */
const evaluationsPerClimbMin = 12;
/** Starts of climbs differ by this share of an axis on average. */
const apartMin = 0.02;

interface Hunt {
  readonly model: Model;
  /** Full points to look around, best first. */
  readonly centres: readonly Float64Array[];
  readonly random: RandomStream;
  readonly where: readonly Constraint[];
  readonly admits: (params: Params) => boolean;
}

/** Null where nothing that was looked at may be proposed. */
export function acquire({ admits, centres, model, random, where }: Hunt): Params | null {
  const { box, posterior } = model;
  const { frame } = posterior;
  const best = model.best();
  const point = new Float64Array(frame.size);
  const names = [...new Set(where.flatMap(({ terms }) => terms.flatMap(({ parameters }) => parameters)))];
  const allows = (full: Float64Array) => {
    if (where.length === 0) return true;
    mask(frame, full, point);
    const params = valuesIn(frame, point, names);
    return where.every((constraint) => satisfies(constraint, params));
  };
  const ground: Ground = { frame, box, centres, allows };
  const count = posterior.count();
  const work = count ** 2 / 2 + 40 * count + 200;
  const total = Math.min(candidatesMax, Math.max(candidatesMin, Math.floor(candidateWorkMax / work)));
  const ordered = byScore(candidatesOn(ground, total, random), model);

  const found: { params: Params | null; score: number } = { params: null, score: -Infinity };
  const consider = (x: Float64Array) => {
    snap(frame, x);
    const params = decode(frame, x);
    // What is run is the snapped value, so that is what is scored.
    encode(frame, params, 1, point);
    const score = logImprovement(posterior.at(point), best).value;
    if ((found.params !== null && score <= found.score) || !admits(params)) return;
    found.params = params;
    found.score = score;
  };
  const evaluations = Math.floor(climbWorkMax / (2 * work));
  const climbs = Math.min(climbsMax, Math.max(climbsMin, Math.floor(evaluations / evaluationsPerClimbMin)));
  const starts = apart(frame, ordered, climbs);
  const each = Math.min(Math.floor(evaluations / climbs), evaluationsPerCoordinate * (frame.size + 1));
  for (const start of starts) {
    const x = start.slice();
    climb({ ground, posterior, best, random }, x, each);
    consider(x);
  }
  for (const x of ordered) {
    if (found.params !== null) break;
    consider(x.slice());
  }
  return found.params;
}

function byScore(candidates: readonly Float64Array[], { best, posterior }: Model): readonly Float64Array[] {
  const { frame } = posterior;
  const { size } = frame;
  const points = new Float64Array(candidates.length * size);
  for (const [index, x] of candidates.entries())
    mask(frame, x, points.subarray(index * size, (index + 1) * size));
  const means = new Float64Array(candidates.length);
  const variances = new Float64Array(candidates.length);
  posterior.many(points, candidates.length, means, variances);
  const least = best();
  const scores = means.map(
    (mean, index) => logImprovement({ mean, variance: variances[index] ?? 0 }, least).value,
  );
  return [...candidates.keys()]
    .toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
    .flatMap((index) => candidates[index] ?? []);
}

/** The first of the list, and those that follow at some distance from all taken before. */
function apart({ size }: Frame, list: readonly Float64Array[], most: number): readonly Float64Array[] {
  const chosen: Float64Array[] = [];
  for (const x of list) {
    if (chosen.length >= most) break;
    const isNear = chosen.some(
      (other) => x.reduce((sum, value, at) => sum + Math.abs(value - (other[at] ?? 0)), 0) < apartMin * size,
    );
    if (!isNear) chosen.push(x);
  }
  return chosen;
}
