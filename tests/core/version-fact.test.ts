/** What is found out of a version by using it: told once, by whose it is, kept with the version, and what a swap proves it by. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { cameRow } from "../../client/model/came-row.ts";
import { ownExample } from "../../client/model/own-example.ts";
import { proveServed } from "../../serving/model/prove-served.ts";
import { lineageViewOf, modelViewOf } from "../../coordinator/view/model-answer.ts";
import { cameSample } from "../../data/profile/came-sample.ts";
import type { VersionView } from "../../protocol/view.ts";
import { exampleSchema, type RecordedExample } from "../../protocol/version-fact.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { timeAnswers } from "../../serving/model/time-answers.ts";
import { exportModel } from "../../serving/export/export-model.ts";
import { buildFolder, built, put } from "../support/dataset-build.ts";
import { Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";
import { standInAnswer, standInLabels, tableModel, textModel } from "../support/stand-in-model.ts";
import { openBytes, trainedBytes } from "../support/trained-model.ts";

const engine = { workDir: buildFolder, threads: 1, memoryMiB: 256 } as const;
const example: RecordedExample = { row: { text: "two days" }, answer: [{ at: 1, value: 0.75 }] };
const measured = { rowUs: 4.5, batchRowUs: 3, batchRows: 32, memoryBytes: 1_000, machine: "attic" };

function registered(): Fold {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("box", 2);
  const search = { method: "random", trials: 1, seed: 1 } as const;
  fold.must("sweep-run", { spec: sweepSpec({ search, register: { model: "lang", alias: "champion" } }) });
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.5);
  return fold;
}

function recordOf(): VersionView {
  const fold = registered();
  const view = lineageViewOf(fold.state, "lang", 1, fold.settings);
  assert.ok(view.ok);
  return view.value.version;
}

test("REG-9: an example and what answering takes are told once, stay as they are, and come back from the journal", () => {
  const fold = registered();
  const fact = { model: "lang", version: 1 };
  const versionOf = () => {
    const view = lineageViewOf(fold.state, "lang", 1, fold.settings);
    assert.ok(view.ok);
    return view.value.version;
  };
  assert.deepEqual(fold.must("model-fact", { ...fact, measured }), {
    entry: "lang@1",
    example: false,
    measured: true,
  });
  assert.equal(versionOf().example, undefined);
  fold.at += 1_000;
  assert.deepEqual(fold.must("model-fact", { ...fact, example, measured: { ...measured, rowUs: 9 } }), {
    entry: "lang@1",
    example: true,
    measured: false,
  });
  const other = { ...example, row: { text: "another" } };
  assert.deepEqual(fold.must("model-fact", { ...fact, example: other }), {
    entry: "lang@1",
    example: false,
    measured: false,
  });
  const { at: when, ...kept } = versionOf().measured ?? { at: 0 };
  assert.deepEqual([versionOf().example, kept, when < fold.at], [example, measured, true]);
  const listed = modelViewOf(fold.state, { model: "lang", removed: false });
  assert.ok(listed.ok && listed.value.versions[0]?.example === undefined);
  assert.equal(listed.value.versions[0]?.measured?.rowUs, 4.5);
  assertSameEverywhere(fold);
});

test("REG-9: only whose version it is may tell of it, and only of one that is there", () => {
  const fold = registered();
  fold.open("bob", 1_000);
  const refused = (body: object, who = "bob") => {
    const answer = fold.command(
      "model-fact",
      { model: "lang", version: 1, example, ...body },
      who,
      "requester",
    );
    assert.ok(!answer.ok);
    return answer.refusal.code;
  };
  assert.deepEqual(
    [refused({}), refused({ version: 2 }, "ada"), refused({ model: "none" }, "ada")],
    ["forbidden", "unknown", "unknown"],
  );
});

test("REG-9: an example has a size that a message has room for", () => {
  for (const wrong of [
    { ...example, answer: [] },
    { ...example, answer: Array.from({ length: 21 }, (_, at) => ({ at, value: 0 })) },
    { ...example, row: { text: "a".repeat(1_001) } },
    {
      ...example,
      row: Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`c${at}`, "a".repeat(900)])),
    },
    { ...example, answer: [{ at: 0, value: Number.NaN }] },
  ])
    assert.equal(exampleSchema.safeParse(wrong).success, false);
});

function answering(model: ServedModel, row: RecordedExample["row"], numbers: readonly number[]) {
  const answer = numbers.map((value, at) => ({ at, value }));
  return { ...model, record: { example: { row, answer } } };
}

test("SERVE-14: a version is proved by its own example, and one that answers otherwise is not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, maxLength: 30 }), fc.nat(3), async (text, label) => {
      fc.pre(text !== "refuse me" && text !== "throw");
      const right = standInAnswer(text);
      assert.equal(await proveServed(answering(textModel(), { text }, right)), null);
      const wrong = right.map((value, at) => (at === label ? value + 0.01 : value));
      assert.match(
        (await proveServed(answering(textModel(), { text }, wrong))) ?? "",
        new RegExp(`its recorded example gave ${standInLabels[label] ?? ""} .* here`),
      );
    }),
    { numRuns: 30 },
  );
  const rows = [
    [{ text: "refuse me" }, /its recorded example is refused: row 1 is not for this model/],
    [{ text: "throw" }, /it fails at an example/],
  ] as const;
  for (const [row, sentence] of rows)
    assert.match((await proveServed(answering(textModel(), row, [0]))) ?? "", sentence);
  const row = { size: 4, kind: "big", note: null };
  assert.equal(await proveServed(answering(tableModel(), row, [13])), null);
  assert.match((await proveServed(answering(tableModel(), row, [14]))) ?? "", /gave 14 and gives 13 here/);
  assert.match(
    (await proveServed(answering(tableModel(), row, [13, 0]))) ?? "",
    /gave 0 and gives none here/,
  );
});

test("REG-9: the example of a version is a row of its own data without personal data, as it answers it, and goes with its export", async () => {
  const moods = Array.from({ length: 60 }, (_, at) => {
    const word = `${String.fromCodePoint(97 + (at % 26))}${at % 7}`;
    const text =
      at % 3 === 0 ? `write to me${at}@example.org ${word}` : `a ${at % 2 ? "bad" : "good"} one ${word}`;
    return `${text},${at % 2 ? "down" : "up"}`;
  });
  put("moods.csv", `text,mood\n${moods.join("\n")}\n`);
  const version = await built("name: moods\nsources: [{ path: moods.csv }]\ntext: text\nlabel: mood\n");
  const bytes = await trainedBytes(version, "text-classification", "linear");
  const opened = await openBytes(version, bytes);
  const about = { record: recordOf(), memoryBytes: null, datasetPath: version.path };
  const model = Object.assign(opened, about);
  const found = await ownExample(model);
  assert.ok(found !== null && moods.some((line) => line.startsWith(`${String(found.row["text"])},`)));
  assert.ok(!String(found.row["text"]).includes("@"));
  assert.deepEqual(exampleSchema.parse(found), found);
  assert.equal(await proveServed(Object.assign(opened, { record: { ...recordOf(), example: found } })), null);
  assert.equal(await ownExample(Object.assign(opened, { ...about, datasetPath: null })), null);
  const folder = join(buildFolder, "moods-export");
  const name = { model: "moods", version: 1, digest: "0".repeat(64) };
  const request = {
    name,
    bytes,
    manifest: version.manifest,
    lineage: null,
    format: "safetensors",
    folder,
  } as const;
  const made = await exportModel({ ...request, force: false, example: found });
  assert.ok(made.ok, made.ok ? "" : made.refusal.message);
  const written: unknown = JSON.parse(readFileSync(join(folder, "example.json"), "utf8"));
  assert.ok(typeof written === "object" && written !== null && "inputs" in written && "expected" in written);
  assert.ok(Array.isArray(written.inputs) && Array.isArray(written.expected));
  assert.deepEqual(written.inputs[0], found.row);
  const [best] = found.answer;
  const expected: unknown = written.expected[0];
  assert.ok(Array.isArray(expected) && expected[best?.at ?? 0] === best?.value);
  opened.dispose();
});

test("REG-9: rows of a table come as they were, and fit what the model takes", async () => {
  const lines = Array.from(
    { length: 60 },
    (_, at) => `${["red", "blue"][at % 2]},${at % 7 === 3 ? "" : at % 7},${at % 2}`,
  );
  put("houses.csv", `colour,rooms,price\n${lines.join("\n")}\n`);
  const version = await built(
    "name: houses\nsources: [{ path: houses.csv, missing: [''] }]\ntarget: price\n",
  );
  const sample = await cameSample(version.path, version.manifest, { rows: 1_000, split: null }, engine);
  assert.ok(sample.ok, sample.ok ? "" : sample.refusal.message);
  const inputs = [
    { name: "colour", kind: "category", optional: true },
    { name: "rooms", kind: "number", optional: true },
    { name: "derived", kind: "number", optional: true },
  ] as const;
  const seen = Array.from({ length: sample.value.count }, (_, at) => cameRow(inputs, sample.value, at));
  const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).toSorted();
  const came = lines.map((line) => {
    const [colour = "", rooms = ""] = line.split(",");
    return [colour, rooms === "" ? null : Number(rooms), null];
  });
  assert.deepEqual(sorted(seen), sorted(came));
});

test("REG-9: what answering takes is measured of a row alone and in a batch", async () => {
  let rows = 0;
  let now = 0;
  const model = textModel({ onBatch: (count) => (rows = Math.max(rows, count)) });
  const times = await timeAnswers(model, { text: "how long" }, () => (now += 0.5));
  assert.deepEqual([rows, times.rowUs, times.batchRowUs], [32, 500, 500 / 32]);
  const slow = await timeAnswers(textModel({ isAsync: true }), { text: "how long" }, () => (now += 100));
  assert.equal(slow.rowUs, 100_000);
});
