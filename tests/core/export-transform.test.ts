/** A row becomes the same by an exported folder's program for Node as by the whole transformation, whatever the plan. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { portableCases } from "../support/portable-case.ts";

type OfRows = (plan: unknown, rows: unknown) => unknown;
const functionSchema = z.custom<OfRows>((value) => typeof value === "function");
const program = join(projectFolder, "serving", "export", "program", "transform.mjs");
const loaded: unknown = await import(pathToFileURL(program).href);
const { inputFeatures, inputTexts } = z
  .object({ inputFeatures: functionSchema, inputTexts: functionSchema })
  .parse(loaded);

test("MODEL-5: the described steps give what the data set's own transformation gives", async () => {
  const cases = await portableCases(40, 11);
  let compared = 0;
  for (const { plan, rows, wanted } of cases) {
    assert.deepEqual(plan.notes, [], "nothing here is left to SQL");
    if ("texts" in wanted) assert.deepEqual(inputTexts(plan, rows), wanted.texts, JSON.stringify(plan.steps));
    else
      assert.deepEqual(
        [...z.instanceof(Float32Array).parse(inputFeatures(plan, rows))].map(unsigned),
        wanted.features.map(unsigned),
        JSON.stringify(plan.steps),
      );
    compared += rows.length;
  }
  assert.ok(compared > 300, `${compared} rows were compared`);
});

const unsigned = (number: number) => number + 0;

test("MODEL-5: a column may be called as JavaScript calls its own, and be missing", () => {
  const names = ["constructor", "__proto__", "toString"];
  const features = names.map((column, at) => ({
    kind: "numeric",
    column,
    scale: "none",
    fill: at + 1,
    offset: 0,
    factor: 1,
  }));
  const columns = names.map((name) => ({ name, kind: "number", type: "number", optional: true }));
  const plan = { columns, features, steps: [], entities: {}, missing: { words: [], emptyIsText: false } };
  const given: unknown = JSON.parse('[{}, {"__proto__": 7, "constructor": "8"}]');
  assert.deepEqual(inputFeatures(plan, given), Float32Array.of(1, 2, 3, 8, 7, 3));
});
