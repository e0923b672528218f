/** The sampler a sweep names. Adding one is adding a file and a line here. */
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { SearchProblem, SearchSampler } from "../sampler/ask.ts";
import { autoSampler } from "./auto.ts";
import { cmaSampler } from "../cma-es/cma-es.ts";
import { gpSampler } from "../gp/gp.ts";
import { gridSampler } from "../sampler/grid.ts";
import { nsgaSampler } from "../sampler/nsga-ii.ts";
import { pbtSampler } from "../sampler/pbt.ts";
import { randomSampler } from "../sampler/random.ts";
import type { Sampler } from "./sampler.ts";
import { sobolSampler } from "../sampler/sobol.ts";
import { tpeSampler } from "../tpe/tpe.ts";
import { walkOf } from "../space/walk.ts";

type MethodName = SweepSpec["search"]["method"];

const searchSamplers: Readonly<Partial<Record<MethodName, SearchSampler>>> = {
  auto: autoSampler,
  grid: gridSampler,
  random: randomSampler,
  sobol: sobolSampler,
  tpe: tpeSampler,
  gp: gpSampler,
  "cma-es": cmaSampler,
  pbt: pbtSampler,
  "nsga-ii": nsgaSampler,
};

/** Null for methods whose proposals do not come from here. */
export function samplerNamed(method: MethodName): SearchSampler | null {
  return searchSamplers[method] ?? null;
}

/** True where a proposal needs the sweep's results. */
export function learns(method: MethodName): boolean {
  return samplerNamed(method)?.learns === true;
}

/**
 * The sweep's sampler, for a sweep with a space per model: a grid goes through one model after the other, any other
 * sequence serves the models in turn. Samplers that learn from results are not offered here; random stands in for them.
 */
export function samplerFor(spec: SweepSpec): Sampler {
  const named = samplerNamed(spec.search.method);
  const sampler = named === null || named.learns ? randomSampler : named;
  const ofModel = (index: number): { model: string; problem: SearchProblem } | null => {
    const entry = spec.models[index];
    if (entry === undefined) return null;
    const { model, space, where } = entry;
    return {
      model,
      problem: { space, where, seed: spec.search.seed, trials: spec.search.trials, objectives: 1 },
    };
  };
  const ask = (index: number, position: number, isKnown: Parameters<Sampler["propose"]>[1]) => {
    const entry = ofModel(index);
    if (entry === null) return null;
    const { model, problem } = entry;
    const known = (params: Parameters<typeof isKnown>[1]) => isKnown(model, params);
    const answer = sampler.ask({ problem, position, count: 1, history: () => [], isKnown: known });
    const first = answer.suggestions[0];
    return first === undefined ? null : { model, params: first.params, position: answer.position };
  };

  return {
    size() {
      let size = 0;
      for (const index of spec.models.keys()) {
        const entry = ofModel(index);
        if (entry !== null) size += sampler.size(entry.problem);
      }
      return size;
    },

    propose(draws, isKnown) {
      const count = spec.models.length;
      if (sampler === gridSampler) return proposeInTurn(draws, isKnown);
      for (let skip = 0; skip < count; skip++) {
        const index = (draws + skip) % count;
        const found = ask(index, Math.floor((draws + skip) / count), isKnown);
        if (found !== null) {
          const { model, params, position } = found;
          return { model, params, draws: Math.max(draws + skip, (position - 1) * count + index) + 1 };
        }
      }
      return null;
    },

    problem() {
      for (const index of spec.models.keys()) {
        const entry = ofModel(index);
        const unsuited = entry === null ? null : sampler.unsuited(entry.problem);
        if (entry !== null && unsuited !== null) return { model: entry.model, ...unsuited };
      }
      return null;
    },
  };

  /** Draws count on over all models: those of the models before, then the position within one. */
  function proposeInTurn(draws: number, isKnown: Parameters<Sampler["propose"]>[1]) {
    let before = 0;
    for (const [index, { space }] of spec.models.entries()) {
      const size = walkOf(space)?.count ?? 0;
      if (draws < before + size) {
        const found = ask(index, Math.max(0, draws - before), isKnown);
        if (found !== null)
          return { model: found.model, params: found.params, draws: before + found.position };
      }
      before += size;
    }
    return null;
  }
}
