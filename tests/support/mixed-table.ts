/** A data set of a table with every kind of feature, a model trained on it, and rows to ask it with missing and unknown values among them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { BuiltVersion } from "../../data/version/build-dataset.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import { built, put } from "./dataset-build.ts";
import type { Row } from "./exported-folder.ts";
import { openBytes, trainedBytes } from "./trained-model.ts";

const sides = ["north", "south", "east", "", 'it\'s "odd", é'];
const columns = ["size", "age", "side", "garden", "serial", "built", "price"];

export interface MixedTable {
  readonly version: BuiltVersion;
  readonly bytes: Uint8Array;
  readonly model: OpenedModel;
}

export async function mixedTable(isNumber: boolean): Promise<MixedTable> {
  const lines = Array.from({ length: 240 }, (_, at) => {
    const [size, age] = [40 + ((at * 37) % 160), (at * 13) % 80];
    const price = 3 * size - 0.5 * age + ((at * 7919) % 17);
    const cells = [
      size + 0.25,
      at % 7 === 3 ? "" : age,
      `"${(sides[at % sides.length] ?? "").replaceAll('"', '""')}"`,
      at % 2 === 0,
      1_000_000_000 + ((at * 31) % 97),
      `20${10 + (at % 15)}-0${1 + (at % 9)}-1${at % 10}`,
      isNumber ? price : price > 400 ? "dear" : "cheap",
    ];
    return cells.join(",");
  });
  put("mixed.csv", `${columns.join(",")}\n${lines.join("\n")}\n`);
  const version = await built(
    [
      "name: mixed",
      "sources: [{ path: mixed.csv, format: csv }]",
      "plan:",
      "  - rename: { side: facing }",
      "  - features:",
      "      numeric: standard",
      "      categories: { max: 3 }",
      "      columns: { age: { buckets: 4 }, built: { scale: minmax } }",
      "target: price",
      "",
    ].join("\n"),
  );
  const bytes = await trainedBytes(version, "tabular", "linear");
  return { version, bytes, model: await openBytes(version, bytes) };
}

const row = fc.record({
  size: fc.oneof(fc.double({ min: -500, max: 500, noNaN: true }), fc.constant(null)),
  age: fc.oneof(fc.integer({ min: -10, max: 120 }), fc.constant(null)),
  side: fc.oneof(fc.constantFrom(...sides), fc.string({ maxLength: 5 }), fc.constant(null)),
  garden: fc.constantFrom(true, false, null),
  serial: fc.oneof(fc.integer({ min: 999_999_900, max: 1_000_000_200 }), fc.constant(null)),
  built: fc.oneof(
    fc
      .date({ min: new Date("1990-01-01"), max: new Date("2040-01-01"), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    fc.constant(null),
  ),
});

export function mixedRows(count: number, seed: number): readonly Row[] {
  return fc.sample(row, { numRuns: count, seed });
}

export async function servedNumbers(model: OpenedModel, rows: readonly Row[]): Promise<Float32Array> {
  const names = columns.filter((name) => name !== "price");
  const cells = new Map(names.map((name) => [name, rows.map((one) => one[name] ?? null)]));
  const answers = await model.answer({ count: rows.length, columns: cells });
  assert.ok(answers.ok, answers.ok ? "" : answers.refusal.message);
  return answers.value.kind === "values" ? answers.value.values : answers.value.probabilities;
}
