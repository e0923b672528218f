/** Independent draws from the sweep's seed; models take turns, so that each gets its share. */
import type { Params, Value } from "../../protocol/value.ts";
import { draw, listValues } from "./draw.ts";
import { randomStream } from "./random-stream.ts";
import type { Sampler } from "./sampler.ts";

/** After so many duplicates in a row the space counts as used up. */
const duplicatesMax = 256;

export const randomSampler: Sampler = {
  size(spec) {
    let size = 0;
    for (const { space } of spec.models) {
      let product = 1;
      for (const distribution of Object.values(space))
        product *= listValues(distribution)?.length ?? Infinity;
      size += product;
    }
    return size;
  },

  propose(spec, draws, isKnown) {
    const { models, search } = spec;
    for (let position = draws; position < draws + duplicatesMax; position++) {
      const chosen = models[position % models.length];
      if (chosen === undefined) return null;
      const random = randomStream(
        search.seed,
        `search/${chosen.model}`,
        Math.floor(position / models.length),
      );
      const params: Record<string, Value> = {};
      for (const [name, distribution] of Object.entries(chosen.space))
        params[name] = draw(distribution, random);
      if (!isKnown(chosen.model, params satisfies Params)) {
        return { model: chosen.model, params, draws: position + 1 };
      }
    }
    return null;
  },

  problem: () => null,
};
