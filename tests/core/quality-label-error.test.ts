/** Label errors found in texts: folds that do not leak, flips in made texts, and flips in real data where it is present. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { projectFolder } from "../../training/version/code-version.ts";
import { findLabelErrors, labelErrorsSchema } from "../../data/quality/find-label-errors.ts";
import { foldsOf } from "../../data/quality/fold.ts";
import type { LabelledRow } from "../../data/quality/labelled-row.ts";
import { outOfFold } from "../../data/quality/out-of-fold.ts";
import { tokenHash, tokensOf } from "../../data/quality/word-token.ts";

const words = [
  ["red", "blue", "green", "grey", "black"],
  ["north", "south", "east", "west", "inland"],
  ["one", "two", "three", "four", "five"],
] as const;

/** Texts whose words tell their label, and some that do not. */
function madeRows(count: number): LabelledRow[] {
  return Array.from({ length: count }, (_, at) => {
    const label = at % words.length;
    const pick = (salt: string) => words[label]?.[tokenHash(`${salt}${at}`) % 5] ?? "";
    const noise = `w${String.fromCodePoint(97 + (tokenHash(`n${at}`) % 26))}${String.fromCodePoint(97 + (tokenHash(`m${at}`) % 26))}`;
    return {
      split: "train",
      file: "made.txt",
      line: at + 1,
      text: `the ${pick("a")} ${noise} ${pick("b")}`,
      label,
    };
  });
}

/** The first `count` rows by a hash of the seed get another label. */
function flipped(
  rows: readonly LabelledRow[],
  among: (row: LabelledRow) => boolean,
  share: number,
  seed: number,
  labels: number,
) {
  const order = rows
    .map((row, at) => ({ row, at, order: tokenHash(`flip ${seed} ${at}`) }))
    .filter(({ row }) => among(row))
    .sort((a, b) => a.order - b.order);
  const flips = new Set(order.slice(0, Math.round(share * order.length)).map(({ at }) => at));
  const next = (label: number, at: number) =>
    (label + 1 + (tokenHash(`to ${seed} ${at}`) % (labels - 1))) % labels;
  return {
    flips: new Set([...flips].map((at) => `${rows[at]?.split} ${rows[at]?.line}`)),
    rows: rows.map((row, at) => (flips.has(at) ? { ...row, label: next(row.label, at) } : row)),
  };
}

test("LABEL-6: the same text is held out in one fold, and folds have their share of each label", () => {
  const texts = Array.from(
    { length: 400 },
    (_, at) => ["Some text", "some  TEXT", "other text"][at % 3] ?? "",
  );
  const own = texts.map((text, at) => (at < 100 ? text : `text ${String.fromCodePoint(0x4e00 + at)}`));
  const labels = Int32Array.from(own, (_, at) => at % 2);
  const fold = foldsOf(own, labels, 5, 1);
  const first = own.findIndex((text) => text === "Some text");
  for (const [at, text] of own.entries())
    if (/^some\s+text$/iu.test(text)) assert.equal(fold[at], fold[first]);
  const perFold = Array.from({ length: 5 }, (_, one) => fold.subarray(100).filter((at) => at === one).length);
  assert.ok(Math.max(...perFold) - Math.min(...perFold) <= 2, perFold.join(", "));
  assert.notDeepEqual([...fold], [...foldsOf(own, labels, 5, 2)]);
});

test("LABEL-7: probabilities sum to 1, are the same twice, and do not come from the row's own label", () => {
  const rows = madeRows(300);
  const texts = rows.map(({ text }) => text);
  const labels = Int32Array.from(rows, ({ label }) => label);
  const found = outOfFold(texts, labels, 3, { folds: 5, seed: 1 });
  for (let row = 0; row < rows.length; row++) {
    const sum = found.subarray(3 * row, 3 * row + 3).reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - 1) < 1e-9);
  }
  assert.deepEqual(outOfFold(texts, labels, 3, { folds: 5, seed: 1 }), found);
  // A text of words that no other has, under a false label: nobody can have told the model.
  const odd = [...texts, "zork quux flarp"];
  for (const label of [0, 1, 2]) {
    const judged = outOfFold(odd, Int32Array.from([...labels, label]), 3, { folds: 5, seed: 1 });
    assert.ok((judged[3 * texts.length + label] ?? 1) < 0.6);
  }
});

test("LABEL-8: flipped labels of made texts are found, with where they stand and what they should be", () => {
  const clean = madeRows(900);
  assert.equal(findLabelErrors(clean, ["a", "b", "c"], { most: 10 }).suspects, 0);
  const { flips, rows } = flipped(clean, () => true, 0.05, 3, 3);
  const found = labelErrorsSchema.parse(findLabelErrors(rows, ["a", "b", "c"], { most: 1000 }));
  const named = new Set(found.listed.map(({ line, split }) => `${split} ${line}`));
  const hits = [...flips].filter((flip) => named.has(flip)).length;
  assert.ok(hits >= 0.9 * flips.size, `${hits} of ${flips.size} flips are found`);
  assert.ok(found.suspects <= 1.1 * flips.size, `${found.suspects} suspects for ${flips.size} flips`);
  for (const { line, suggested } of found.listed.slice(0, 20)) {
    assert.equal(suggested, ["a", "b", "c"][clean[(line ?? 0) - 1]?.label ?? -1]);
  }
  assert.equal(findLabelErrors(rows, ["a", "b", "c"], { most: 5 }).listed.length, 5);
});

test("LABEL-9: too few rows or one label give no suspects", () => {
  assert.equal(findLabelErrors(madeRows(5), ["a", "b", "c"], { most: 9 }).judged, 0);
  assert.equal(
    findLabelErrors(
      madeRows(60).map((row) => ({ ...row, label: 0 })),
      ["a"],
      { most: 9 },
    ).judged,
    0,
  );
});

test("tokens: words in any script, single signs, nothing of case, digits and spacing", () => {
  assert.deepEqual(tokensOf("It's  7 PM, 東京 straße!"), [
    "it",
    "'",
    "s",
    "0",
    "pm",
    ",",
    "東",
    "京",
    "straße",
    "!",
  ]);
});

const dataFolder = resolve(projectFolder, process.env["TRIALMESH_DATA"] ?? "../shared/data");
const sets = [
  { name: "sst2", files: { train: "train.txt", validation: "dev.txt", test: "test.txt" }, least: 0.5 },
  { name: "trec", files: { train: "train.txt", test: "test.txt" }, least: 0.6 },
] as const;

for (const { files, least, name } of sets) {
  const folder = join(dataFolder, name);
  const skip = existsSync(folder) ? false : `${folder} is not there`;
  test(
    `LABEL-10: of ${name}'s training labels 5% are flipped; of as many suspects more than ${least} are flips`,
    { skip },
    (context) => {
      const raw = Object.entries(files).flatMap(([split, file]) =>
        readFileSync(join(folder, file), "latin1")
          .trimEnd()
          .split("\n")
          .map((line, at) => ({ split, file, line: at + 1, text: line.slice(2), raw: line.slice(0, 1) })),
      );
      const labels = [...new Set(raw.map((row) => row.raw))].toSorted();
      const rows = raw.map(({ raw: label, ...row }) => ({ ...row, label: labels.indexOf(label) }));
      const changed = flipped(rows, ({ split }) => split === "train", 0.05, 1, labels.length);
      const found = findLabelErrors(changed.rows, labels, { most: rows.length });
      const trained = found.listed.filter(({ split }) => split === "train");
      const hits = (list: typeof trained) =>
        list.filter(({ line, split }) => changed.flips.has(`${split} ${line}`)).length;
      const count = changed.flips.size;
      const precision = hits(trained.slice(0, count)) / count;
      const recall = hits(trained) / count;
      context.diagnostic(
        `${count} flips: precision ${precision.toFixed(3)} at ${count}, recall ${recall.toFixed(3)} among ${trained.length} suspects`,
      );
      assert.ok(precision > least, `precision ${precision}`);
      assert.ok(recall > 0.6, `recall ${recall}`);
    },
  );
}
