/**
 * What is written of each row: its own columns, then `prediction`, and of labels a `probability.LABEL` each. A row that does
 * not fit the model keeps its place and has no prediction.
 */
import type { Answers, Signature } from "../../serving/model/served-model.ts";
import type { Explanation } from "../../serving/explain/explanation.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { RowBatch } from "./row-source.ts";

export const predictionColumn = "prediction";
const reasonColumn = "because";

export interface PredictionTable {
  /** Columns of the rows as they came, which stand first; none where only predictions are asked for. */
  readonly own: readonly string[];
  readonly labels: readonly string[] | null;
  /** Whether each label's probability is written. */
  readonly hasProbabilities: boolean;
  /** Whether what counted for the prediction is written. */
  readonly hasReasons: boolean;
}

/** `only`: the prediction alone. `explain`: with what counted for it. */
export function predictionTable(
  names: readonly string[],
  { labels }: Signature,
  { explain, only }: { readonly explain: boolean; readonly only: boolean },
): Outcome<PredictionTable> {
  if (only) return accept({ own: [], labels, hasProbabilities: false, hasReasons: explain });
  const table = { own: names, labels, hasProbabilities: labels !== null, hasReasons: explain };
  const made = new Set(madeColumns(table).map((name) => name.toLowerCase()));
  const clash = names.find((name) => made.has(name.toLowerCase()));
  return clash === undefined
    ? accept(table)
    : refuse(
        "invalid",
        `the rows have a column "${clash}" already; rename it, or have predictions alone with --only`,
      );
}

/** Columns that come after the row's own. */
export function madeColumns({ hasProbabilities, hasReasons, labels }: PredictionTable): readonly string[] {
  const probabilities = hasProbabilities ? (labels ?? []).map((label) => `probability.${label}`) : [];
  return [predictionColumn, ...probabilities, ...(hasReasons ? [reasonColumn] : [])];
}

/** The most probable label, or the number; and the probabilities as they are written. */
export function madeValues(table: PredictionTable, answers: Answers, row: number): readonly Value[] {
  if (answers.kind === "values") return [shortest(answers.values[row] ?? Number.NaN)];
  const labels = table.labels ?? [];
  const at = row * labels.length;
  const best = bestLabel(answers.probabilities, at, labels.length);
  const prediction = labels[best] ?? "";
  if (!table.hasProbabilities) return [prediction];
  const made: Value[] = [prediction];
  for (let label = 0; label < labels.length; label++)
    made.push(rounded(answers.probabilities[at + label] ?? 0));
  return made;
}

/** The index of the largest of `count` from `at` on, the first of equals. */
export function bestLabel(probabilities: Float32Array, at: number, count: number): number {
  let best = 0;
  for (let label = 1; label < count; label++)
    if ((probabilities[at + label] ?? 0) > (probabilities[at + best] ?? 0)) best = label;
  return best;
}

const reasonsWritten = 5;
const reasonDigits = 3;

/** `lion +0.412; bad -0.2`: the parts that count most. */
export function reasonText({ parts }: Explanation): string {
  return parts
    .slice(0, reasonsWritten)
    .map(
      ({ contribution, part }) =>
        `${part} ${contribution < 0 ? "" : "+"}${Number(contribution.toPrecision(reasonDigits))}`,
    )
    .join("; ");
}

/** Probabilities are written to this part of one. */
const probabilityParts = 1e6;

export function rounded(probability: number): number {
  return Math.round(probability * probabilityParts) / probabilityParts;
}

const singleDigitsLeast = 6;
const singleDigitsMost = 9;

/** The shortest decimal that is this number in single precision. */
export function shortest(value: number): number {
  for (let digits = singleDigitsLeast; digits < singleDigitsMost; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

export type RowWriter = (batch: RowBatch, row: number, made: readonly (Value | null)[]) => string;

/** A line of CSV (RFC 4180); an empty text is `""`, no value is an empty field. */
export function csvWriter(table: PredictionTable): RowWriter {
  const width = table.own.length;
  return ({ columns }, row, made) => {
    let line = "";
    for (let at = 0; at < width; at++) line += `${csvField(columns[at]?.[row] ?? null)},`;
    for (let at = 0; at < made.length; at++)
      line += at === 0 ? csvField(made[0] ?? null) : `,${csvField(made[at] ?? null)}`;
    return `${line}\n`;
  };
}

export function csvHeader(table: PredictionTable): string {
  return `${[...table.own, ...madeColumns(table)].map(csvField).join(",")}\n`;
}

const quoted = /[",\r\n]|^\s|\s$/u;

export function csvField(value: Value | null): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  return value === "" || quoted.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

export function jsonWriter(table: PredictionTable): RowWriter {
  const names = [...table.own, ...madeColumns(table)].map((name) => JSON.stringify(name));
  const width = table.own.length;
  return ({ columns }, row, made) => {
    const cells = names.map((name, at) => {
      const value = at < width ? columns[at]?.[row] : made[at - width];
      return `${name}:${JSON.stringify(value ?? null)}`;
    });
    return `{${cells.join(",")}}\n`;
  };
}
