/** The embedded dataset is real, big enough, and honest: no text in two splits or under two labels. */
import assert from "node:assert/strict";
import test from "node:test";
import { languageIdDataset } from "../../data/row/language-id.ts";
import { normaliseText } from "../../data/row/split.ts";

const dataset = languageIdDataset();
const all = [...dataset.train, ...dataset.validation, ...dataset.test];

test("LANG-1: every phrase stands in one split, under one label", () => {
  const seen = new Set(all.map((one) => normaliseText(one.text)));
  assert.equal(seen.size, all.length);
  assert.ok(all.every((one) => one.text.trim() !== ""));
});

test("LANG-2: tens of languages, each in each split, thousands of phrases", () => {
  assert.ok(dataset.labels.length >= 30);
  assert.ok(all.length > 15_000, `${all.length} phrases`);
  for (const split of [dataset.train, dataset.validation, dataset.test]) {
    assert.equal(new Set(split.map((one) => one.label)).size, dataset.labels.length);
  }
});

test("LANG-3: made twice it is the same version", () => {
  assert.deepEqual(languageIdDataset(), dataset);
});
