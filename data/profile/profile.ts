/**
 * The profile of a dataset version or of any table: what `dataset profile` prints and the report draws. Rows are named by
 * source file and line. The sketches behind the figures travel along, so that profiles of parts merge; nothing that
 * draws a profile needs them. Not how it is computed: that is `profile-rows.ts` and the files beside it.
 */
import * as z from "zod";
import { storedText, storedList, storedRecord } from "../../protocol/bound.ts";
import { frequentItemsSchema } from "../sketch/frequent-items.ts";
import { hyperLogLogSchema } from "../sketch/hyper-log-log.ts";
import { kllSchema } from "../sketch/kll.ts";

const count = z.int().nonnegative();
const share = z.number().min(0).max(1);

/** One row of the data, where it stands in its source. */
const rowPlaceSchema = z.strictObject({
  /** Empty where the data has no splits. */
  split: storedText,
  /** Index into the profile's `files`. */
  file: count,
  /** Counted from 1; in a table without line numbers, the row's number. */
  line: count,
  /** Name of the label; null where the data has none. */
  label: storedText.nullable(),
  /** The text, cut to `excerptCharacters`. */
  text: storedText,
});
export type RowPlace = z.infer<typeof rowPlaceSchema>;

/** Counts of values in bins of equal width: bin i holds [edges[i], edges[i + 1]), the last one its upper edge too. */
const histogramSchema = z.strictObject({ edges: storedList(z.number()), counts: storedList(z.number()) });
export type Histogram = z.infer<typeof histogramSchema>;

/** Numbers, or lengths of texts. Without a value, everything but `count` is null and the histogram is empty. */
const distributionSchema = z.strictObject({
  count,
  min: z.number().nullable(),
  max: z.number().nullable(),
  mean: z.number().nullable(),
  /** With n - 1 below the line; null for fewer than two values. */
  sd: z.number().nullable(),
  /** From a KLL sketch: the rank of `value` is `q` to within `rankError`. */
  quantiles: storedList(z.strictObject({ q: share, value: z.number() })),
  /** 0 where every value was kept, so that quantiles and histogram are exact. */
  rankError: share,
  histogram: histogramSchema,
});
export type Distribution = z.infer<typeof distributionSchema>;

const columnBase = {
  name: storedText,
  /** As DuckDB names it: BIGINT, DOUBLE, VARCHAR, ... */
  type: storedText,
  rows: count,
  missing: count,
  /** What a plan makes of it for training; left out where none is known. */
  becomes: storedText.optional(),
  /** Values present that are different: an estimate, `relativeError` its standard error (0: exact). */
  distinct: z.strictObject({ estimate: z.number().nonnegative(), relativeError: share }),
  /** Most frequent first. Each stands in `rows` rows or up to `undercount` more. */
  frequent: storedList(z.strictObject({ value: storedText, rows: count, undercount: count })),
};
const columnSchema = z.discriminatedUnion("kind", [
  z.strictObject({ ...columnBase, kind: z.literal("number"), values: distributionSchema, notFinite: count }),
  z.strictObject({
    ...columnBase,
    kind: z.literal("text"),
    empty: count,
    /** Code points. */
    characters: distributionSchema,
    /** Runs of anything but white space. */
    words: distributionSchema,
  }),
  /** Dates, times, booleans, lists and whatever else: `min` and `max` as text where they can be ordered. */
  z.strictObject({
    ...columnBase,
    kind: z.literal("other"),
    min: storedText.nullable(),
    max: storedText.nullable(),
  }),
]);
export type ColumnProfile = z.infer<typeof columnSchema>;

const labelRowsSchema = storedList(z.strictObject({ label: storedText, rows: count }));
const labelBalanceSchema = z.strictObject({
  column: storedText,
  /** In the order of the dataset's labels. */
  overall: labelRowsSchema,
  splits: storedList(z.strictObject({ split: storedText, labels: labelRowsSchema })),
  /** Rows whose label had white space at its ends, which does not count; left out where none had. */
  trimmed: count.optional(),
  /** Rows of the largest label for one of the smallest; null where a label has no row. */
  ratio: z.number().nullable(),
});
export type LabelBalance = z.infer<typeof labelBalanceSchema>;

/** Rows that belong together, the first `listedRowsMost` of them; `rows` counts all. */
const rowGroupSchema = z.strictObject({ rows: count, places: storedList(rowPlaceSchema) });
export type RowGroup = z.infer<typeof rowGroupSchema>;

const leakSchema = z.strictObject({
  /** The split that is learned from and the one that is held out. */
  from: storedText,
  to: storedText,
  /** Rows of `to` whose text also stands in `from`, the same or near the same. */
  sameRows: count,
  nearRows: count,
  groups: storedList(z.strictObject({ near: z.boolean(), ...rowGroupSchema.shape })),
});

const unicodeKinds = ["replacement", "mojibake", "control", "surrogate"] as const;
const personalKinds = ["e-mail", "phone", "ip-address", "credit-card", "iban"] as const;

const textProfileSchema = z.strictObject({
  column: storedText,
  /** Same texts but for case, spacing, digits and Unicode form. `extraRows` would go if one of each were kept. */
  exact: z.strictObject({
    groups: count,
    extraRows: count,
    /** True where more texts than can be kept were seen, or profiles were merged. */
    estimated: z.boolean(),
    listed: storedList(rowGroupSchema),
  }),
  /** Texts whose character shingles overlap by `threshold` (Jaccard) or more, the same texts among them not counted. */
  near: z.strictObject({
    threshold: share,
    groups: count,
    extraRows: count,
    listed: storedList(rowGroupSchema),
  }),
  /** The same text under different labels. */
  conflicts: z.strictObject({
    groups: count,
    rows: count,
    estimated: z.boolean(),
    listed: storedList(rowGroupSchema),
  }),
  leakage: storedList(leakSchema),
  /** Near duplicates, languages, Unicode, personal data and tokens come from `rows` rows of all `of`, drawn by a hash. */
  scanned: z.strictObject({ rows: count, of: count }),
  /** ISO 639-1 code, or `und` where it is unknown. Largest first. */
  languages: storedList(z.strictObject({ language: storedText, rows: count })),
  unicode: storedList(
    z.strictObject({ kind: z.enum(unicodeKinds), rows: count, examples: storedList(rowPlaceSchema) }),
  ),
  /** Examples hold the match with most of it masked, never the text itself. */
  personal: storedList(
    z.strictObject({
      kind: z.enum(personalKinds),
      rows: count,
      examples: storedList(
        z.strictObject({ masked: storedText, split: storedText, file: count, line: count }),
      ),
    }),
  ),
  /** Tokens that speak for a label, strongest first. */
  tokens: storedList(
    z.strictObject({
      token: storedText,
      label: storedText,
      /** Rows that hold it, and how many of those have the label. */
      rows: count,
      labelRows: count,
      /** Log-odds against all other labels, over its standard deviation (Monroe et al. 2008). */
      z: z.number(),
      /** Its presence alone gives the label away. */
      givesAway: z.boolean(),
    }),
  ),
});
export type TextProfile = z.infer<typeof textProfileSchema>;
export type UnicodeKind = (typeof unicodeKinds)[number];
export type PersonalKind = (typeof personalKinds)[number];

const findingSchema = z.strictObject({
  severity: z.enum(["bad", "warn", "note"]),
  kind: z.enum([
    "leakage",
    "conflict",
    "duplicate",
    "near-duplicate",
    "imbalance",
    "missing",
    "constant",
    "give-away",
    "personal",
    "unicode",
    "language",
    "length",
  ]),
  /** The column or split it is about. */
  subject: storedText,
  /** One sentence, without a full stop. */
  sentence: storedText,
  rows: count,
});
export type Finding = z.infer<typeof findingSchema>;

const columnSketchSchema = z.strictObject({
  distinct: hyperLogLogSchema,
  frequent: frequentItemsSchema,
  /** One per distribution of the column: `values`, or `characters` and `words`. */
  quantiles: storedRecord(storedText, kllSchema),
});
export type ColumnSketch = z.infer<typeof columnSketchSchema>;

export const profileSchema = z.strictObject({
  format: z.literal("trialmesh-profile"),
  version: z.literal(1),
  name: storedText,
  /** SHA-256 of the dataset version; null for any other table. */
  digest: storedText.nullable(),
  rows: count,
  /** In the order train, validation, test, others; empty where the data has no splits. */
  splits: storedList(z.strictObject({ split: storedText, rows: count })),
  /** Base names of the sources. */
  files: storedList(storedText),
  columns: storedList(columnSchema),
  labels: labelBalanceSchema.nullable(),
  text: textProfileSchema.nullable(),
  /** Worst first. */
  findings: storedList(findingSchema),
  sketches: z.strictObject({
    columns: storedRecord(storedText, columnSketchSchema),
    /** Of the normalised texts; null without a text column. */
    texts: hyperLogLogSchema.nullable(),
  }),
});
export type Profile = z.infer<typeof profileSchema>;
