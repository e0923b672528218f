/**
 * Tree-structured Parzen estimator (Bergstra 2011; multivariate as in BOHB, parameters as in Optuna 5): densities of good
 * and of other trials, and of the candidates the one where they differ most. Pending and failed trials stand with the
 * others (constant liar). Parameters that exist under the same condition are modelled together. Unlike Optuna's, the
 * first trials are Sobol points: on the usual test functions that found better values than random ones did.
 */
import { fulfils } from "../../protocol/condition.ts";
import type { Space } from "../../protocol/space.ts";
import { valueIn, type Params } from "../../protocol/value.ts";
import { keyOf, parameterOrder, paramsFrom } from "../space/active.ts";
import type { SearchSampler, Suggestion, Observation } from "../sampler/ask.ts";
import { fromUnit, levels } from "../space/axis.ts";
import { sizeOf } from "../sampler/leftover.ts";
import { proposeEach, type Turn } from "../sampler/propose-each.ts";
import { sobolTrials } from "../sampler/sobol.ts";
import { parzenOf, type Dimension, type Parzen } from "./parzen.ts";
import { splitTrials } from "./split-trials.ts";

const startupTrials = 10;
const candidateCount = 24;
/** In a small or constrained space so many combinations of candidates are tried for one that may be proposed. */
const combinationsMax = 64;

export const tpeSampler: SearchSampler = {
  name: "tpe",
  learns: true,
  size: sizeOf,
  unsuited: () => null,
  ask(ask) {
    const { problem } = ask;
    const stages = stagesOf(problem.space);
    const dimensions = stages.reduce((sum, stage) => sum + stage.dimensions.length, 0);
    const first = sobolTrials(problem);
    return proposeEach(ask, "search/tpe", (turn) => {
      const split = splitTrials(turn.history, problem.objectives, dimensions + 2);
      if (split.judged < startupTrials || dimensions === 0) {
        return () => ({ params: first(turn.position), parent: null });
      }
      const groups = stages.map(({ dimensions: own, fixed }) => ({
        fixed,
        when: own[0]?.distribution.when,
        candidates: proposer(own, split.below, split.above, turn),
      }));
      return () => combine(problem.space, groups, turn);
    });
  },
};

/** Parameters that are chosen at one go: those of a group, or one that has only one value. */
interface Stage {
  readonly dimensions: readonly Dimension[];
  /** The parameter has one value and needs no model. */
  readonly fixed: Dimension | null;
}

/** Groups are parameters of the same condition. Parents come before those that depend on them. */
function stagesOf(space: Space): readonly Stage[] {
  const stages: Stage[] = [];
  const groups = new Map<string, Dimension[]>();
  for (const name of parameterOrder(space)) {
    const distribution = space[name];
    if (distribution === undefined) continue;
    if (levels(distribution) === 1) {
      stages.push({ dimensions: [], fixed: { name, distribution } });
      continue;
    }
    const key = JSON.stringify(distribution.when ?? null);
    const group = groups.get(key);
    if (group !== undefined) {
      group.push({ name, distribution });
      continue;
    }
    const dimensions = [{ name, distribution }];
    groups.set(key, dimensions);
    stages.push({ dimensions, fixed: null });
  }
  return stages;
}

interface Group {
  readonly fixed: Dimension | null;
  readonly when: Dimension["distribution"]["when"];
  /** Fresh candidates for the group's parameters, the most promising first. */
  readonly candidates: () => readonly Params[];
}

function proposer(
  dimensions: readonly Dimension[],
  below: readonly Observation[],
  above: readonly Observation[],
  { random }: Turn,
): () => readonly Params[] {
  if (dimensions.length === 0) return () => [];
  const having = (trials: readonly Observation[]) =>
    trials
      .filter(({ params }) => dimensions.every(({ name }) => valueIn(params, name) !== undefined))
      .map(({ params }) => params);
  let estimators: { readonly good: Parzen; readonly other: Parzen } | null = null;
  return () => {
    // A group that the chosen parents leave out costs nothing.
    estimators ??= {
      good: parzenOf(dimensions, having(below)),
      other: parzenOf(dimensions, having(above)),
    };
    const { good, other } = estimators;
    const drawn = new Map<string, Params>();
    for (let index = 0; index < candidateCount; index++) {
      const params = good.sample(random);
      drawn.set(keyOf(params), params);
    }
    const candidates = [...drawn.values()];
    const gain = good.logDensity(candidates);
    for (const [index, loss] of other.logDensity(candidates).entries())
      gain[index] = (gain[index] ?? 0) - loss;
    const order = [...candidates.keys()].toSorted((a, b) => (gain[b] ?? 0) - (gain[a] ?? 0));
    return order.flatMap((index) => candidates.slice(index, index + 1));
  };
}

/** The most promising candidate of each group that exists, the first combination that may be proposed. */
function combine(space: Space, groups: readonly Group[], { admits }: Turn): Suggestion | null {
  let left = combinationsMax;
  const from = (at: number, chosen: Params): Params | null => {
    const group = groups[at];
    if (group === undefined) {
      left--;
      const params = paramsFrom(space, (name, distribution) => chosen[name] ?? fromUnit(distribution, 0.5));
      return admits(params) ? params : null;
    }
    if (group.fixed !== null) {
      const { distribution, name } = group.fixed;
      const exists = fulfils(distribution.when, chosen);
      return from(at + 1, exists ? { ...chosen, [name]: fromUnit(distribution, 0.5) } : chosen);
    }
    if (!fulfils(group.when, chosen)) return from(at + 1, chosen);
    for (const candidate of group.candidates()) {
      const found = from(at + 1, { ...chosen, ...candidate });
      if (found !== null || left <= 0) return found;
    }
    return null;
  };
  const params = from(0, {});
  return params === null ? null : { params, parent: null };
}
