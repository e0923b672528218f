/**
 * A dataset version in memory, as training reads it: texts with labels, or a table of numbers with a target.
 * For texts also their byte form: a JSON manifest line, then one JSON line per example. The same examples
 * give the same bytes everywhere, so their SHA-256 names the version. Not where data comes from: that is `load.ts`.
 */
import { createHash } from "node:crypto";
import * as z from "zod";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";

const splitNames = ["train", "validation", "test"] as const;

export interface Example {
  readonly text: string;
  /** Index into the dataset's labels. */
  readonly label: number;
}

export interface TextDataset {
  readonly kind: "text";
  readonly name: string;
  readonly labels: readonly string[];
  readonly train: readonly Example[];
  readonly validation: readonly Example[];
  readonly test: readonly Example[];
}

/** Rows of a table as training reads them: everything a number, nothing missing. */
export interface TableRows {
  readonly count: number;
  /** [count, features], row after row. */
  readonly features: Float32Array;
  /** [count]: the index of the label, or the number to predict. */
  readonly target: Float32Array;
}

export interface TableDataset {
  readonly kind: "table";
  readonly name: string;
  /** Names of the features, in the order of the columns. */
  readonly features: readonly string[];
  /** Name of the target's column. */
  readonly target: string;
  /** What the target's indexes stand for; null where the target is a number to predict. */
  readonly labels: readonly string[] | null;
  readonly train: TableRows;
  readonly validation: TableRows;
  readonly test: TableRows;
}

export type Dataset = TextDataset | TableDataset;
export type SplitName = (typeof splitNames)[number];

/** Rows in each split. */
export function rowsOf(dataset: Dataset): Readonly<Record<SplitName, number>> {
  return dataset.kind === "text"
    ? {
        train: dataset.train.length,
        validation: dataset.validation.length,
        test: dataset.test.length,
      }
    : {
        train: dataset.train.count,
        validation: dataset.validation.count,
        test: dataset.test.count,
      };
}

const count = z.int().nonnegative();
const manifestSchema = z.strictObject({
  format: z.literal("trialmesh-text-dataset"),
  version: z.literal(1),
  name: z.string().min(1),
  labels: z.array(z.string()).min(1),
  rows: z.strictObject({ train: count, validation: count, test: count }),
});
const rowSchema = z.tuple([z.int().nonnegative(), z.string()]);

export function encodeDataset(dataset: TextDataset): Uint8Array {
  const manifest: z.infer<typeof manifestSchema> = {
    format: "trialmesh-text-dataset",
    version: 1,
    name: dataset.name,
    labels: [...dataset.labels],
    rows: rowsOf(dataset),
  };
  const lines = [JSON.stringify(manifest)];
  for (const split of splitNames) {
    for (const example of dataset[split]) lines.push(JSON.stringify([example.label, example.text]));
  }
  lines.push("");
  return new TextEncoder().encode(lines.join("\n"));
}

/** Lower-case hexadecimal SHA-256 of encoded bytes: the dataset version's name. */
export function datasetDigest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Reads what `encodeDataset` wrote. A refusal names the line, counted from 1. */
export function decodeDataset(bytes: Uint8Array): Outcome<TextDataset> {
  let lines: string[];
  try {
    lines = new TextDecoder("utf-8", { fatal: true }).decode(bytes).split("\n");
  } catch {
    return refuse("invalid", "the dataset is not UTF-8 text; build it again from its source");
  }
  const head = manifestSchema.safeParse(parseJson(lines[0] ?? ""));
  if (!head.success) {
    return refuse(
      "invalid",
      "line 1 of the dataset is not a trialmesh dataset manifest; build it again from its source",
    );
  }
  const manifest = head.data;
  const wanted = manifest.rows.train + manifest.rows.validation + manifest.rows.test;
  if (lines.length !== wanted + 2 || lines[wanted + 1] !== "") {
    return refuse(
      "invalid",
      `the dataset says it has ${wanted} rows and has ${lines.length - 2}; it was cut short or added to`,
    );
  }
  const examples: Example[] = [];
  for (let row = 1; row <= wanted; row++) {
    const parsed = rowSchema.safeParse(parseJson(lines[row] ?? ""));
    if (!parsed.success) return refuse("invalid", `line ${row + 1} of the dataset is not [label, text]`);
    const [label, text] = parsed.data;
    if (label >= manifest.labels.length) {
      return refuse(
        "invalid",
        `line ${row + 1} of the dataset has label ${label}; its labels are 0 to ${manifest.labels.length - 1}`,
      );
    }
    examples.push({ text, label });
  }
  const { train, validation } = manifest.rows;
  return accept({
    kind: "text",
    name: manifest.name,
    labels: manifest.labels,
    train: examples.slice(0, train),
    validation: examples.slice(train, train + validation),
    test: examples.slice(train + validation),
  });
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
