/**
 * CMA-ES for numbers: the search distribution is worked out anew from the history in each call, a generation being the
 * trials of so many consecutive numbers. Points are those of the parameters as they were run, so trials proposed by
 * anything else, late ones and missing ones do no harm. Lists are drawn at random beside it.
 */
import type { Space } from "../../protocol/space.ts";
import { valueIn } from "../../protocol/value.ts";
import { paramsFrom } from "../space/active.ts";
import type { SearchProblem, SearchSampler, Observation } from "../sampler/ask.ts";
import { cellOf, fromUnit, levels, toUnit, type Cell } from "../space/axis.ts";
import { sizeOf } from "../sampler/leftover.ts";
import { normalQuantile } from "../../numeric/normal-law.ts";
import { proposeEach, type Turn } from "../sampler/propose-each.ts";
import { randomStream } from "../space/random-stream.ts";
import { ranked } from "../sampler/rank.ts";
import {
  initialState,
  populationOf,
  ratesOf,
  sampleAt,
  updated,
  type CmaRates,
  type CmaState,
} from "./generation.ts";
import { withMargin } from "./margin.ts";

const initialSigma = 1 / 6;
/** Share of a generation that must have ended before it counts; the others join when they do. */
const quorum = 0.5;
/** Below this share of the unit axis the search has converged and starts again elsewhere. */
const convergedWidth = 1e-9;
/** As it has when a generation and the best of the ones before it differ by no more than this share of their size. */
const convergedShare = 1e-12;
const restartGrowth = 2;
const purpose = "search/cma-es";

export const cmaSampler: SearchSampler = {
  name: "cma-es",
  learns: true,
  size: sizeOf,

  unsuited({ space }) {
    for (const [parameter, { when }] of Object.entries(space)) {
      if (when === undefined) continue;
      return {
        parameter,
        message: "cma-es needs every parameter in every trial; search conditions with tpe or auto",
      };
    }
    const [first] = Object.keys(space);
    if (first === undefined || axesOf(space).length > 0) return null;
    return {
      parameter: first,
      message: "cma-es moves numbers only, and there is none here; use tpe or auto",
    };
  },

  ask(ask) {
    const { problem } = ask;
    const axes = axesOf(problem.space);
    const note = Object.values(problem.space).some((d) => d.distribution === "choice" && levels(d) !== 1)
      ? "cma-es over the numbers; lists are drawn at random"
      : null;
    // What this call proposes is pending and changes no generation: one replay serves all of it.
    const state = axes.length === 0 ? null : replay(problem, axes, ask.history().toSorted(byNumber));
    return proposeEach(
      ask,
      purpose,
      (turn) => () => ({
        params: draw(problem.space, axes, state, turn),
        parent: null,
      }),
      note,
    );
  },
};

function byNumber(a: Observation, b: Observation): number {
  return a.number - b.number;
}

/** The parameters it moves: numbers of more than one value. */
function axesOf(space: Space): readonly string[] {
  return Object.entries(space)
    .filter(([, distribution]) => distribution.distribution !== "choice" && levels(distribution) !== 1)
    .map(([name]) => name);
}

function draw(space: Space, axes: readonly string[], state: CmaState | null, { random }: Turn) {
  const point = state === null ? null : drawPoint(state, () => normalQuantile(random.next() || 0.5));
  return paramsFrom(space, (name, distribution) =>
    fromUnit(distribution, point?.[axes.indexOf(name)] ?? random.next()),
  );
}

/** Points outside the cube are drawn again, ten times per dimension at most, and then moved to its border. */
function drawPoint(state: CmaState, gaussian: () => number): Float64Array {
  const d = state.mean.length;
  let point = sampleAt(state, Float64Array.from({ length: d }, gaussian));
  for (let attempt = 0; attempt < 10 * d && !isInCube(point); attempt++) {
    point = sampleAt(state, Float64Array.from({ length: d }, gaussian));
  }
  return point.map((x) => Math.min(1, Math.max(0, x)));
}

function isInCube(point: Float64Array): boolean {
  return point.every((x) => x >= 0 && x <= 1);
}

/** The search distribution after all observations. */
function replay(problem: SearchProblem, axes: readonly string[], history: readonly Observation[]): CmaState {
  const d = axes.length;
  const cells = cellsOf(problem.space, axes);
  let rates = ratesOf(d, populationOf(d));
  let restarts = 0;
  let state = withMargin(initialState(new Float64Array(d).fill(0.5), initialSigma), rates.lambda, cells);
  let bests: number[] = [];
  for (let at = 0; at + rates.lambda <= history.length;) {
    const generation = history.slice(at, at + rates.lambda);
    at += rates.lambda;
    const ended = generation.filter(({ state: how }) => how !== "pending");
    if (ended.length < quorum * generation.length) continue;
    const order = rankedTrials(ended);
    if (order.length === 0) continue;
    const points = order.map((trial) => pointOf(problem.space, axes, trial));
    const next = updated(state, rates, points);
    bests = [...bests, order[0]?.values?.[0] ?? Infinity];
    if (next !== null && !hasConverged(next, rates, bests)) {
      state = withMargin(next, rates.lambda, cells);
      continue;
    }
    restarts++;
    bests = [];
    rates = ratesOf(d, populationOf(d) * restartGrowth ** restarts);
    const random = randomStream(problem.seed, `${purpose}/restart`, restarts);
    const start = Float64Array.from({ length: d }, () => random.next());
    state = withMargin(initialState(start, initialSigma), rates.lambda, cells);
  }
  return state;
}

/** From best to worst. Those without a result say only where not to go, which is what leaving them out does. */
function rankedTrials(ended: readonly Observation[]): readonly Observation[] {
  const valued = ended.filter(({ values }) => values?.every(Number.isFinite) === true);
  const longest = Math.max(...valued.map(({ resource }) => resource));
  // A trial stopped early is behind those that went on, whatever it had by then.
  const full = valued.filter(({ resource, state }) => state !== "stopped" || resource >= longest);
  const early = valued.filter((trial) => !full.includes(trial));
  return [full, early].flatMap((part) =>
    ranked(part.map(({ values }) => values ?? [])).flatMap((index) => part.slice(index, index + 1)),
  );
}

function pointOf(space: Space, axes: readonly string[], { params }: Observation): Float64Array {
  return Float64Array.from(axes, (name) => {
    const distribution = space[name];
    const value = valueIn(params, name);
    return distribution === undefined || value === undefined ? 0.5 : toUnit(distribution, value);
  });
}

function cellsOf(space: Space, axes: readonly string[]) {
  return (axis: number, coordinate: number): Cell | null => {
    const distribution = space[axes[axis] ?? ""];
    if (distribution === undefined) return null;
    const cell = cellOf(distribution, fromUnit(distribution, coordinate));
    return cell.high > cell.low ? cell : null;
  };
}

function hasConverged(state: CmaState, { lambda }: CmaRates, bests: readonly number[]): boolean {
  const d = state.mean.length;
  let widest = 0;
  for (let i = 0; i < d; i++) {
    const deviation = state.sigma * (state.stretch[i] ?? 1) * Math.sqrt(state.covariance[i * d + i] ?? 0);
    widest = Math.max(widest, deviation);
  }
  if (widest < convergedWidth) return true;
  const recent = bests.slice(-(10 + Math.ceil((30 * d) / lambda)));
  if (recent.length < 10 + Math.ceil((30 * d) / lambda)) return false;
  const [low, high] = [Math.min(...recent), Math.max(...recent)];
  return high - low <= convergedShare * Math.max(Math.abs(low), Math.abs(high));
}
