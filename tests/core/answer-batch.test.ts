/** Rows and texts answered by a model without a data set's transformation, as one that a program made is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answerBatch } from "../../client/predict/answer-batch.ts";
import { answerTexts } from "../../client/predict/answer-text.ts";
import { accept } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { InputColumn, InputRows, ServedModel } from "../../serving/model/served-model.ts";
import { tensorModel } from "../support/tensor-model.ts";

const a: InputColumn = { name: "a", kind: "number", optional: false };
const b: InputColumn = { name: "b", kind: "number", optional: false };

/** Ten times a, and b. Fails where it is given anything but finite numbers. */
function sum(): ServedModel {
  return {
    ...tensorModel({ inputs: [], outputs: [] }),
    signature: { inputs: [a, b], labels: null, target: "value" },
    answer: ({ columns, count }) => {
      const [first = [], second = []] = [columns.get("a"), columns.get("b")];
      const values = Float32Array.from({ length: count }, (_, row) => {
        const [x, y] = [first[row], second[row]];
        assert.ok(typeof x === "number" && typeof y === "number" && Number.isFinite(x + y));
        return 10 * x + y;
      });
      return accept({ kind: "values", values });
    },
  };
}

const cell = fc.oneof(
  fc.integer({ min: -99, max: 99 }),
  fc.integer({ min: -99, max: 99 }).map(String),
  fc.constantFrom(null, "", " ", "x", "1,5", Infinity, Number.NaN),
);

function isNumber(value: Value | null): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
}

test("MODEL-RUN-2: rows that fit are answered in their place, whatever stands between them, by name or by order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { minLength: 1 }),
      fc.constantFrom("named", "ordered", "more"),
      async (rows, how) => {
        const [left, right] = [rows.map(([x]) => x), rows.map(([, y]) => y)];
        const columns: InputRows["columns"] = new Map<string, readonly (Value | null)[]>(
          how === "ordered"
            ? [
                ["x", left],
                ["y", right],
              ]
            : [...(how === "more" ? [["c", right] as const] : []), ["b", right], ["a", left]],
        );
        const answered = await answerBatch(sum(), { count: rows.length, columns });
        assert.ok(answered.ok && answered.value.answers.kind === "values");
        const { answers, unfit } = answered.value;
        const out = new Set(unfit.map(({ row }) => row));
        rows.forEach(([x, y], row) => {
          assert.equal(out.has(row), !(isNumber(x) && isNumber(y)), JSON.stringify([x, y]));
          if (!out.has(row)) assert.equal(answers.values[row], Math.fround(10 * Number(x) + Number(y)));
        });
        assert.equal(answers.values.length, rows.length);
      },
    ),
    { numRuns: 100 },
  );
});

test("a column that is missing is named, with what the model takes", async () => {
  const answered = await answerBatch(sum(), {
    count: 1,
    columns: new Map([
      ["a", [1]],
      ["bb", [2]],
    ]),
  });
  assert.match(answered.ok ? "" : answered.refusal.message, /no column b; the model takes a, b/);
  const three = await answerBatch(sum(), {
    count: 1,
    columns: new Map([
      ["x", [1]],
      ["y", [2]],
      ["z", [3]],
    ]),
  });
  assert.match(three.ok ? "" : three.refusal.message, /no column a, b; .*as many columns \(2\)/);
});

test("a model of one text is asked by --text, one of numbers is not", async () => {
  const model: ServedModel = {
    ...tensorModel({ inputs: [], outputs: [] }),
    signature: {
      inputs: [{ name: "t", kind: "text", optional: false }],
      labels: ["no", "yes"],
      target: "label",
    },
    answer: ({ columns, count }) =>
      accept({
        kind: "labels",
        probabilities: Float32Array.from({ length: 2 * count }, (_, at) =>
          (columns.get("t")?.[at >> 1] === "good") === (at % 2 === 1) ? 0.75 : 0.25,
        ),
      }),
  };
  const answered = await answerTexts(model, ["good", "bad"], null);
  assert.ok(answered.ok);
  assert.deepEqual(
    answered.value.answers.map(({ prediction, probabilities }) => [prediction, probabilities["yes"]]),
    [
      ["yes", 0.75],
      ["no", 0.25],
    ],
  );
  const refused = await answerTexts(sum(), ["good"], null);
  assert.match(
    refused.ok ? "" : refused.refusal.message,
    /reads rows, not texts: a, b; give them with --file/,
  );
});
