/**
 * example.json: rows with the answers that our own predictor gives, so that whoever has the folder can see that the answers there
 * are the same. The rows are made up, but for the first where an example of the version's own is on record: none else of the data set
 * leaves with the model.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { storedList, storedText } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { RecordedExample } from "../../protocol/version-fact.ts";
import type { OpenedModel } from "../model/open-served-model.ts";
import { numbersOf } from "../model/prove-example.ts";
import type { TransformDescription } from "./transform-description.ts";

type ExampleRow = Readonly<Record<string, Value | null>>;

/** Answers of other runtimes may differ by so much of `scale` or, where that is more, of themselves. */
const tolerance = 1e-5;
const tableRows = 8;

const texts = [
  "two days, three hours",
  "",
  "How far is it from Denver to Aspen?",
  "Größe, naïve café — ÉTÉ",
  "Ελλάδα ΣΟΦΟΣ русский 日本語 한국어",
  "  white\tspace\n and   more ",
  "12 % of $3.50 & <b>bold</b> #39;",
  Array.from({ length: 120 }, (_, at) => `word${at % 17}`).join(" "),
];

export interface Example {
  readonly inputs: readonly ExampleRow[];
  /** [rows][labels], or [rows][1]. */
  readonly expected: readonly (readonly number[])[];
  readonly tolerance: number;
  /** 1 for probabilities; for numbers how widely those of the training lie, where that is more. */
  readonly scale: number;
}

export interface ExampleSource {
  readonly scale: number;
  readonly transform: TransformDescription;
  /** On record for the version; null where there is none. */
  readonly recorded: RecordedExample | null;
  /** Where it refuses the made-up rows, or takes other columns, the folder's own steps come before its predictor. */
  readonly served: Pick<OpenedModel, "answer" | "predictor">;
  /** With transform.json, the files it names and transform.mjs in it. */
  readonly folder: string;
}

export async function makeExample(source: ExampleSource): Promise<Outcome<Example>> {
  const madeUp =
    source.transform.text === undefined ? tableInputs(source.transform) : textInputs(source.transform);
  const inputs = [...ownInputs(source), ...madeUp];
  const answers = (await servedAnswers(source, inputs)) ?? (await ownAnswers(source, inputs));
  const width = answers.length / inputs.length;
  const expected = inputs.map((_, row) => [...answers.subarray(row * width, (row + 1) * width)]);
  if (!answers.every(Number.isFinite))
    return refuse("conflict", "the model gives no finite answer to an example; its weights have diverged");
  return accept({ inputs, expected, tolerance, scale: source.scale });
}

/** The recorded row, where the folder's program takes its columns. */
function ownInputs({ recorded, transform: { columns, notes } }: ExampleSource): ExampleRow[] {
  if (recorded === null || notes.length > 0) return [];
  const { row } = recorded;
  if (!columns.every(({ name }) => Object.hasOwn(row, name))) return [];
  return [Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null]))];
}

function textInputs({ columns }: TransformDescription): ExampleRow[] {
  return texts.map((text, row) =>
    Object.fromEntries(
      columns.map(({ name }, column) => [
        name,
        column === 0 ? text : (texts[(row + column) % texts.length] ?? ""),
      ]),
    ),
  );
}

/** Rows about the middle of what training saw, with every kind of missing and unknown value among them. */
function tableInputs({ columns, features = [] }: TransformDescription): ExampleRow[] {
  const byColumn = new Map(features.map((feature) => [feature.column, feature]));
  return Array.from({ length: tableRows }, (_, row) =>
    Object.fromEntries(
      columns.map(({ kind, name }, column) => {
        const feature = byColumn.get(name);
        const turn = row + column;
        if (row === 0 || turn % 5 === 4) return [name, null];
        if (feature?.kind === "categories")
          return [
            name,
            turn % 4 === 3
              ? "none of them"
              : (feature.values[turn % Math.max(1, feature.values.length)] ?? null),
          ];
        if (feature?.kind === "buckets")
          return [name, feature.bounds[turn % Math.max(1, feature.bounds.length)] ?? feature.fill];
        if (feature !== undefined) return [name, feature.fill + (turn - tableRows / 2) / 2 / feature.factor];
        return [name, kind === "number" ? turn : `text ${turn}`];
      }),
    ),
  );
}

async function servedAnswers(
  { served, transform }: ExampleSource,
  inputs: readonly ExampleRow[],
): Promise<Float32Array | null> {
  // What is given as made by a step is not what the whole model takes.
  if (transform.notes.length > 0) return null;
  const columns = new Map(
    transform.columns.map(({ name }) => [name, inputs.map((row) => row[name] ?? null)]),
  );
  const answers = await served.answer({ count: inputs.length, columns });
  return answers.ok ? numbersOf(answers.value) : null;
}

type OfRows = (plan: unknown, rows: unknown) => unknown;
const functionSchema = z.custom<OfRows>((value) => typeof value === "function");
const stepsSchema = z.object({ inputTexts: functionSchema, inputFeatures: functionSchema });

async function ownAnswers(
  { served: { predictor }, folder }: ExampleSource,
  inputs: readonly ExampleRow[],
): Promise<Float32Array> {
  const loaded: unknown = await import(pathToFileURL(join(folder, "transform.mjs")).href);
  const { inputFeatures, inputTexts } = stepsSchema.parse(loaded);
  const plan: unknown = JSON.parse(readFileSync(join(folder, "transform.json"), "utf8"));
  switch (predictor.kind) {
    case "text":
      return predictor.probabilities(storedList(storedText).parse(inputTexts(plan, inputs))).slice();
    case "table":
      return predictor.predict(z.instanceof(Float32Array).parse(inputFeatures(plan, inputs)));
  }
}
