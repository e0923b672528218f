/**
 * The dataset file as people write it: every step a mapping with one key, formats recognised by file names, maps in files
 * beside it. What the fields of a source and of a step are is in `data/declaration`.
 */
import * as z from "zod";
import { anyValue, longText, listOf } from "../../protocol/bound.ts";
import { badRowShareMax } from "../../data/declaration/declaration.ts";
import { nameSchema } from "../../protocol/name.ts";

export const datasetFileSchema = z.strictObject({
  name: nameSchema,
  sources: listOf(anyValue).min(1),
  plan: listOf(anyValue).default([]),
  /** Text to a label. */
  text: longText.min(1).optional(),
  label: longText.min(1).optional(),
  /** Columns to a label or a number. */
  target: longText.min(1).optional(),
  task: z.enum(["classification", "regression"]).optional(),
  features: listOf(longText.min(1)).min(1).optional(),
  badRows: z.strictObject({ max: z.number().min(0).max(1).default(badRowShareMax) }).optional(),
  expect: anyValue.optional(),
});
export type DatasetFile = z.infer<typeof datasetFileSchema>;

/** Formats by how a file's name ends; a folder has none. */
export const formatByExtension: Readonly<Record<string, string>> = {
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  parquet: "parquet",
  pq: "parquet",
};
