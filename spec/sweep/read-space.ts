/**
 * The `models` part: for each model its search space and its constraints (`where`). An empty model takes its default
 * space. Every value the space can give must be one the model's parameter allows.
 */
import type { ModelDeclaration } from "../../training/task/task.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { checkBounds } from "./check-bounds.ts";
import { checkWhen } from "./check-when.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { gridFault, readDistribution, report, type SpaceReading } from "./read-distribution.ts";
import { readWhere } from "./read-where.ts";

/** No parameter of a model may be called so. */
export const whereKey = "where";

export function readModel(
  reading: SpaceReading,
  declaration: ModelDeclaration,
  value: unknown,
): SweepSpec["models"][number] {
  const { model } = declaration;
  const base: Path = ["models", model];
  if (value !== null && value !== undefined && (typeof value !== "object" || Array.isArray(value))) {
    report(
      reading,
      base,
      `should be a mapping from parameters to their values, or {} for the default space, not ${describe(value)}`,
    );
    return { model, space: {}, where: [] };
  }
  const given = Object.entries(value ?? {}).filter(([name]) => name !== whereKey);
  const before = reading.problems.length;
  const space =
    given.length === 0 ? checkedDefault(reading, declaration) : readSpace(reading, declaration, given);
  if (reading.problems.length > before) return { model, space, where: [] };
  checkWhen(reading, base, space);
  const raw: unknown = value === null || value === undefined ? undefined : Reflect.get(value, whereKey);
  return { model, space, where: readWhere(reading, [...base, whereKey], raw, space, `model ${model}`) };
}

function readSpace(
  reading: SpaceReading,
  declaration: ModelDeclaration,
  given: readonly (readonly [string, unknown])[],
): Space {
  const space: [string, Distribution][] = [];
  for (const [name, raw] of given) {
    const field = ["models", declaration.model, name];
    const spec = declaration.parameters[name];
    if (spec === undefined) {
      const hint = suggestion(name, [...Object.keys(declaration.parameters), whereKey]);
      report(reading, field, `model ${declaration.model} has no parameter "${name}", ${hint}`);
      continue;
    }
    const distribution = readDistribution(reading, field, raw);
    if (distribution === null) continue;
    checkBounds(reading, field, spec, distribution, raw);
    const fault = gridFault(reading.method, distribution);
    if (fault !== null) report(reading, field, fault);
    space.push([name, distribution]);
  }
  return Object.fromEntries(space);
}

function checkedDefault(reading: SpaceReading, declaration: ModelDeclaration): Space {
  for (const [name, distribution] of Object.entries(declaration.defaultSpace)) {
    const why = gridFault(reading.method, distribution);
    if (why !== null) {
      report(
        reading,
        ["models", declaration.model],
        `a grid cannot walk the default space (${name} is ${distribution.distribution}); list the values of each parameter`,
      );
      break;
    }
  }
  return declaration.defaultSpace;
}
