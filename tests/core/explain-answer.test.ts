/** An explanation adds up to the score that the answer came of: of every model that is explained, whatever the text or row. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { softmax } from "../../numeric/softmax.ts";
import type { Params } from "../../protocol/value.ts";
import { openExplainer } from "../../serving/explain/open-explainer.ts";
import type { Explainer, Explanation } from "../../serving/explain/explanation.ts";
import type { InputRows } from "../../serving/model/served-model.ts";
import { ngramParts } from "../../serving/explain/ngram-part.ts";
import { NgramSink } from "../../training/sparse/ngram-sink.ts";
import { built, put } from "../support/dataset-build.ts";
import { openBytes, trainedBytes } from "../support/trained-model.ts";

const words = ["good", "bad", "fine", "awful", "lion", "Cat", "élan", "\u{1f600}", "a", "the"];
const text = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: "grapheme", maxLength: 6 })), { maxLength: 8 })
  .map((parts) => parts.join(" "));

async function moods() {
  const lines = Array.from({ length: 80 }, (_, at) => {
    const about = `${words[at % 10] ?? ""} ${String.fromCodePoint(97 + (at % 26))}${at % 7}x${at}`;
    return `${["good", "bad", "odd"][at % 3] ?? ""} ${about},${["up", "down", "side"][at % 3] ?? ""}`;
  });
  put("explained.csv", `text,mood\n${lines.join("\n")}\n`);
  return built("name: moods\nsources: [{ path: explained.csv }]\ntext: text\nlabel: mood\n");
}

/** As the squared hinge's scores become probabilities: (1 + score) / 2, an exponential below -0.9. */
function hingeProbabilities(scores: readonly number[]): readonly number[] {
  const bent = scores.map((score) =>
    score >= -0.9 ? (1 + score) / 2 : 0.05 * Math.exp((score + 0.9) / 0.1),
  );
  const sum = bent.reduce((total, one) => total + one, 0);
  return bent.map((one) => one / sum);
}

function softmaxOf(scores: readonly number[]): readonly number[] {
  const values = Float64Array.from(scores);
  softmax(values);
  return [...values];
}

function addsUp({ base, parts, score }: Explanation): void {
  const sum = parts.reduce((total, { contribution }) => total + contribution, base);
  assert.ok(Math.abs(sum - score) <= 1e-9 * Math.max(1, Math.abs(score)), `${sum} and ${score}`);
}

function near(own: number, other: number, what: string): void {
  assert.ok(Math.abs(own - other) <= 1e-4 * Math.max(1, Math.abs(other)), `${what}: ${own} and ${other}`);
}

function explainerOf(bytes: Uint8Array): Explainer {
  const explainer = openExplainer(bytes);
  assert.ok(explainer.ok, explainer.ok ? "" : explainer.refusal.message);
  return explainer.value;
}

const textModels: readonly (readonly [model: string, params: Params, isHinge: boolean])[] = [
  ["linear", { wordNgrams: 3, charMin: 1, charMax: 4 }, false],
  ["linear", { charMax: 0 }, false],
  ["nbsvm", { loss: "squared-hinge", mix: 0.4 }, true],
  ["nbsvm", { loss: "logistic", mix: 1, wordNgrams: 1 }, false],
  ["fasttext", { wordNgrams: 2, dim: 6 }, false],
];

for (const [model, params, isHinge] of textModels)
  test(`PREDICT-5: the parts of a text add up to its scores: ${model} ${JSON.stringify(params)}`, async () => {
    const version = await moods();
    const bytes = await trainedBytes(version, "text-classification", model, params);
    const opened = await openBytes(version, bytes);
    const explainer = explainerOf(bytes);
    fc.assert(
      fc.property(text, (one) => {
        const rows = { kind: "text", texts: ["another", one], unfit: [] } as const;
        const explained = [0, 1, 2].map((label) => explainer.explain(rows, 1, label));
        explained.forEach(addsUp);
        const scores = explained.map(({ score }) => score);
        const expected = isHinge ? hingeProbabilities(scores) : softmaxOf(scores);
        const answers = opened.predict(rows);
        assert.ok(answers.kind === "labels");
        expected.forEach((value, label) => near(answers.probabilities[3 + label] ?? NaN, value, one));
      }),
      { numRuns: 60, endOnFailure: true },
    );
    opened.dispose();
  });

test("PREDICT-5: each n-gram of a text belongs to one of its words or phrases", () => {
  const setting = fc.record({
    wordNgrams: fc.integer({ min: 1, max: 4 }),
    charMin: fc.integer({ min: 1, max: 4 }),
    charMax: fc.integer({ min: 0, max: 6 }),
  });
  fc.assert(
    fc.property(text, setting, (one, sizes) => {
      const sink = new NgramSink({ ...sizes, bucketBits: 20, minCount: 1, binary: false });
      sink.add(one);
      assert.equal(
        ngramParts(one, { ...sizes, bucketBits: 20, minCount: 1, binary: false }).length,
        sink.length,
      );
    }),
    { numRuns: 300 },
  );
  const plain = { wordNgrams: 2, charMin: 1, charMax: 0, bucketBits: 8, minCount: 1, binary: false };
  assert.deepEqual(ngramParts("How  many", plain), ["^ how", "how", "how many", "many"]);
});

for (const task of ["classification", "regression"])
  test(`PREDICT-5: the columns of a row add up to its ${task === "regression" ? "number" : "scores"}`, async () => {
    const lines = Array.from(
      { length: 60 },
      (_, at) =>
        `${["red", "green", "blue"][at % 3] ?? ""},${at % 7},${(at % 5) * 1.5},${task === "regression" ? (at % 7) * 20 + 5 : `c${at % 3}`}`,
    );
    put("columns.csv", `colour,rooms,size,price\n${lines.join("\n")}\n`);
    const version = await built(
      "name: prices\nsources: [{ path: columns.csv }]\ntarget: price\nfeatures: [colour, rooms, size]\n",
    );
    const bytes = await trainedBytes(version, "tabular", "linear");
    const opened = await openBytes(version, bytes);
    const explainer = explainerOf(bytes);
    const given: InputRows = {
      count: 3,
      columns: new Map<string, (string | number | null)[]>([
        ["colour", ["red", "pink", null]],
        ["rooms", [3, null, 100]],
        ["size", [1.5, -4, 6]],
      ]),
    };
    const transformed = await opened.transform.apply(given);
    assert.ok(transformed.ok);
    const answers = opened.predict(transformed.value);
    for (let row = 0; row < given.count; row++) {
      const explained = (opened.signature.labels ?? ["price"]).map((_, output) =>
        explainer.explain(transformed.value, row, output),
      );
      explained.forEach(addsUp);
      const scores = explained.map(({ score }) => score);
      if (answers.kind === "values") near(answers.values[row] ?? NaN, scores[0] ?? NaN, `row ${row}`);
      else
        softmaxOf(scores).forEach((value, label) =>
          near(answers.probabilities[row * 3 + label] ?? NaN, value, `row ${row}`),
        );
    }
    const red = explainer.explain(transformed.value, 0, 0);
    assert.ok(red.parts.some(({ part }) => part === "colour=red"));
    opened.dispose();
  });

test("PREDICT-5: a model whose score is no sum is refused with those that are explained", async () => {
  const version = await moods();
  const bytes = await trainedBytes(version, "text-classification", "linear");
  const renamed = Buffer.from(bytes);
  const at = renamed.indexOf('\\"model\\":\\"linear\\"');
  assert.notEqual(at, -1);
  renamed.write('\\"model\\":\\"gruuuu\\"', at);
  const refused = openExplainer(renamed);
  assert.ok(!refused.ok);
  assert.match(refused.refusal.message, /cannot be explained: its score is no sum over words or columns/u);
});
