/**
 * Population based training (Jaderberg et al. 2017, defaults as in Ray): once the first trials are under way, each new one
 * starts from the checkpoint of a trial among the best at the same resource, its parameters changed a little. Which trials
 * end to make room is the stopping policy's business; nothing waits for a whole generation.
 */
import type { Distribution, Space } from "../../protocol/space.ts";
import { valueIn, type Params, type Value } from "../../protocol/value.ts";
import { paramsFrom } from "../space/active.ts";
import type { SearchProblem, SearchSampler, Observation } from "./ask.ts";
import { fromUnit, nth, levels, toUnit } from "../space/axis.ts";
import { sizeOf } from "./leftover.ts";
import { proposeEach } from "./propose-each.ts";
import { drawParams } from "./random.ts";
import type { RandomStream } from "../space/random-stream.ts";

const quantile = 0.25;
const resampleShare = 0.25;
const perturbUp = 1.2;
const perturbDown = 0.8;
const populationMax = 16;
const populationMin = 4;
/** A fourth of the sweep's trials begin from nothing, within the limits above. */
const populationShare = 0.25;

export const pbtSampler: SearchSampler = {
  name: "pbt",
  learns: true,
  size: sizeOf,
  unsuited: () => null,
  ask(ask) {
    const { problem } = ask;
    return proposeEach(ask, "search/pbt", ({ history, random }) => {
      const best = history.length < populationSize(problem) ? [] : topQuantile(history);
      return () => {
        const parent = best[Math.floor(random.next() * best.length)];
        if (parent === undefined) return { params: drawParams(problem, random), parent: null };
        return { params: explore(problem.space, parent.params, random), parent: parent.number };
      };
    });
  },
};

export function populationSize({ trials }: SearchProblem): number {
  return Math.min(populationMax, Math.max(populationMin, Math.ceil(trials * populationShare)));
}

/** The best quarter at the highest resource that a quarter can be told from, or at the one reached by most. */
function topQuantile(history: readonly Observation[]): readonly Observation[] {
  const byResource = new Map<number, Map<Observation, number>>();
  const note = (trial: Observation, resource: number, value: number | undefined) => {
    if (value === undefined || !Number.isFinite(value)) return;
    const there = byResource.get(resource) ?? new Map<Observation, number>();
    there.set(trial, value);
    byResource.set(resource, there);
  };
  for (const trial of history) {
    // A failed trial's checkpoint is not to be trusted, whatever it measured before.
    if (trial.state === "failed") continue;
    for (const { resource, value } of trial.rungs) note(trial, resource, value);
    note(trial, trial.resource, trial.values?.[0]);
  }
  const rungs = [...byResource].toSorted(([a], [b]) => b - a).map(([, trials]) => trials);
  const most = rungs.toSorted((a, b) => b.size - a.size)[0];
  const rung = rungs.find(({ size }) => size >= 1 / quantile) ?? most;
  const order = [...(rung ?? [])].toSorted(([, a], [, b]) => a - b).map(([trial]) => trial);
  return order.slice(0, Math.ceil(quantile * order.length));
}

/**
 * Each parameter is drawn anew or moved by a fifth, except those that others depend on: they decide what is trained, and
 * the parent's checkpoint would not fit another model.
 */
function explore(space: Space, params: Params, random: RandomStream): Params {
  const deciding = new Set(Object.values(space).flatMap(({ when }) => Object.keys(when ?? {})));
  return paramsFrom(space, (name, distribution): Value => {
    const inherited = valueIn(params, name);
    if (inherited !== undefined && deciding.has(name)) return inherited;
    const isDrawn = random.next() < resampleShare;
    const isUp = random.next() < 0.5;
    if (isDrawn || inherited === undefined) return fromUnit(distribution, random.next());
    return perturb(distribution, inherited, isUp);
  });
}

/** A number times 1.2 or 0.8; where that lands on the same step, and in a list, the neighbour. */
function perturb(distribution: Distribution, value: Value, isUp: boolean): Value {
  if (distribution.distribution === "constant") return value;
  const count = levels(distribution);
  if (typeof value === "number" && distribution.distribution !== "choice") {
    const factor = isUp ? perturbUp : perturbDown;
    const moved = fromUnit(distribution, toUnit(distribution, value * factor));
    if (count === null || moved !== value) return moved;
  }
  if (count === null) return value;
  const at = Array.from({ length: count }, (_, index) => nth(distribution, index)).indexOf(value);
  return nth(distribution, Math.min(count - 1, Math.max(0, at + (isUp ? 1 : -1)))) ?? value;
}
