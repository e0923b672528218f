/**
 * Where a dataset's rows come from, after paths have been resolved: one file, or one folder, and how to read it.
 * Not the reading itself (`data/build`), and not how a user writes it (`cli/dataset-file`).
 */
import * as z from "zod";
import { storedText, storedList, storedRecord } from "../../protocol/bound.ts";

export const splitNameSchema = z.enum(["train", "validation", "test"]);
export const encodingSchema = z.enum(["auto", "utf-8", "iso-8859-1", "utf-16"]);
export const columnTypeSchema = z.enum(["text", "integer", "number", "boolean", "date", "timestamp"]);
export type ColumnType = z.infer<typeof columnTypeSchema>;

/** One ASCII character, as the fields of a line are told apart by bytes. */
const characterSchema = storedText.refine(
  (text) => text.length === 1 && text > "\0" && text <= "\u007f" && text !== "\n" && text !== "\r",
  "should be one ASCII character that is no line end",
);

const common = {
  /** Absolute. A path that ends in .dvc is a DVC pointer: the bytes are looked up in the DVC cache. */
  path: storedText.min(1),
  /** All rows of this source belong to this split, and stay there. */
  split: splitNameSchema.optional(),
  /** Folder that holds files/md5/…; default is .dvc/cache in the folder of the pointer or one above it. */
  cache: storedText.min(1).optional(),
};
const text = {
  ...common,
  /** `auto`: UTF-8, UTF-16 by its byte order mark, and single lines that are neither as ISO-8859-1, counted. */
  encoding: encodingSchema.default("auto"),
};
const typed = {
  /** Values that mean there is none, such as NA; an empty one always does in CSV and TSV. */
  missing: storedList(storedText).default([]),
  /** Types that are not to be inferred from the values: {zip: text}. */
  types: storedRecord(storedText, columnTypeSchema).default({}),
};
const delimited = {
  ...text,
  ...typed,
  header: z.boolean().default(true),
  /** Names for the columns, in place of those of the header line. */
  columns: storedList(storedText.min(1)).min(1).optional(),
};

export const sourceSchemas = {
  csv: z.strictObject({
    format: z.literal("csv"),
    ...delimited,
    delimiter: characterSchema.default(","),
    /** Doubled inside a quoted value. Empty: nothing is quoted. */
    quote: z.union([characterSchema, z.literal("")]).default('"'),
  }),
  tsv: z.strictObject({
    format: z.literal("tsv"),
    ...delimited,
    delimiter: characterSchema.default("\t"),
    quote: z.union([characterSchema, z.literal("")]).default(""),
  }),
  jsonl: z.strictObject({ format: z.literal("jsonl"), ...text, ...typed }),
  parquet: z.strictObject({ format: z.literal("parquet"), ...common }),
  "labelled-lines": z.strictObject({ format: z.literal("labelled-lines"), ...text }),
  folder: z.strictObject({ format: z.literal("folder"), ...text }),
  embedded: z.strictObject({ format: z.literal("embedded"), name: storedText }),
} as const;

export const sourceSchema = z.discriminatedUnion("format", [
  sourceSchemas.csv,
  sourceSchemas.tsv,
  sourceSchemas.jsonl,
  sourceSchemas.parquet,
  sourceSchemas["labelled-lines"],
  sourceSchemas.folder,
  sourceSchemas.embedded,
]);
export type Source = z.infer<typeof sourceSchema>;
export type FileSource = Exclude<Source, { format: "embedded" }>;
export type DelimitedSource = Extract<Source, { format: "csv" | "tsv" }>;
export type Encoding = z.infer<typeof encodingSchema>;
