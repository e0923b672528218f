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
  return conversions[name]({ reading, field, raw, name });
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

/** A parameter's keys, as one distribution reads them. */
interface Given {
  readonly reading: ImportReading;
  readonly field: Path;
  readonly raw: object;
  readonly name: Name;
}

/** Null where something was refused, which the reading has then noted. */
function take<Shape extends z.ZodRawShape>({ field, name, raw, reading }: Given, shape: Shape) {
  const whole = z.strictObject({ distribution: z.literal(name).optional(), ...shape });
  return parseAt(whole, raw, reading.yaml, field, reading.problems);
}

function plain(distribution: Distribution | null): ReadParameter | null {
  return distribution === null ? null : { distribution, literals: {} };
}

/** How each distribution of W&B's becomes one of ours. */
const conversions: { readonly [Of in Name]: (given: Given) => ReadParameter | null } = {
  constant: (given) => {
    const taken = take(given, distributionShapes.constant);
    if (taken === null) return null;
    const [[value], literals] = scalars([taken.value]);
    return value === undefined ? null : { distribution: { distribution: "constant", value }, literals };
  },
  categorical: (given) => {
    const taken = take(given, distributionShapes.categorical);
    if (taken === null) return null;
    const [list, literals] = scalars(taken.values);
    return { distribution: { distribution: "choice", values: list }, literals };
  },
  categorical_w_probabilities: weighted,
  int_uniform: (given) => {
    const { field, reading } = given;
    const taken = ordered(reading, field, take(given, distributionShapes.int_uniform));
    return taken && plain({ distribution: "int", min: taken.min, max: taken.max });
  },
  uniform: (given) => {
    const { field, reading } = given;
    const taken = ordered(reading, field, take(given, distributionShapes.uniform));
    return taken && plain({ distribution: "uniform", min: taken.min, max: taken.max });
  },
  q_uniform: (given) => {
    const { field, reading } = given;
    const taken = ordered(reading, field, take(given, distributionShapes.q_uniform));
    return taken && plain(quantised(reading, field, { ...taken, log: false }));
  },
  log_uniform: (given) => byExponents(given, "log_uniform"),
  inv_log_uniform: (given) => byExponents(given, "inv_log_uniform"),
  q_log_uniform: (given) => {
    const { field, reading } = given;
    const taken = ordered(reading, field, take(given, distributionShapes.q_log_uniform));
    const real = taken && exponents(reading, field, taken, "q_log_uniform");
    return taken && real && plain(quantised(reading, field, { ...real, q: taken.q, log: true }));
  },
  log_uniform_values: (given) => byValues(given, null),
  inv_log_uniform_values: (given) =>
    byValues(given, "inv_log_uniform_values → log-uniform: the logarithm of 1/x is as uniform as that of x"),
  q_log_uniform_values: (given) => {
    const { field, reading } = given;
    const inOrder = ordered(reading, field, take(given, distributionShapes.q_log_uniform_values));
    const taken = aboveZero(reading, field, inOrder);
    return taken && plain(quantised(reading, field, { ...taken, log: true }));
  },
  normal: (given) => bellShaped(given, "normal", take(given, distributionShapes.normal)),
  q_normal: (given) => bellShaped(given, "normal", take(given, distributionShapes.q_normal)),
  log_normal: (given) => bellShaped(given, "log-normal", take(given, distributionShapes.log_normal)),
  q_log_normal: (given) => bellShaped(given, "log-normal", take(given, distributionShapes.q_log_normal)),
  beta: (given) => {
    const taken = take(given, distributionShapes.beta);
    return taken && plain({ distribution: "beta", a: taken.a, b: taken.b });
  },
  q_beta: (given) => {
    const taken = take(given, distributionShapes.q_beta);
    return taken && plain({ distribution: "beta", a: taken.a, b: taken.b, step: taken.q });
  },
};

function weighted(given: Given): ReadParameter | null {
  const taken = take(given, distributionShapes.categorical_w_probabilities);
  if (taken === null) return null;
  const { probabilities, values: list } = taken;
  const at = [...given.field, "probabilities"];
  if (probabilities.length !== list.length) {
    refuseAt(given.reading, at, `${list.length} values need as many probabilities`);
    return null;
  }
  if (!probabilities.some((probability) => probability > 0)) {
    refuseAt(given.reading, at, "at least one must be above 0");
    return null;
  }
  const [plainValues, literals] = scalars(list);
  return { distribution: { distribution: "choice", values: plainValues, weights: probabilities }, literals };
}

function byExponents(given: Given, name: "log_uniform" | "inv_log_uniform"): ReadParameter | null {
  const { field, reading } = given;
  const taken = ordered(reading, field, take(given, distributionShapes.log_uniform));
  return taken && plain(exponents(reading, field, taken, name));
}

/** `note`: what is said of it where it is converted. */
function byValues(given: Given, note: string | null): ReadParameter | null {
  const { field, reading } = given;
  const inOrder = ordered(reading, field, take(given, distributionShapes.log_uniform_values));
  const taken = aboveZero(reading, field, inOrder);
  if (taken !== null && note !== null) noteAt(reading, field, note);
  return taken && plain({ distribution: "log-uniform", min: taken.min, max: taken.max });
}

function bellShaped(
  { field, reading }: Given,
  kind: "normal" | "log-normal",
  taken: Parameters<typeof bell>[3],
): ReadParameter | null {
  return plain(bell(reading, field, kind, taken));
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
