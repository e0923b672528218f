/**
 * What somebody expects of a dataset: the kinds of expectation, each with its settings. How they are
 * written in a dataset file is `declared.ts`; whether they hold is `check-expectations.ts`.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { exactPercent } from "../../text/figure.ts";

const column = storedText.min(1);
const count = z.int().nonnegative();
const regexUnitsMax = 1000;

/** `refuse` closes a gate; `warn` is said and lets pass. */
export const severitySchema = z.enum(["refuse", "warn"]);
const severity = severitySchema.default("refuse");
/** The share of the rows that must fulfil it. */
const mostly = z.number().gt(0).lte(1).default(1);
const plainValue = z.union([storedText, z.number(), z.boolean()]);

const someBound = (bounds: { readonly min?: number | undefined; readonly max?: number | undefined }) =>
  bounds.min !== undefined || bounds.max !== undefined;
const orderedBounds = (bounds: { readonly min?: number | undefined; readonly max?: number | undefined }) =>
  bounds.min === undefined || bounds.max === undefined || bounds.min <= bounds.max;
const noBound = { error: "needs min or max, or both" };
const swapped = { error: "min is above max" };

export const expectationSchemas = {
  /** No missing value; in a text column nothing blank either. */
  "not-null": z.strictObject({ kind: z.literal("not-null"), column, mostly, severity }),
  /** Numbers within bounds, bounds included; missing values are not looked at. */
  range: z
    .strictObject({
      kind: z.literal("range"),
      column,
      min: z.number().optional(),
      max: z.number().optional(),
      mostly,
      severity,
    })
    .refine(someBound, noBound)
    .refine(orderedBounds, swapped),
  /** Found anywhere in the value, as RE2 reads it; `^` and `$` hold it to the whole. */
  regex: z.strictObject({
    kind: z.literal("regex"),
    column,
    pattern: storedText.min(1).max(regexUnitsMax),
    mostly,
    severity,
  }),
  "one-of": z.strictObject({
    kind: z.literal("one-of"),
    column,
    values: storedList(plainValue).min(1),
    mostly,
    severity,
  }),
  /** No two rows alike in all of these columns. */
  unique: z.strictObject({ kind: z.literal("unique"), columns: storedList(column).min(1), mostly, severity }),
  /** How many different values there are. */
  distinct: z
    .strictObject({
      kind: z.literal("distinct"),
      column,
      min: count.optional(),
      max: count.optional(),
      severity,
    })
    .refine(someBound, noBound)
    .refine(orderedBounds, swapped),
  /** Rows of the largest label for one of the smallest, at most. */
  balance: z.strictObject({ kind: z.literal("balance"), max: z.number().gte(1), severity }),
  rows: z
    .strictObject({
      kind: z.literal("rows"),
      /** Default: all splits together. */
      split: z.enum(["train", "validation", "test"]).optional(),
      min: count.optional(),
      max: count.optional(),
      severity,
    })
    .refine(someBound, noBound)
    .refine(orderedBounds, swapped),
  /** No text of the training split stands in another split too, but for case, spacing and digits. */
  "no-leakage": z.strictObject({ kind: z.literal("no-leakage"), mostly, severity }),
  /** No text stands under two labels. */
  "no-conflicts": z.strictObject({ kind: z.literal("no-conflicts"), mostly, severity }),
  /** The share of labels that confident learning holds to be wrong. */
  "label-errors": z.strictObject({ kind: z.literal("label-errors"), max: z.number().min(0).lt(1), severity }),
  /** Length of texts. */
  length: z
    .strictObject({
      kind: z.literal("length"),
      column,
      min: count.optional(),
      max: count.optional(),
      unit: z.enum(["characters", "words"]).default("characters"),
      mostly,
      severity,
    })
    .refine(someBound, noBound)
    .refine(orderedBounds, swapped),
} as const;

export const expectationSchema = z.discriminatedUnion("kind", [
  expectationSchemas["not-null"],
  expectationSchemas.range,
  expectationSchemas.regex,
  expectationSchemas["one-of"],
  expectationSchemas.unique,
  expectationSchemas.distinct,
  expectationSchemas.balance,
  expectationSchemas.rows,
  expectationSchemas["no-leakage"],
  expectationSchemas["no-conflicts"],
  expectationSchemas["label-errors"],
  expectationSchemas.length,
]);
export type Expectation = z.infer<typeof expectationSchema>;
export type ExpectationOf<Kind extends Expectation["kind"]> = Extract<Expectation, { readonly kind: Kind }>;
export const expectationKinds = Object.keys(expectationSchemas);

/** As people would write it: `range of age, 0 to 120, in 99% of the rows`. */
export function expectationTitle(expectation: Expectation): string {
  const share =
    "mostly" in expectation && expectation.mostly < 1
      ? `, in ${exactPercent(expectation.mostly)} of the rows`
      : "";
  return `${subject(expectation)}${share}`;
}

function subject(expectation: Expectation): string {
  switch (expectation.kind) {
    case "not-null":
      return `not-null of ${expectation.column}`;
    case "range":
      return `range of ${expectation.column}, ${bounds(expectation)}`;
    case "regex":
      return `regex of ${expectation.column}, /${expectation.pattern}/`;
    case "one-of":
      return `one-of of ${expectation.column}, ${expectation.values.slice(0, 5).join(", ")}${expectation.values.length > 5 ? ", ..." : ""}`;
    case "unique":
      return `unique ${expectation.columns.join(", ")}`;
    case "distinct":
      return `distinct values of ${expectation.column}, ${bounds(expectation)}`;
    case "balance":
      return `balance of the labels, at most ${expectation.max} to 1`;
    case "rows":
      return `rows ${expectation.split === undefined ? "in all" : `in ${expectation.split}`}, ${bounds(expectation)}`;
    case "no-leakage":
      return "no-leakage between splits";
    case "no-conflicts":
      return "no-conflicts of labels";
    case "label-errors":
      return `label-errors, at most ${exactPercent(expectation.max)}`;
    case "length":
      return `length of ${expectation.column} in ${expectation.unit}, ${bounds(expectation)}`;
    default:
      return expectation satisfies never;
  }
}

function bounds({
  min,
  max,
}: {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}): string {
  if (min === undefined) return `at most ${max}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}
