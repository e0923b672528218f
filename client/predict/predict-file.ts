/**
 * PREDICT-2: a model's answers to a file of rows, however many: block by block from the source through the model to where they go.
 * PREDICT-3: a line that is no row, and a row that does not fit, are told of and stop nothing.
 */
import { plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { InputRows, ServedModel } from "../../serving/model/served-model.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import type { Explainer } from "../../serving/explain/explanation.ts";
import type { UnfitRow } from "../../serving/transform/transform.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { answerBatch, type AnsweredBatch } from "./answer-batch.ts";
import { openRows } from "./open-rows.ts";
import { openPredictionFile, type PredictionFile, type PredictionFormat } from "./prediction-file.ts";
import {
  bestLabel,
  madeColumns,
  madeValues,
  predictionTable,
  reasonText,
  type PredictionTable,
} from "./prediction-table.ts";
import type { RowBatch, RowSource } from "./row-source.ts";
import { textColumn } from "./text-column.ts";
import { TruthCheck, type Rightness } from "./truth-check.ts";

/** A line or a row without an answer. */
export interface BadRow {
  /** From 1; of Parquet the row. */
  readonly line: number;
  readonly column: string | null;
  readonly value: string | null;
  readonly reason: string;
}

export interface PredictedFile {
  /** With an answer. */
  readonly rows: number;
  readonly bad: number;
  /** Null where the rows do not carry the truth. */
  readonly rightness: Rightness | null;
}

export interface PredictFileOptions {
  readonly model: OpenedModel | ServedModel;
  /** A path, or `-` for `stdin`. */
  readonly file: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Null: `pour`. */
  readonly out: string | null;
  readonly format: PredictionFormat;
  /** Predictions alone. */
  readonly only: boolean;
  /** Null where no answer is to be explained. */
  readonly explainer: Explainer | null;
  readonly pour: (text: string) => Promise<void>;
  readonly say: (line: string) => void;
  readonly onBad: (bad: BadRow) => Promise<void>;
  /** Rows so far, and of the source's bytes so many; `of` is null where that is not known. */
  readonly onProgress: (rows: number, bytes: number, of: number | null) => void;
  readonly signal: AbortSignal;
}

export async function predictFile(options: PredictFileOptions): Promise<Outcome<PredictedFile>> {
  const { file, model, stdin } = options;
  const manifest = "manifest" in model ? model.manifest : null;
  const wanted = model.signature.inputs.map(({ name }) => name);
  const source = await openRows(file, stdin, wanted, manifest);
  if (!source.ok) return source;
  for (const note of source.value.notes) options.say(note);
  const table = predictionTable(source.value.names, model.signature, {
    only: options.only,
    explain: options.explainer !== null,
  });
  if (!table.ok) return table;
  const truth = await TruthCheck.open(manifest, model.signature, source.value.names);
  try {
    return await answerAll(options, source.value, table.value, truth);
  } catch (error) {
    return refuseDisk(error, options.out === null ? "read" : "write", options.out ?? source.value.title);
  } finally {
    truth?.dispose();
  }
}

async function answerAll(
  options: PredictFileOptions,
  source: RowSource,
  table: PredictionTable,
  truth: TruthCheck | null,
): Promise<Outcome<PredictedFile>> {
  const { model, onBad, onProgress, signal } = options;
  let written: PredictionFile | null = null;
  let renamed: ReadonlyMap<string, string> | null = null;
  let [rows, bad] = [0, 0];
  try {
    for await (const batch of untilStopped(source.batches(), signal)) {
      renamed ??= renamedColumns(options, source, batch);
      const input = inputRows(source.names, batch, renamed);
      const answered = await answerBatch(model, input);
      if (!answered.ok) return refuse(answered.refusal.code, `${source.title}: ${answered.refusal.message}`);
      const { answers, unfit } = answered.value;
      const out = new Set(unfit.map(({ row }) => row));
      written ??= await openPredictionFile({ ...options, table, types: source.types });
      const reasonOf = reasons(options, answered.value);
      await written.add(
        linesOf(written, table, batch, (row) =>
          out.has(row) ? null : [...madeValues(table, answers, row), ...reasonOf(row)],
        ),
      );
      const checked = await truth?.add(input, answers, out);
      if (checked?.ok === false) return checked;
      for (const one of badRows(batch, unfit)) await onBad(one);
      rows += batch.count - out.size;
      bad += batch.bad.length + out.size;
      onProgress(rows + bad, batch.bytes, source.bytes);
    }
    if (signal.aborted) return refuse("unavailable", "it was stopped");
    if (rows + bad === 0 || written === null) return refuse("invalid", `${source.title} holds no row`);
    const whole = await written.finish();
    written = null;
    return whole.ok ? accept({ rows, bad, rightness: truth?.rightness() ?? null }) : whole;
  } finally {
    await written?.abandon();
  }
}

/** Ends at once where it is stopped, also while a stream that says nothing is waited for. */
async function* untilStopped(
  batches: AsyncGenerator<RowBatch>,
  signal: AbortSignal,
): AsyncGenerator<RowBatch> {
  while (!signal.aborted) {
    const next = await nextOrStop(batches, signal);
    if (next === null || next.done === true) return;
    yield next.value;
  }
}

/** Null where it was stopped meanwhile. Nothing of a batch stays with the signal: a promise that lasts would hold them all. */
function nextOrStop(
  batches: AsyncGenerator<RowBatch>,
  signal: AbortSignal,
): Promise<IteratorResult<RowBatch> | null> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(null);
    signal.addEventListener("abort", stop, { once: true });
    batches
      .next()
      .finally(() => signal.removeEventListener("abort", stop))
      .then(resolve, reject);
  });
}

/** What a column of the rows is called where the model reads it. */
function renamedColumns(
  { model, say }: PredictFileOptions,
  { names, title }: RowSource,
  batch: RowBatch,
): ReadonlyMap<string, string> {
  const found = textColumn(model.signature, names, batch);
  const [input] = model.signature.inputs;
  if (found === null || input === undefined) return new Map();
  say(`${title} has no column "${input.name}"; column "${found}" is taken for the text`);
  return new Map([[found, input.name]]);
}

function inputRows(
  names: readonly string[],
  { columns, count }: RowBatch,
  renamed: ReadonlyMap<string, string>,
): InputRows {
  const entries = names.map((name, at): [string, readonly (Value | null)[]] => [
    renamed.get(name) ?? name,
    columns[at] ?? [],
  ]);
  return { count, columns: new Map(entries) };
}

/** What stands last in a row: why the prediction is what it is, where that is asked for. */
function reasons(
  { explainer, model }: PredictFileOptions,
  { answers, transformed }: AnsweredBatch,
): (row: number) => readonly string[] {
  if (explainer === null || transformed === null) return () => [];
  const labels = model.signature.labels?.length ?? 0;
  const outputOf = (row: number) =>
    answers.kind === "values" ? 0 : bestLabel(answers.probabilities, row * labels, labels);
  return (row) => [reasonText(explainer.explain(transformed, row, outputOf(row)))];
}

/** `madeOf` gives null for a row without an answer. */
function linesOf(
  { row: line }: PredictionFile,
  table: PredictionTable,
  batch: RowBatch,
  madeOf: (row: number) => readonly Value[] | null,
): string {
  const none = madeColumns(table).map(() => null);
  const lines: string[] = [];
  for (let row = 0; row < batch.count; row++) lines.push(line(batch, row, madeOf(row) ?? none));
  return lines.join("");
}

function badRows({ bad, lines }: RowBatch, unfit: readonly UnfitRow[]): readonly BadRow[] {
  return [
    ...bad.map(({ line, reason, text }) => ({ line, column: null, value: text, reason })),
    ...unfit.map(({ column, reason, row, value }) => ({ line: lines[row] ?? 0, column, value, reason })),
  ].toSorted((a, b) => a.line - b.line);
}

export function describeBad({ column, line, reason, value }: BadRow): string {
  const where = column === null ? `line ${line}` : `line ${line}, column ${column}`;
  return value === null ? `${where}: ${reason}` : `${where}, ${JSON.stringify(value)}: ${reason}`;
}

/** `499,998 rows answered, 2 could not be` as a sentence. */
export function predictedText({ bad, rightness, rows }: PredictedFile): string {
  const lines = [
    bad === 0 ? `${plural(rows, "row")} answered` : `${plural(rows, "row")} answered, ${bad} could not be`,
  ];
  if (rightness !== null) lines.push(rightnessText(rightness));
  return lines.join("\n");
}

const digitsShown = 4;

function rightnessText(rightness: Rightness): string {
  const of = `over ${plural(rightness.rows, "row")} that carry the truth`;
  return rightness.kind === "labels"
    ? `accuracy ${rightness.accuracy.toFixed(digitsShown)} ${of}`
    : `rmse ${rightness.rmse.toPrecision(digitsShown)}, mean absolute error ${rightness.meanAbsoluteError.toPrecision(digitsShown)} ${of}`;
}
