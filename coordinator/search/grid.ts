/** Every combination, in the stated order: models as listed, the last parameter changing fastest. */
import type { Space } from "../../protocol/space.ts";
import type { Params, Value } from "../../protocol/value.ts";
import { listValues } from "./draw.ts";
import type { Sampler } from "./sampler.ts";

export const gridSampler: Sampler = {
  size: (spec) => spec.models.reduce((sum, { space }) => sum + sizeOf(space), 0),

  propose(spec, draws, isKnown) {
    const size = this.size(spec);
    for (let index = draws; index < size; index++) {
      let left = index;
      for (const { model, space } of spec.models) {
        const within = sizeOf(space);
        if (left >= within) {
          left -= within;
          continue;
        }
        const params = combination(space, left);
        if (!isKnown(model, params)) return { model, params, draws: index + 1 };
        break;
      }
    }
    return null;
  },

  problem(spec) {
    for (const { model, space } of spec.models) {
      for (const [parameter, distribution] of Object.entries(space)) {
        if (listValues(distribution) === null) {
          const message = `a grid cannot list ${distribution.distribution}; give a choice, an int, or a uniform with a step`;
          return { model, parameter, message };
        }
      }
    }
    return null;
  },
};

function valuesOf(space: Space): [string, readonly Value[]][] {
  return Object.entries(space).map(([name, distribution]) => [name, listValues(distribution) ?? []]);
}

function sizeOf(space: Space): number {
  return valuesOf(space).reduce((product, [, values]) => product * values.length, 1);
}

function combination(space: Space, index: number): Params {
  const params: Record<string, Value> = {};
  let left = index;
  for (const [name, values] of valuesOf(space).toReversed()) {
    const value = values[left % values.length];
    if (value !== undefined) params[name] = value;
    left = Math.floor(left / values.length);
  }
  return Object.fromEntries(Object.keys(space).map((name) => [name, params[name] ?? ""]));
}
