/**
 * A row of the data that a version was trained on, with the answer that the version gives to it: what is recorded as its example. A row
 * with personal data in it is not taken, nor a long one.
 */
import { tmpdir } from "node:os";
import { cameSample } from "../../data/profile/came-sample.ts";
import { withoutPersonal } from "../../data/profile/personal-data.ts";
import { exampleAnswersMax, exampleSchema, type RecordedExample } from "../../protocol/version-fact.ts";
import type { Value } from "../../protocol/value.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { numbersOf } from "../../serving/model/prove-example.ts";
import { cameRow } from "./came-row.ts";
import type { RegisteredModel } from "./registered-model.ts";

/** Of so many rows the first that will do. */
const looked = 64;
const engine = { workDir: tmpdir(), threads: 1, memoryMiB: 256 } as const;

/** Null where no row will do, or the data is not to be had. */
export async function ownExample(model: RegisteredModel): Promise<RecordedExample | null> {
  const { datasetPath, manifest } = model;
  const { inputs } = model.signature;
  if (datasetPath === null || manifest === null) return null;
  const sample = await cameSample(datasetPath, manifest, { rows: looked, split: null }, engine);
  if (!sample.ok) return null;
  for (let at = 0; at < sample.value.count; at++) {
    const values = cameRow(inputs, sample.value, at);
    const row = Object.fromEntries(inputs.map(({ name }, input) => [name, values[input] ?? null]));
    const example = await exampleOf(model, row);
    if (example !== null) return example;
  }
  return null;
}

type Row = Readonly<Record<string, Value | null>>;

async function exampleOf(model: ServedModel, row: Row): Promise<RecordedExample | null> {
  const values = Object.values(row);
  if (values.some((value) => typeof value === "string" && withoutPersonal(value) !== value)) return null;
  // Nothing but blanks proves little.
  if (values.every((value) => value === null || value === "")) return null;
  const answered = await model.answer({
    count: 1,
    columns: new Map(Object.entries(row).map(([name, value]) => [name, [value]])),
  });
  if (!answered.ok) return null;
  const answer = [...numbersOf(answered.value)]
    .map((value, at) => ({ at, value }))
    .sort((a, b) => b.value - a.value || a.at - b.at)
    .slice(0, exampleAnswersMax);
  const parsed = exampleSchema.safeParse({ row, answer });
  return parsed.success ? parsed.data : null;
}
