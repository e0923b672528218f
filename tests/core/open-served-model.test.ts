/** A version opened from its bytes and its dataset's manifest answers rows as people have them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openServedModel, type OpenedModel } from "../../serving/model/open-served-model.ts";
import type { InputRows } from "../../serving/model/served-model.ts";
import { built, put } from "../support/dataset-build.ts";
import { openBytes, trainedBytes } from "../support/trained-model.ts";

const colours = ["red", "green", "blue"];

function reviewsCsv(): string {
  const lines = Array.from({ length: 60 }, (_, at) => {
    const good = at % 2 === 0;
    const word = `${String.fromCodePoint(97 + (at % 26))}${String.fromCodePoint(97 + (at % 7))}`;
    return `${at},Item ${word},${good ? "a GOOD one, fine" : "a bad   one"} ${colours[at % 3] ?? ""} ${word},${good ? "up" : "down"}`;
  });
  return `id,title,body,mood\n${lines.map((line) => line.replace(/^(\d+,[^,]*),(.*),(\w+)$/u, '$1,"$2",$3')).join("\n")}\n`;
}

function housesCsv(): string {
  const lines = Array.from(
    { length: 60 },
    (_, at) => `${colours[at % 3] ?? ""},${at % 7},${(at % 5) * 1.5},${at % 2}`,
  );
  return `colour,rooms,size,price\n${lines.join("\n")}\n`;
}

function rowsOf(
  columns: Readonly<Record<string, InputRows["columns"] extends ReadonlyMap<string, infer C> ? C : never>>,
): InputRows {
  const entries = Object.entries(columns);
  return { count: entries[0]?.[1].length ?? 0, columns: new Map(entries) };
}

async function refusalOf(model: OpenedModel, rows: InputRows): Promise<string> {
  const answer = await model.answer(rows);
  assert.ok(!answer.ok, "it answered");
  return answer.refusal.message;
}

test("PREDICT-1: a text model answers rows of its sources, through the plan", async () => {
  put("reviews.csv", reviewsCsv());
  const version = await built(
    "name: reviews\nsources: [{ path: reviews.csv }]\nplan:\n  - concat: { columns: [title, body], to: text, separator: '. ' }\n  - clean: { columns: [text], lowercase: true, whitespace: true }\n  - map-label: { column: mood, from: { up: good, down: bad } }\ntext: text\nlabel: mood\n",
  );
  const model = await openBytes(version, await trainedBytes(version, "text-classification", "linear"));
  assert.deepEqual(model.signature, {
    inputs: [
      { name: "title", kind: "text", optional: true },
      { name: "body", kind: "text", optional: true },
    ],
    labels: ["good", "bad"],
    target: "mood",
  });
  assert.deepEqual(
    [model.model, model.version, model.task, model.algorithm],
    ["mood", 3, "text-classification", "linear"],
  );
  assert.equal(model.answerTexts, null);
  const answer = await model.answer(rowsOf({ title: ["Item 4", null], body: ["a GOOD   one", "a bad one"] }));
  assert.ok(answer.ok && answer.value.kind === "labels");
  assert.ok(model.predictor.kind === "text");
  const own = model.predictor.probabilities(["item 4. a good one", "a bad one"]);
  assert.deepEqual([...answer.value.probabilities], [...own]);
  assert.match(
    await refusalOf(model, rowsOf({ title: ["a"] })),
    /^there is no column "body", which the model reads; /u,
  );
  assert.equal(
    await refusalOf(model, rowsOf({ title: ["a", " "], body: ["b", null] })),
    "row 2, column text: it has no text",
  );
  assert.equal(
    await refusalOf(model, rowsOf({ title: ["a", 7], body: ["b", "c"] })),
    'row 2, column title, "7": it is no text',
  );
  model.dispose();
});

test("PREDICT-1: one text column is answered at once", async () => {
  put("reviews.csv", reviewsCsv());
  const version = await built(
    "name: reviews\nsources: [{ path: reviews.csv }]\nplan:\n  - rename: { body: text }\n  - clean: { columns: [text], lowercase: true }\ntext: text\nlabel: mood\n",
  );
  const bytes = await trainedBytes(version, "text-classification", "fasttext");
  const model = await openBytes(version, bytes);
  assert.deepEqual(model.signature.inputs, [{ name: "body", kind: "text", optional: false }]);
  const answer = await model.answer(rowsOf({ body: ["A GOOD one"] }));
  assert.ok(answer.ok && answer.value.kind === "labels");
  assert.deepEqual([...(model.answerTexts?.(["A GOOD one"]) ?? [])], [...answer.value.probabilities]);
  for (const blank of ["", "  ", "\u00a0\u2003", "\n"]) {
    assert.match(
      await refusalOf(model, rowsOf({ body: ["fine", blank] })),
      /^row 2, column text: it has no text$/u,
    );
    assert.equal(model.answerTexts?.(["fine", blank]), null, JSON.stringify(blank));
  }
  const bare = await openBytes(version, bytes, false);
  assert.deepEqual(bare.signature.inputs, [{ name: "text", kind: "text", optional: false }]);
  assert.deepEqual([...(bare.answerTexts?.(["a good one"]) ?? [])], [...answer.value.probabilities]);
});

test("PREDICT-1: a table's model fills in what is missing and refuses what does not fit", async () => {
  put("houses.csv", housesCsv());
  const version = await built(
    "name: houses\nsources: [{ path: houses.csv }]\nplan:\n  - features: { numeric: standard, missing: median }\ntarget: price\nfeatures: [colour, rooms, size]\n",
  );
  const bytes = await trainedBytes(version, "tabular", "linear");
  const model = await openBytes(version, bytes);
  assert.deepEqual(model.signature, {
    inputs: [
      { name: "colour", kind: "category", optional: true },
      { name: "rooms", kind: "number", optional: true },
      { name: "size", kind: "number", optional: true },
    ],
    labels: null,
    target: "price",
  });
  const answer = await model.answer(
    rowsOf({ size: [1.5, null, "3.0"], colour: ["red", "pink", null], rooms: [3, 2, null] }),
  );
  assert.ok(answer.ok && answer.value.kind === "values");
  assert.equal(answer.value.values.length, 3);
  assert.ok(answer.value.values.every(Number.isFinite));
  const rows = (size: string | number) => rowsOf({ size: [1, size], colour: ["red", "red"], rooms: [1, 1] });
  assert.equal(await refusalOf(model, rows("wide")), 'row 2, column size, "wide": it is no number');
  assert.equal(await refusalOf(model, rows(Number.NaN)), 'row 2, column size, "NaN": it is no finite number');
  assert.match(
    await refusalOf(model, rows(1e300)),
    /^row 2, column size: it is larger than a feature may be/u,
  );
  assert.equal(
    await refusalOf(model, rowsOf({ size: [1], colour: ["red"], rooms: [2.5] })),
    'row 1, column rooms, "2.5": it is no integer',
  );
  assert.equal(
    await refusalOf(model, rowsOf({ sise: [1], colour: ["red"], rooms: [2] })),
    'there is no column "size", which the model reads; did you mean "sise"?',
  );
  const bare = await openBytes(version, bytes, false);
  assert.deepEqual(bare.signature.inputs[0], { name: "colour=blue", kind: "number", optional: false });
  model.dispose();
});

test("PREDICT-1: a version of before its columns were kept is read by its features", async () => {
  put("houses.csv", housesCsv());
  const version = await built(
    "name: houses\nsources: [{ path: houses.csv, types: { rooms: integer } }]\nplan:\n  - cast: { rooms: number }\n  - features: { numeric: minmax }\ntarget: price\nfeatures: [colour, rooms, size]\n",
  );
  const bytes = await trainedBytes(version, "tabular", "linear");
  const { inputs, ...older } = version.manifest;
  assert.deepEqual(
    inputs?.map(({ name, type }) => `${name} ${type}`),
    ["colour VARCHAR", "rooms BIGINT", "size DOUBLE", "price BIGINT"],
  );
  const rows = rowsOf({ colour: ["red", "blue"], rooms: [3, null], size: [1.5, 4] });
  const [now, then] = await Promise.all([
    openBytes(version, bytes),
    openBytes({ ...version, manifest: { ...older, build: 2 } }, bytes),
  ]);
  assert.deepEqual(then.signature, now.signature);
  assert.deepEqual(await then.answer(rows), await now.answer(rows));
});

test("PREDICT-1: a dataset version that the model was not trained on is refused", async () => {
  put("houses.csv", housesCsv());
  const houses = (features: string) =>
    built(`name: houses\nsources: [{ path: houses.csv }]\ntarget: price\nfeatures: [${features}]\n`);
  const bytes = await trainedBytes(await houses("rooms, size"), "tabular", "linear");
  const other = await openServedModel({
    bytes,
    manifest: (await houses("size, rooms, colour")).manifest,
    name: { model: "houses", version: 1, digest: "0".repeat(64) },
  });
  assert.ok(!other.ok);
  assert.match(
    other.refusal.message,
    /^houses@1 was not trained on the dataset version .*: its features have other names/u,
  );
});
