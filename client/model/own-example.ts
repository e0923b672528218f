/**
 * A row of the data that a version was trained on, with the answer that the version gives to it: what is recorded as its example. A row
 * with personal data in it is not taken, nor a long one.
 */
import { tmpdir } from "node:os";
import { cameSample, textColumn, type CameSample } from "../../data/profile/came-sample.ts";
import { withoutPersonal } from "../../data/profile/personal-data.ts";
import { exampleAnswersMax, exampleSchema, type RecordedExample } from "../../protocol/version-fact.ts";
import type { Value } from "../../protocol/value.ts";
import type { InputColumn, ServedModel } from "../../serving/model/served-model.ts";
import { numbersOf } from "../../serving/model/prove-example.ts";
import type { RegisteredModel } from "./registered-model.ts";

/** Of so many rows the first that will do. */
const looked = 64;
const engine = { workDir: tmpdir(), threads: 1, memoryMiB: 256 } as const;

/** Null where no row will do, or the data is not to be had. */
export async function ownExample(model: RegisteredModel): Promise<RecordedExample | null> {
  const { datasetPath, manifest } = model;
  if (datasetPath === null || manifest === null) return null;
  const sample = await cameSample(datasetPath, manifest, { rows: looked, split: null }, engine);
  if (!sample.ok) return null;
  for (let at = 0; at < sample.value.count; at++) {
    const example = await exampleOf(model, exampleRow(model.signature.inputs, sample.value, at));
    if (example !== null) return example;
  }
  return null;
}

type Row = Readonly<Record<string, Value | null>>;

/** By the model's inputs; a text that is put together of several stands in the first of them. */
export function exampleRow(inputs: readonly InputColumn[], { columns }: CameSample, at: number): Row {
  const [first] = inputs;
  return Object.fromEntries(
    inputs.map(({ kind, name }) => {
      const own = columns.get(name) ?? (name === first?.name ? columns.get(textColumn) : undefined);
      const value = own?.[at] ?? null;
      if (value === null) return [name, null];
      return [name, kind === "number" ? numberOf(value) : String(value)];
    }),
  );
}

function numberOf(value: string | number): number | null {
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

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
