/**
 * Bayesian optimisation with Gaussian processes, proposals taken in turn from a model of everything and from a model of
 * the best trial's neighbourhood. Nothing is kept between calls: every model is fitted from the history, in a bounded
 * amount of work. With several objectives each proposal weighs them anew.
 */
import { paramsFrom } from "../space/active.ts";
import type { Ask, SearchSampler, Suggestion, Observation } from "../sampler/ask.ts";
import { fromUnit, levels } from "../space/axis.ts";
import { sizeOf } from "../sampler/leftover.ts";
import { proposeEach, type Turn } from "../sampler/propose-each.ts";
import { randomStream } from "../space/random-stream.ts";
import { scrambledSobol } from "../sampler/sobol.ts";
import { acquire } from "./acquire.ts";
import { evenly } from "./candidates.ts";
import { encode } from "./frame.ts";
import { globalModel, localModel, type Model } from "./model.ts";
import { resultsIn, studyOf, type Study } from "./study.ts";

const purpose = "search/gp";
/** Sobol points before the first model: twice one more than the dimensions, within limits and the sweep's own. */
const startMax = 10;
const startMin = 4;
const startShareMax = 0.25;
/** Every so many proposals one comes from the local model. */
const localEvery = 2;
/** Best points that candidates are drawn around. */
const centresMax = 5;

export const gpSampler: SearchSampler = {
  name: "gp",
  learns: true,
  size: sizeOf,
  unsuited: () => null,
  ask: (ask) => proposeEach(ask, purpose, proposer(ask), noteOn(ask)),
};

/** Trials that are placed evenly, before there is anything to learn from. */
export function startOf({ space, trials }: Ask["problem"]): number {
  const dimensions = Object.values(space).filter((distribution) => levels(distribution) !== 1).length;
  const wanted = Math.min(2 * (dimensions + 1), startMax, Math.ceil(startShareMax * trials));
  return Math.max(startMin, wanted);
}

function isStart({ problem }: Ask, history: readonly Observation[]): boolean {
  const start = startOf(problem);
  return history.length < start || resultsIn(history) < Math.ceil(start / 2);
}

function noteOn(ask: Ask): string {
  const history = ask.history();
  if (isStart(ask, history)) return "placed evenly (Sobol), until there are enough results to fit a model";
  return `the largest expected improvement under a Gaussian process fitted to ${resultsIn(history)} results`;
}

function proposer(ask: Ask): (turn: Turn) => () => Suggestion | null {
  const { problem } = ask;
  const told = ask.history().length;
  const models = new Map<"global" | "local", { model: Model; study: Study; known: number }>();
  const prepare = (turn: Turn) => {
    const { history } = turn;
    const kind = history.length % localEvery === 0 && problem.objectives === 1 ? "local" : "global";
    const kept = problem.objectives === 1 ? models.get(kind) : undefined;
    if (kept === undefined) {
      const study = studyOf(
        problem,
        history,
        randomStream(problem.seed, `${purpose}/weights`, turn.position),
      );
      const room = study.pending.length + ask.count;
      const model =
        kind === "local" && study.frame.resource < 0
          ? localModel(study, room, startOf(problem))
          : globalModel(study, room);
      models.set(kind, { model, study, known: history.length });
      return { model, study };
    }
    // Proposals of this call since the model was made.
    for (const { params } of history.slice(Math.max(told, kept.known))) {
      const point = new Float64Array(kept.study.frame.size);
      encode(kept.study.frame, params, 1, point);
      kept.model.expect(point);
    }
    kept.known = history.length;
    return kept;
  };

  return (turn) => {
    if (isStart(ask, turn.history)) return once(() => sobolPoint(ask, turn.position));
    return once(() => {
      const { model, study } = prepare(turn);
      const params = acquire({
        model,
        centres: centresOf(study, turn),
        random: turn.random,
        where: problem.where,
        admits: turn.admits,
      });
      return params && { params, parent: null };
    });
  };
}

/** What a proposal does not depend on is not worked out again where it may not be proposed. */
function once(propose: () => Suggestion | null): () => Suggestion | null {
  let isFirst = true;
  return () => {
    if (!isFirst) return null;
    isFirst = false;
    return propose();
  };
}

function sobolPoint({ problem }: Ask, position: number): Suggestion {
  const names = Object.keys(problem.space);
  const point = scrambledSobol(names.length, problem.seed)(position);
  const params = paramsFrom(problem.space, (name, distribution) =>
    fromUnit(distribution, point[names.indexOf(name)] ?? 0.5),
  );
  return { params, parent: null };
}

/** The best points, complete: where a parameter is inactive it gets some value, should a candidate activate it. */
function centresOf({ frame, rows, values }: Study, { random }: Turn): readonly Float64Array[] {
  const { resource, size } = frame;
  const next = evenly(frame, random);
  const order = [...values.keys()].toSorted((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b);
  return order.slice(0, centresMax).map((row) => {
    const filler = next();
    const full = rows.slice(row * size, (row + 1) * size);
    if (resource >= 0) full[resource] = 1;
    return full.map((value, at) => (value < 0 ? (filler[at] ?? 0) : value));
  });
}
