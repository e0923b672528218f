/** The sampler a sweep names. Adding one is adding a file and a case here. */
import type { SweepSpec } from "../../protocol/sweep.ts";
import { gridSampler } from "./grid.ts";
import { randomSampler } from "./random.ts";
import type { Sampler } from "./sampler.ts";

export function samplerFor(spec: SweepSpec): Sampler {
  switch (spec.search.method) {
    case "grid":
      return gridSampler;
    default:
      return randomSampler;
  }
}
