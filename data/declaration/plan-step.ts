/**
 * The steps of a plan, each with its settings. Row by row first; then those that look at all rows;
 * `split` and what may follow it last. What a step does in SQL is in `data/plan`.
 */
import * as z from "zod";
import { storedText, storedList, storedRecord } from "../../protocol/bound.ts";
import { columnTypeSchema } from "./source.ts";

const column = storedText.min(1);
const seed = z.int().nonnegative().default(1);
const share = z.number().gt(0).lte(1);
const categoriesMax = 10_000;
const bucketsMax = 1000;

export const unknownLabelSchema = z.enum(["refuse", "aside", "drop", "other", "keep"]);

const numericScale = z.enum(["standard", "minmax", "none"]);
const missingFill = z.enum(["mean", "median", "zero"]);
const categories = z.strictObject({ max: z.int().min(1).max(categoriesMax).default(50) });

/** What becomes of one column; the defaults of the step stand where it says nothing. */
const featureSchema = z.strictObject({
  scale: numericScale.optional(),
  missing: missingFill.optional(),
  /** As many as `max` values get a column each, the commonest first; the rest share "other". */
  categories: categories.optional(),
  /** By quantiles of the training split: a column for each bucket. */
  buckets: z.int().min(2).max(bucketsMax).optional(),
});
export type FeatureOptions = z.infer<typeof featureSchema>;

export const stepSchemas = {
  rename: z.strictObject({ step: z.literal("rename"), columns: storedRecord(column, column) }),
  cast: z.strictObject({ step: z.literal("cast"), columns: storedRecord(column, columnTypeSchema) }),
  concat: z.strictObject({
    step: z.literal("concat"),
    columns: storedList(column).min(2),
    to: column,
    separator: storedText.default(" "),
  }),
  "map-label": z.strictObject({
    step: z.literal("map-label"),
    column,
    /** Default: the column itself. */
    to: column.optional(),
    /** In the order in which the labels are numbered. */
    map: storedList(z.tuple([storedText, storedText])).min(1),
    unknown: unknownLabelSchema.default("refuse"),
  }),
  clean: z.strictObject({
    step: z.literal("clean"),
    columns: storedList(column).min(1),
    /** Entities decoded, then tags removed. */
    html: z.boolean().default(false),
    /** true: a backslash before a quote goes, any other becomes a space. "c": \n, \t, \", \\ as in C. */
    escapes: z.union([z.boolean(), z.literal("c")]).default(false),
    whitespace: z.boolean().default(false),
    unicode: z.enum(["NFC", "NFKC"]).optional(),
    lowercase: z.boolean().default(false),
  }),
  filter: z.strictObject({ step: z.literal("filter"), where: storedText.min(1) }),
  derive: z.strictObject({ step: z.literal("derive"), column, as: storedText.min(1) }),
  dedupe: z.strictObject({
    step: z.literal("dedupe"),
    by: z.union([column, storedList(column).min(1)]),
    /** Least Jaccard similarity of two texts' shingles; without it only equal texts (after normalising) count. */
    near: z.number().min(0.5).max(1).optional(),
    keep: z.enum(["all", "first"]).default("all"),
  }),
  sample: z.strictObject({
    step: z.literal("sample"),
    rows: z.int().positive().optional(),
    share: share.optional(),
    seed,
  }),
  balance: z.strictObject({
    step: z.literal("balance"),
    column,
    /** Rows of each value at most; `smallest` is as many as the rarest has. After `split`: of the training split only. */
    to: z.union([z.literal("smallest"), z.int().positive()]).default("smallest"),
    seed,
  }),
  split: z
    .strictObject({
      step: z.literal("split"),
      train: share.default(0.8),
      validation: z.number().gte(0).lt(1).default(0.1),
      test: z.number().gte(0).lt(1).default(0.1),
      /** Rows alike in this are never apart. Default: the text; in a table all features. */
      by: z.union([column, storedList(column).min(1)]).optional(),
      /** Shares hold within each value of this; false: only over all. Default: the label. */
      stratify: z.union([column, z.literal(false)]).optional(),
      seed,
    })
    .refine(({ train, validation, test }) => Math.abs(train + validation + test - 1) < 1e-9, {
      error: "train, validation and test should add up to 1",
    }),
  features: z.strictObject({
    step: z.literal("features"),
    numeric: numericScale.default("none"),
    missing: missingFill.default("mean"),
    categories: categories.default({ max: 50 }),
    columns: storedRecord(column, featureSchema).default({}),
  }),
} as const;

export const stepSchema = z.discriminatedUnion("step", [
  stepSchemas.rename,
  stepSchemas.cast,
  stepSchemas.concat,
  stepSchemas["map-label"],
  stepSchemas.clean,
  stepSchemas.filter,
  stepSchemas.derive,
  stepSchemas.dedupe,
  stepSchemas.sample,
  stepSchemas.balance,
  stepSchemas.split,
  stepSchemas.features,
]);
export type Step = z.infer<typeof stepSchema>;
export type StepOf<Name extends Step["step"]> = Extract<Step, { step: Name }>;
export const stepNames = Object.keys(stepSchemas);
