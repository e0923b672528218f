/** On real data, with official tests, the models reach what their papers' plain versions reach. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import type { Params } from "../../protocol/value.ts";
import { loadDataset } from "../../data/load.ts";
import { sparseBackend } from "../../agent/runtime/backend.ts";
import { resolveParams } from "../../agent/task/parameter.ts";
import { findModel } from "../../agent/task/table.ts";

const dataDir = resolve(process.env["TRIALMESH_DATA"] ?? "../shared/data");
const skip = existsSync(join(dataDir, "trec"))
  ? false
  : `no data in ${dataDir}; set TRIALMESH_DATA to its folder`;

async function testAccuracy(
  folder: string,
  dev: boolean,
  model: string,
  params: Params,
  epochs: number,
): Promise<number> {
  const at = (file: string) => join(dataDir, folder, file);
  const loaded = await loadDataset({
    format: "labelled-lines",
    name: folder,
    train: at("train.txt"),
    dev: dev ? at("dev.txt") : undefined,
    test: at("test.txt"),
  });
  const found = findModel("text-classification", model);
  assert.ok(loaded.ok && found.ok);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok);
  const made = found.value.create({
    params: resolved.value,
    seed: 1,
    dataset: loaded.value.dataset,
    backend: sparseBackend,
  });
  assert.ok(made.ok);
  for (let epoch = 0; epoch < epochs; epoch++) await made.value.trainEpoch();
  return made.value.evaluate("test")["accuracy"] ?? 0;
}

test("ACC-1: linear on TREC: at least 86% of the official test", { skip }, async () => {
  const accuracy = await testAccuracy(
    "trec",
    false,
    "linear",
    { lr: 0.3, wordNgrams: 3, charMin: 4, charMax: 5, bucketBits: 17 },
    5,
  );
  assert.ok(accuracy >= 0.86, `${accuracy}`);
});

test("ACC-2: fasttext on TREC: at least 86% of the official test", { skip }, async () => {
  const params = { lr: 0.8, dim: 16, wordNgrams: 3, charMin: 4, charMax: 5, bucketBits: 16 };
  const accuracy = await testAccuracy("trec", false, "fasttext", params, 9);
  assert.ok(accuracy >= 0.86, `${accuracy}`);
});

test("ACC-3: linear on SST-2: at least 80% of the official test", { skip }, async () => {
  const accuracy = await testAccuracy(
    "sst2",
    true,
    "linear",
    { lr: 0.2, wordNgrams: 3, charMin: 3, charMax: 5, bucketBits: 17 },
    4,
  );
  assert.ok(accuracy >= 0.8, `${accuracy}`);
});
