/**
 * Which trials count as good ("below") and which do not ("above"). Trials trained for different lengths are compared at
 * one resource, the highest with enough results (BOHB, Falkner et al. 2018). Nothing is modelled here.
 */
import type { Observation } from "../sampler/ask.ts";
import { ranked } from "../sampler/rank.ts";

/** The good ones: a tenth of the finished trials, and no more than this many. */
const goodShare = 0.1;
const goodMax = 25;
const goodMaxOfSeveral = 100;
/** Besides the good ones only this many trials are modelled, the newest; in long sweeps older ones weigh next to nothing. */
const aboveMax = 1000;

export interface Split {
  /** Each from oldest to newest. */
  readonly below: readonly Observation[];
  readonly above: readonly Observation[];
  /** Trials with a value at the resource that was chosen. */
  readonly measured: number;
  /** Trials with a value at any resource. */
  readonly judged: number;
}

/** `enough`: results a resource needs before it is preferred to the lower ones. */
export function splitTrials(history: readonly Observation[], objectives: number, enough: number): Split {
  const resource = modelResource(history, enough);
  const measured: Observation[] = [];
  const points: (readonly number[])[] = [];
  const rest: Observation[] = [];
  for (const trial of history) {
    const point = objectives > 1 ? finalPoint(trial) : pointAt(trial, resource);
    if (point === null) rest.push(trial);
    else {
      measured.push(trial);
      points.push(point);
    }
  }
  const finished = history.filter((trial) => trial.state !== "pending").length;
  const cap = objectives > 1 ? goodMaxOfSeveral : goodMax;
  // Where most trials were given up early, a tenth of all may be every one that was not.
  const good = Math.min(
    Math.ceil(goodShare * Math.max(finished, measured.length)),
    cap,
    Math.ceil(measured.length / 2),
  );
  const order = ranked(points);
  const chosen = new Set(order.slice(0, good));
  const below = measured.filter((_, index) => chosen.has(index));
  const above = [...measured.filter((_, index) => !chosen.has(index)), ...rest];
  return {
    below,
    above: above.toSorted((a, b) => a.number - b.number).slice(-aboveMax),
    measured: measured.length,
    judged: history.filter(({ rungs, values }) => values !== null || rungs.length > 0).length,
  };
}

/** The highest resource at which enough trials have a value; where none has enough, the one with most. */
function modelResource(history: readonly Observation[], enough: number): number {
  const counts = new Map<number, number>();
  for (const trial of history) {
    const resources = new Set(trial.rungs.map((rung) => rung.resource));
    if (trial.values !== null) resources.add(trial.resource);
    for (const resource of resources) counts.set(resource, (counts.get(resource) ?? 0) + 1);
  }
  let best = 0;
  let most = 0;
  for (const [resource, count] of [...counts].toSorted(([a], [b]) => b - a)) {
    if (count >= enough) return resource;
    if (count > most) {
      best = resource;
      most = count;
    }
  }
  return best;
}

/** What the trial had at the resource, or, where it went beyond without being judged there, what it had at its end. */
function pointAt(trial: Observation, resource: number): readonly number[] | null {
  const rung = trial.rungs.find((candidate) => candidate.resource === resource);
  if (rung !== undefined) return Number.isFinite(rung.value) ? [rung.value] : null;
  return trial.resource >= resource ? finalPoint(trial) : null;
}

function finalPoint({ values }: Observation): readonly number[] | null {
  return values !== null && values.every(Number.isFinite) ? values : null;
}
