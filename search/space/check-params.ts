/** Are these parameters a point of this space? For trials somebody proposes by hand or from outside. */
import type { Constraint } from "../../protocol/constraint.ts";
import { satisfies } from "../../protocol/constraint.ts";
import { fulfils } from "../../protocol/condition.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { valueIn, type Params, type Value } from "../../protocol/value.ts";

/** What is wrong, with the parameter to blame where it is one; null where nothing is. */
export function faultOfParams(
  space: Space,
  where: readonly Constraint[],
  params: Params,
): { readonly parameter: string | null; readonly message: string } | null {
  for (const name of Object.keys(params)) {
    if (!Object.hasOwn(space, name)) {
      return {
        parameter: name,
        message: `there is no parameter ${name}; ${suggestion(name, Object.keys(space))}`,
      };
    }
  }
  for (const [name, distribution] of Object.entries(space)) {
    const value = valueIn(params, name);
    if (!fulfils(distribution.when, params)) {
      if (value !== undefined)
        return { parameter: name, message: `${name} does not exist with these values` };
    } else if (value === undefined) return { parameter: name, message: `${name} is missing` };
    else if (!isPossible(distribution, value)) {
      return {
        parameter: name,
        message: `${name} cannot be ${JSON.stringify(value)}; it is ${describe(distribution)}`,
      };
    }
  }
  const broken = where.find((constraint) => !satisfies(constraint, params));
  return broken === undefined ? null : { parameter: null, message: `they break ${broken.text}` };
}

function isPossible(distribution: Distribution, value: Value): boolean {
  switch (distribution.distribution) {
    case "constant":
      return value === distribution.value;
    case "choice":
      return distribution.values.includes(value);
    case "int":
    case "log-int":
      return Number.isInteger(value) && isWithin(distribution, value);
    case "uniform":
    case "log-uniform":
      return isWithin(distribution, value);
    case "beta":
      return isWithin({ min: 0, max: 1 }, value);
    case "quantised": {
      const half = distribution.step / 2;
      return isWithin({ min: distribution.min - half, max: distribution.max + half }, value);
    }
    case "normal":
      return typeof value === "number" && Number.isFinite(value);
    case "log-normal":
      return typeof value === "number" && value >= 0 && Number.isFinite(value);
  }
}

function isWithin(bounds: { readonly min?: number; readonly max?: number }, value: Value): boolean {
  const { max = Infinity, min = -Infinity } = bounds;
  return typeof value === "number" && value >= min && value <= max;
}

function describe(distribution: Distribution): string {
  switch (distribution.distribution) {
    case "constant":
      return `always ${JSON.stringify(distribution.value)}`;
    case "choice":
      return `one of ${distribution.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "normal":
    case "log-normal":
    case "beta":
      return `a number (${distribution.distribution})`;
    case "int":
    case "log-int":
    case "uniform":
    case "log-uniform":
    case "quantised":
      return `${distribution.distribution} from ${distribution.min} to ${distribution.max}`;
  }
}
