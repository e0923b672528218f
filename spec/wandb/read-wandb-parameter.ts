/**
 * One parameter of a W&B sweep file as a distribution of ours. Names, defaults and the inference of what is left
 * out follow W&B's sweep configuration schema.
 */
import { suggestion } from "../../protocol/name.ts";
import { refuseAt, type ImportReading } from "../import/import-reading.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import { describe } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import {
  conversions,
  distributionShapes,
  type ReadParameter,
  type WandbDistribution,
} from "./convert-distribution.ts";

const names = Object.keys(distributionShapes);
const parameterKeys = [
  "distribution",
  "parameters",
  ...new Set(Object.values(distributionShapes).flatMap((shape) => Object.keys(shape))),
];
const gridNames: readonly WandbDistribution[] = ["constant", "categorical", "int_uniform", "q_uniform"];

function isName(name: string): name is WandbDistribution {
  return names.includes(name);
}

export function readParameter(
  reading: ImportReading,
  field: Path,
  raw: unknown,
  method: string,
): ReadParameter | null {
  if (raw === null || typeof raw !== "object" || Array.isArray(raw)) {
    refuseAt(
      reading,
      field,
      `should be a mapping such as {value: 0.1}, {values: [1, 2]} or {min: 0, max: 1}, not ${describe(raw)}`,
    );
    return null;
  }
  const name = nameOf(reading, field, raw);
  if (name === null) return null;
  if (method === "grid" && !gridNames.includes(name)) {
    refuseAt(
      reading,
      field,
      `W&B's grid takes ${gridNames.join(", ")}, and this is ${name}; give a list of values`,
    );
    return null;
  }
  return conversions[name]({ reading, field, raw, name });
}

/** The distribution's name, inferred as W&B does where it is left out: two whole bounds mean whole numbers. */
function nameOf(reading: ImportReading, field: Path, raw: object): WandbDistribution | null {
  const entries = entriesOf(raw);
  const given = entries.get("distribution");
  if (given !== undefined) {
    if (typeof given === "string" && isName(given)) return given;
    const text = typeof given === "string" ? given : describe(given);
    refuseAt(
      reading,
      [...field, "distribution"],
      `W&B has no distribution "${text}", ${suggestion(text, names)}`,
    );
    return null;
  }
  if (entries.has("values"))
    return entries.has("probabilities") ? "categorical_w_probabilities" : "categorical";
  if (entries.has("value")) return "constant";
  if (entries.has("min") && entries.has("max")) {
    const whole = ["min", "max"].every((end) => {
      const node = reading.yaml.nodeAt([...field, end]);
      return node?.kind === "scalar" && node.scalar.kind === "int";
    });
    return whole ? "int_uniform" : "uniform";
  }
  const strange = [...entries.keys()].find((key) => !parameterKeys.includes(key));
  if (strange !== undefined) {
    refuseAt(reading, [...field, strange], `unknown key, ${suggestion(strange, parameterKeys)}`);
    return null;
  }
  if (entries.has("min") || entries.has("max")) {
    const missing = entries.has("min") ? "max" : "min";
    refuseAt(reading, field, `has no ${missing}; a range needs both ends`);
    return null;
  }
  refuseAt(
    reading,
    field,
    `says no values; give value, values, min and max, or a distribution (${names.join(", ")})`,
  );
  return null;
}
