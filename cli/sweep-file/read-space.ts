/**
 * The `models` part: for each model its search space. A plain value is a constant, a list a choice,
 * a mapping a distribution, and an empty model takes its default space. Every value the space can
 * give must be one the model's parameter allows.
 */
import type { ModelDeclaration, ParameterSpec } from "../../agent/task/task.ts";
import { faultOf } from "../../agent/task/parameter.ts";
import { suggestion } from "../../protocol/name.ts";
import {
  distributionNames,
  distributionSchema,
  type Distribution,
  type Space,
} from "../../protocol/space.ts";
import { valueSchema } from "../../protocol/value.ts";
import { describe, parseAt } from "./explain-issue.ts";
import type { LocatedYaml, Path } from "./located-yaml.ts";
import type { Problem } from "./problem.ts";

export interface SpaceReading {
  readonly yaml: LocatedYaml;
  readonly method: "grid" | "random" | null;
  readonly problems: Problem[];
}

export function readSpace(reading: SpaceReading, declaration: ModelDeclaration, value: unknown): Space {
  const base: Path = ["models", declaration.model];
  if (value === null || value === undefined) return checkedDefault(reading, declaration);
  if (typeof value !== "object" || Array.isArray(value)) {
    report(
      reading,
      base,
      `should be a mapping from parameters to their values, or {} for the default space, not ${describe(value)}`,
    );
    return {};
  }
  const given = Object.entries(value);
  if (given.length === 0) return checkedDefault(reading, declaration);
  const space: [string, Distribution][] = [];
  for (const [name, raw] of given) {
    const field = [...base, name];
    const spec = declaration.parameters[name];
    if (spec === undefined) {
      const hint = suggestion(name, Object.keys(declaration.parameters));
      report(reading, field, `model ${declaration.model} has no parameter "${name}", ${hint}`);
      continue;
    }
    const distribution = readDistribution(reading, field, raw);
    if (distribution === null) continue;
    checkBounds(reading, field, spec, distribution, raw);
    checkGrid(reading, field, distribution);
    space.push([name, distribution]);
  }
  return Object.fromEntries(space);
}

function checkedDefault(reading: SpaceReading, declaration: ModelDeclaration): Space {
  for (const [name, distribution] of Object.entries(declaration.defaultSpace)) {
    const why = gridFault(reading, distribution);
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

function readDistribution(reading: SpaceReading, field: Path, raw: unknown): Distribution | null {
  const plain = valueSchema.safeParse(raw);
  if (plain.success) return { distribution: "constant", value: plain.data };
  if (Array.isArray(raw)) {
    const values = raw.map((value: unknown) => valueSchema.safeParse(value));
    const bad = values.findIndex((value) => !value.success);
    if (raw.length === 0) report(reading, field, "an empty list gives nothing to choose from");
    else if (bad >= 0)
      report(reading, [...field, bad], `should be a number, text, true or false, not ${describe(raw[bad])}`);
    else
      return {
        distribution: "choice",
        values: values.flatMap((value) => (value.success ? [value.data] : [])),
      };
    return null;
  }
  if (raw === null || typeof raw !== "object") {
    report(
      reading,
      field,
      `should be a value, a list of values, or a distribution (${distributionNames.join(", ")})`,
    );
    return null;
  }
  if (!("distribution" in raw)) {
    report(reading, field, `needs a key "distribution": one of ${distributionNames.join(", ")}`);
    return null;
  }
  return parseAt(distributionSchema, raw, reading.yaml, field, reading.problems);
}

function checkBounds(
  reading: SpaceReading,
  field: Path,
  spec: ParameterSpec,
  distribution: Distribution,
  raw: unknown,
): void {
  switch (distribution.distribution) {
    case "constant":
      check(reading, field, spec, distribution.value);
      return;
    case "choice": {
      const at = Array.isArray(raw) ? field : [...field, "values"];
      for (const [index, value] of distribution.values.entries()) check(reading, [...at, index], spec, value);
      return;
    }
    case "uniform":
    case "log-uniform":
    case "int":
    case "log-int": {
      if (spec.type === "choice") {
        report(
          reading,
          field,
          `takes one of ${spec.choices.map(describe).join(", ")}, not a range; use a list`,
        );
        return;
      }
      const whole = distribution.distribution === "int" || distribution.distribution === "log-int";
      if (spec.type === "int" && !whole) {
        const right = distribution.distribution === "uniform" ? "int" : "log-int";
        report(reading, [...field, "distribution"], `this parameter is a whole number; use "${right}"`);
        return;
      }
      for (const end of ["min", "max"] as const) check(reading, [...field, end], spec, distribution[end]);
      return;
    }
    case "normal":
    case "log-normal":
      if (spec.type === "float") {
        report(
          reading,
          [...field, "distribution"],
          `${distribution.distribution} has no bounds and this parameter has (${spec.min} to ${spec.max}); use "uniform" or "log-uniform"`,
        );
      } else
        report(
          reading,
          [...field, "distribution"],
          `${distribution.distribution} does not give values this parameter takes`,
        );
  }
}

function check(
  reading: SpaceReading,
  field: Path,
  spec: ParameterSpec,
  value: string | number | boolean,
): void {
  const fault = faultOf(spec, value);
  if (fault !== null) report(reading, field, `${describe(value)} is out of bounds; ${fault}`);
}

function checkGrid(reading: SpaceReading, field: Path, distribution: Distribution): void {
  const fault = gridFault(reading, distribution);
  if (fault !== null) report(reading, field, fault);
}

/** A grid walks finitely many values: constants, choices, whole numbers, and ranges with a step. */
function gridFault(reading: SpaceReading, distribution: Distribution): string | null {
  if (reading.method !== "grid") return null;
  switch (distribution.distribution) {
    case "constant":
    case "choice":
    case "int":
      return null;
    case "uniform":
      return distribution.step === undefined ? "a grid needs a step here, or a list of values" : null;
    default:
      return `a grid cannot walk a ${distribution.distribution} range; give a list of values`;
  }
}

function report(reading: SpaceReading, field: Path, message: string): void {
  reading.problems.push({ line: reading.yaml.lineOf(field), field, message });
}
