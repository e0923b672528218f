/**
 * NSGA-II (Deb et al. 2002): a population bred by tournament, uniform crossover and polynomial mutation, survivors by
 * dominance and crowding. The population is worked out anew from the history in each call; trials need not come in
 * generations, so pending ones hold nobody up.
 */
import type { Space } from "../../protocol/space.ts";
import type { Value } from "../../protocol/value.ts";
import { parameterOrder, paramsFrom } from "../space/active.ts";
import type { SearchProblem, SearchSampler, Observation } from "./ask.ts";
import { fromUnit, levels, toUnit } from "../space/axis.ts";
import { sizeOf } from "./leftover.ts";
import { proposeEach, type Turn } from "./propose-each.ts";
import { drawParams } from "./random.ts";
import type { RandomStream } from "../space/random-stream.ts";
import { fronts, crowding, ranked } from "./rank.ts";

const populationMax = 50;
const populationMin = 8;
/** A sweep should live through about so many generations. */
const generations = 5;
const crossoverShare = 0.9;
/** Deb's distribution index: a mutated number moves by about a tenth of its range at first. */
const mutationIndex = 20;

export const nsgaSampler: SearchSampler = {
  name: "nsga-ii",
  learns: true,
  size: sizeOf,
  unsuited: () => null,
  ask(ask) {
    const { problem } = ask;
    const size = populationSize(problem);
    // Pending trials take no part in the breeding, so what this call proposes changes nothing for its later proposals.
    const parents = survivors(ask.history().toSorted(byNumber), size);
    const standing = standingsOf(parents);
    return proposeEach(ask, "search/nsga-ii", (turn) => {
      if (turn.history.length < size || parents.length < 2) {
        return () => ({ params: drawParams(problem, turn.random), parent: null });
      }
      return () => ({ params: child(problem.space, parents, standing, turn), parent: null });
    });
  },
};

function populationSize({ trials }: SearchProblem): number {
  return Math.min(populationMax, Math.max(populationMin, Math.ceil(trials / generations)));
}

function byNumber(a: Observation, b: Observation): number {
  return a.number - b.number;
}

/** The best `size` trials with results, by merging one generation's worth of them after the other. */
function survivors(history: readonly Observation[], size: number): readonly Observation[] {
  const finished = history.filter(({ values }) => values?.every(Number.isFinite) === true);
  let population: readonly Observation[] = [];
  for (let at = 0; at < finished.length; at += size) {
    const merged = [...population, ...finished.slice(at, at + size)];
    const best = ranked(merged.map(({ values }) => values ?? [])).slice(0, size);
    population = best.flatMap((index) => merged.slice(index, index + 1));
  }
  return population;
}

interface Standing {
  readonly front: number;
  readonly crowding: number;
}

function standingsOf(population: readonly Observation[]): readonly Standing[] {
  const points = population.map(({ values }) => values ?? []);
  const standings = points.map((): Standing => ({ front: Infinity, crowding: 0 }));
  for (const [front, members] of fronts(points).entries()) {
    const distances = crowding(points, members);
    for (const [place, member] of members.entries()) {
      standings[member] = { front, crowding: distances[place] ?? 0 };
    }
  }
  return standings;
}

function tournament(
  parents: readonly Observation[],
  standings: readonly Standing[],
  random: RandomStream,
): Observation | undefined {
  const a = Math.floor(random.next() * parents.length);
  const b = Math.floor(random.next() * parents.length);
  const [first, second] = [standings[a], standings[b]];
  if (first === undefined || second === undefined) return parents[a];
  const isFirst =
    first.front === second.front ? first.crowding >= second.crowding : first.front < second.front;
  return parents[isFirst ? a : b];
}

function child(
  space: Space,
  parents: readonly Observation[],
  standings: readonly Standing[],
  { random }: Turn,
) {
  const mother = tournament(parents, standings, random)?.params ?? {};
  const father = random.next() < crossoverShare ? tournament(parents, standings, random)?.params : undefined;
  const movable = parameterOrder(space).filter((name) => {
    const distribution = space[name];
    return distribution !== undefined && levels(distribution) !== 1 && mother[name] !== undefined;
  }).length;
  return paramsFrom(space, (name, distribution): Value => {
    const swapped = random.next() < 0.5;
    const inherited = (swapped ? father?.[name] : undefined) ?? mother[name] ?? father?.[name];
    // Neither parent had the parameter: it exists because of what the child took from both.
    if (inherited === undefined) return fromUnit(distribution, random.next());
    if (random.next() * Math.max(1, movable) >= 1) return inherited;
    if (distribution.distribution === "choice") return fromUnit(distribution, random.next());
    const mutated = mutate(toUnit(distribution, inherited), random.next());
    const value = fromUnit(distribution, mutated);
    const count = levels(distribution);
    // A stepped value that did not move goes to the next one, or small mutations would never show.
    return value === inherited && count !== null && count > 1
      ? fromUnit(distribution, step(toUnit(distribution, inherited), count, random.next()))
      : value;
  });
}

/** Polynomial mutation within 0 to 1 (Deb and Goyal 1996, in the form that respects the bounds). */
function mutate(x: number, u: number): number {
  const power = mutationIndex + 1;
  if (u < 0.5) {
    const reach = 2 * u + (1 - 2 * u) * (1 - x) ** power;
    return x + reach ** (1 / power) - 1;
  }
  const reach = 2 * (1 - u) + (2 * u - 1) * x ** power;
  return x + 1 - reach ** (1 / power);
}

function step(x: number, count: number, u: number): number {
  const moved = x + (u < 0.5 ? -1 : 1) / count;
  return moved < 0 || moved > 1 ? x - (moved - x) : moved;
}
