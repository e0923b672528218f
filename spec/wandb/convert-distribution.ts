/** Each of W&B's distributions as one of ours, with the notes and refusals it needs. Which one a parameter means is read before. */
import * as z from "zod";
import { anyValue, listOf } from "../../protocol/bound.ts";
import type { Distribution } from "../../protocol/space.ts";
import { exactValues, type ExactValues } from "../sweep/exact-value.ts";
import { figure, noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import { parseAt } from "../yaml/explain-issue.ts";
import type { Path } from "../yaml/located-yaml.ts";
import { quantised } from "../import/quantised.ts";
import { aboveZero, bell, exponents, ordered, walked } from "./convert-range.ts";

export interface ReadParameter {
  readonly distribution: Distribution;
  /** What values stand for, by their JSON, where W&B allows more than text, numbers and booleans. */
  readonly spelling: ExactValues["spelling"];
}

const range = { min: z.number(), max: z.number() };
const q = z.number().positive().default(1);
const normal = { mu: z.number().default(0), sigma: z.number().nonnegative().default(1) };
const beta = { a: z.number().positive().default(1), b: z.number().positive().default(1) };
const values = listOf(anyValue).min(1);

/** Every distribution, with the keys it takes beside its name. */
export const distributionShapes = {
  constant: { value: anyValue },
  categorical: { values },
  categorical_w_probabilities: { values, probabilities: listOf(z.number().nonnegative()).min(1) },
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
export type WandbDistribution = keyof typeof distributionShapes;

/** A parameter's keys, as one distribution reads them. */
export interface GivenDistribution {
  readonly reading: ImportReading;
  readonly field: Path;
  readonly raw: object;
  readonly name: WandbDistribution;
  /** Of the search: a grid walks some of them otherwise than they are sampled. */
  readonly method: string;
}

/** Null where something was refused, which the reading has then noted. */
function take<Shape extends z.ZodRawShape>({ field, name, raw, reading }: GivenDistribution, shape: Shape) {
  const whole = z.strictObject({ distribution: z.literal(name).optional(), ...shape });
  return parseAt(whole, raw, reading.yaml, field, reading.problems);
}

function plain(distribution: Distribution | null): ReadParameter | null {
  return distribution === null ? null : { distribution, spelling: {} };
}

/** How each distribution of W&B's becomes one of ours. */
export const conversions: {
  readonly [Of in WandbDistribution]: (given: GivenDistribution) => ReadParameter | null;
} = {
  constant: (given) => {
    const taken = take(given, distributionShapes.constant);
    if (taken === null) return null;
    const exact = valuesAt(given, ["value"]);
    const [value] = exact?.values ?? [];
    if (exact === null || value === undefined) return null;
    return { distribution: { distribution: "constant", value }, spelling: exact.spelling };
  },
  categorical: (given) => {
    const taken = take(given, distributionShapes.categorical);
    if (taken === null) return null;
    const exact = valuesAt(given, ...taken.values.map((_, index) => ["values", index]));
    if (exact === null) return null;
    const { spelling, values: list } = exact;
    return { distribution: { distribution: "choice", values: [...list] }, spelling };
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
    if (taken !== null && given.method === "grid") return plain(walked(reading, field, taken));
    return taken && plain(quantised(reading, field, { ...taken, log: false }, "W&B"));
  },
  log_uniform: (given) => byExponents(given, "log_uniform"),
  inv_log_uniform: (given) => byExponents(given, "inv_log_uniform"),
  q_log_uniform: (given) => {
    const { field, reading } = given;
    const taken = ordered(reading, field, take(given, distributionShapes.q_log_uniform));
    const real = taken && exponents(reading, field, taken, "q_log_uniform");
    return taken && real && plain(quantised(reading, field, { ...real, q: taken.q, log: true }, "W&B"));
  },
  log_uniform_values: (given) => byValues(given, null),
  inv_log_uniform_values: (given) =>
    byValues(given, "inv_log_uniform_values → log-uniform: the logarithm of 1/x is as uniform as that of x"),
  q_log_uniform_values: (given) => {
    const { field, reading } = given;
    const inOrder = ordered(reading, field, take(given, distributionShapes.q_log_uniform_values));
    const taken = aboveZero(reading, field, inOrder);
    return taken && plain(quantised(reading, field, { ...taken, log: true }, "W&B"));
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

/** As far from 1 as W&B lets a sum of probabilities be. */
const sumTolerance = 1e-5;

function weighted(given: GivenDistribution): ReadParameter | null {
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
  const sum = probabilities.reduce((total, probability) => total + probability, 0);
  if (Math.abs(sum - 1) > sumTolerance)
    noteAt(given.reading, at, `they sum to ${figure(sum)} and are taken as weights; W&B wants 1`);
  const exact = valuesAt(given, ...list.map((_, index) => ["values", index]));
  if (exact === null) return null;
  return {
    distribution: { distribution: "choice", values: [...exact.values], weights: probabilities },
    spelling: exact.spelling,
  };
}

function byExponents(
  given: GivenDistribution,
  name: "log_uniform" | "inv_log_uniform",
): ReadParameter | null {
  const { field, reading } = given;
  const taken = ordered(reading, field, take(given, distributionShapes.log_uniform));
  return taken && plain(exponents(reading, field, taken, name));
}

/** `note`: what is said of it where it is converted. */
function byValues(given: GivenDistribution, note: string | null): ReadParameter | null {
  const { field, reading } = given;
  const inOrder = ordered(reading, field, take(given, distributionShapes.log_uniform_values));
  const taken = aboveZero(reading, field, inOrder);
  if (taken !== null && note !== null) noteAt(reading, field, note);
  return taken && plain({ distribution: "log-uniform", min: taken.min, max: taken.max });
}

function bellShaped(
  { field, reading }: GivenDistribution,
  kind: "normal" | "log-normal",
  taken: Parameters<typeof bell>[3],
): ReadParameter | null {
  return plain(bell(reading, field, kind, taken));
}

/** The values at these paths as a space holds them; null where two of them cannot be told apart. */
function valuesAt({ field, reading }: GivenDistribution, ...paths: readonly Path[]): ExactValues | null {
  const nodes = paths.flatMap((path) => reading.yaml.nodeAt([...field, ...path]) ?? []);
  const exact = exactValues(nodes);
  if (exact === null)
    refuseAt(
      reading,
      field,
      "two of its values differ and would be written alike; put one of them in quotes",
    );
  return exact;
}
