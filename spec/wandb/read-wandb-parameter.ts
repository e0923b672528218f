/**
 * One parameter of a W&B sweep file as a distribution of ours. Names, defaults and the inference of what is left
 * out follow W&B's sweep configuration schema.
 */
import * as z from "zod";
import { suggestion } from "../../protocol/name.ts";
import type { Distribution } from "../../protocol/space.ts";
import { valueSchema, type Value } from "../../protocol/value.ts";
import { describe, parseAt } from "../yaml/explain-issue.ts";
import { entriesOf } from "../yaml/entries-of.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import { aboveZero, bell, exponents, ordered, quantised } from "./convert-range.ts";
import { pythonText } from "../../protocol/python-text.ts";

export interface ReadParameter {
  readonly distribution: Distribution;
  /** What texts among the values stand for, where W&B allows more than text, numbers and booleans. */
  readonly literals: Readonly<Record<string, unknown>>;
}

const range = { min: z.number(), max: z.number() };
const q = z.number().positive().default(1);
const normal = { mu: z.number().default(0), sigma: z.number().nonnegative().default(1) };
const beta = { a: z.number().positive().default(1), b: z.number().positive().default(1) };
const values = z.array(z.unknown()).min(1);

/** Every distribution, with the keys it takes beside its name. */
export const distributionShapes = {
  constant: { value: z.unknown() },
  categorical: { values },
  categorical_w_probabilities: { values, probabilities: z.array(z.number().nonnegative()).min(1) },
  int_uniform: { min: z.int(), max: z.int() },
  uniform: range,
  q_uniform: { ...range, q },
  log_uniform: range,
  q_log_uniform: { ...range, q },
  inv_log_uniform: range,
  log_uniform_values: range,
  q_log_uniform_values: { ...range, q },
  inv_log_uniform_values: range,
  normal,
  q_normal: { ...normal, q },
  log_normal: normal,
  q_log_normal: { ...normal, q },
  beta,
  q_beta: { ...beta, q },
} as const;
type Name = keyof typeof distributionShapes;

const names = Object.keys(distributionShapes);
const parameterKeys = [
  "distribution",
  "parameters",
  ...new Set(Object.values(distributionShapes).flatMap((shape) => Object.keys(shape))),
];
const gridNames: readonly Name[] = ["constant", "categorical", "int_uniform", "q_uniform"];

function isName(name: string): name is Name {
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
  return convert(reading, field, raw, name);
}

/** The distribution's name, inferred as W&B does where it is left out: two whole bounds mean whole numbers. */
function nameOf(reading: ImportReading, field: Path, raw: object): Name | null {
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
    const whole = ["min", "max"].every((end) =>
      /^[-+]?\d+$/.test(reading.yaml.sourceOf([...field, end]) ?? ""),
    );
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

function convert(reading: ImportReading, field: Path, raw: object, name: Name): ReadParameter | null {
  const take = <Shape extends z.ZodRawShape>(shape: Shape) =>
    parseAt(
      z.strictObject({ distribution: z.literal(name).optional(), ...shape }),
      raw,
      reading.yaml,
      field,
      reading.problems,
    );
  const plain = (distribution: Distribution | null): ReadParameter | null =>
    distribution === null ? null : { distribution, literals: {} };
  switch (name) {
    case "constant": {
      const given = take(distributionShapes.constant);
      if (given === null) return null;
      const [[value], literals] = scalars([given.value]);
      return value === undefined ? null : { distribution: { distribution: "constant", value }, literals };
    }
    case "categorical": {
      const given = take(distributionShapes.categorical);
      if (given === null) return null;
      const [list, literals] = scalars(given.values);
      return { distribution: { distribution: "choice", values: list }, literals };
    }
    case "categorical_w_probabilities": {
      const given = take(distributionShapes.categorical_w_probabilities);
      if (given === null) return null;
      const { probabilities, values: list } = given;
      if (probabilities.length !== list.length) {
        refuseAt(reading, [...field, "probabilities"], `${list.length} values need as many probabilities`);
        return null;
      }
      if (!probabilities.some((probability) => probability > 0)) {
        refuseAt(reading, [...field, "probabilities"], "at least one must be above 0");
        return null;
      }
      const [plainValues, literals] = scalars(list);
      return {
        distribution: { distribution: "choice", values: plainValues, weights: probabilities },
        literals,
      };
    }
    case "int_uniform": {
      const given = ordered(reading, field, take(distributionShapes.int_uniform));
      return given && plain({ distribution: "int", min: given.min, max: given.max });
    }
    case "uniform": {
      const given = ordered(reading, field, take(distributionShapes.uniform));
      return given && plain({ distribution: "uniform", min: given.min, max: given.max });
    }
    case "q_uniform": {
      const given = ordered(reading, field, take(distributionShapes.q_uniform));
      return given && plain(quantised(reading, field, { ...given, log: false }));
    }
    case "log_uniform":
    case "inv_log_uniform": {
      const given = ordered(reading, field, take(distributionShapes.log_uniform));
      return given && plain(exponents(reading, field, given, name));
    }
    case "q_log_uniform": {
      const given = ordered(reading, field, take(distributionShapes.q_log_uniform));
      const real = given && exponents(reading, field, given, name);
      return given && real && plain(quantised(reading, field, { ...real, q: given.q, log: true }));
    }
    case "log_uniform_values":
    case "inv_log_uniform_values": {
      const given = aboveZero(
        reading,
        field,
        ordered(reading, field, take(distributionShapes.log_uniform_values)),
      );
      if (given !== null && name === "inv_log_uniform_values")
        noteAt(
          reading,
          field,
          "inv_log_uniform_values → log-uniform: the logarithm of 1/x is as uniform as that of x",
        );
      return given && plain({ distribution: "log-uniform", min: given.min, max: given.max });
    }
    case "q_log_uniform_values": {
      const given = aboveZero(
        reading,
        field,
        ordered(reading, field, take(distributionShapes.q_log_uniform_values)),
      );
      return given && plain(quantised(reading, field, { ...given, log: true }));
    }
    case "normal":
      return plain(bell(reading, field, "normal", take(distributionShapes.normal)));
    case "q_normal":
      return plain(bell(reading, field, "normal", take(distributionShapes.q_normal)));
    case "log_normal":
      return plain(bell(reading, field, "log-normal", take(distributionShapes.log_normal)));
    case "q_log_normal":
      return plain(bell(reading, field, "log-normal", take(distributionShapes.q_log_normal)));
    case "beta": {
      const given = take(distributionShapes.beta);
      return given && plain({ distribution: "beta", a: given.a, b: given.b });
    }
    case "q_beta": {
      const given = take(distributionShapes.q_beta);
      return given && plain({ distribution: "beta", a: given.a, b: given.b, step: given.q });
    }
  }
}

/** Values as text, numbers and booleans; what is none of them as Python would write it, with what it stands for. */
function scalars(list: readonly unknown[]): readonly [Value[], Readonly<Record<string, unknown>>] {
  const literals: Record<string, unknown> = {};
  const plain = list.map((value): Value => {
    const parsed = valueSchema.safeParse(value);
    if (parsed.success) return parsed.data;
    const text = pythonText(value);
    literals[text] = value;
    return text;
  });
  return [plain, literals];
}
