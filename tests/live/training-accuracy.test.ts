/**
 * On real data, with held-out tests, the models reach what their papers' plain versions reach. Parameters are those a
 * sweep over the spaces of `examples/` found best on the validation split.
 */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import test from "node:test";
import type { Params } from "../../protocol/value.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { loadDataset } from "../../bench/shared/load-dataset.ts";
import { readVersion } from "../../data/manifest/read-version.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";

const dataDir = resolve(process.env["TRIALMESH_DATA"] ?? "../shared/data");
const skip = existsSync(join(dataDir, "trec"))
  ? false
  : `no data in ${dataDir}; set TRIALMESH_DATA to its folder`;

/** The official splits; a tenth of the training rows is validation where there is no official one. */
async function official(name: "trec" | "sst2"): Promise<TextDataset> {
  const at = (file: string) => join(dataDir, name, file);
  const dev = name === "sst2" ? at("dev.txt") : undefined;
  const files = { train: at("train.txt"), dev, test: at("test.txt") };
  const loaded = await loadDataset({ format: "labelled-lines", name, ...files });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.value.dataset;
}

/** The dataset as its example declares it, split by what stands in `split`. */
async function agNews(split: string): Promise<TextDataset> {
  const file = join(projectFolder, "examples/datasets/ag-news.yaml");
  const text = readFileSync(file, "utf8").replace(/split: \{[^}]*\}/u, `split: { ${split} }`);
  assert.ok(text.includes(split));
  const environment = { ...process.env, TRIALMESH_DATA: dataDir };
  const read = readDatasetFile({ file, environment, text });
  assert.ok(read.ok, JSON.stringify(read));
  const workDir = mkdtempSync(join(tmpdir(), "trialmesh-accuracy-"));
  try {
    const built = await buildDataset(read.declaration, { workDir });
    assert.ok(built.ok, JSON.stringify(built));
    const dataset = await readVersion(built.value.path);
    assert.ok(dataset.ok && dataset.value.kind === "text");
    return dataset.value;
  } finally {
    rmSync(workDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function testAccuracy(
  dataset: TextDataset,
  model: string,
  params: Params,
  epochs: number,
): Promise<number> {
  const found = findModel("text-classification", model);
  assert.ok(found.ok);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok);
  const made = found.value.create({ params: resolved.value, seed: 1, dataset, backend: sparseBackend });
  assert.ok(made.ok);
  for (let epoch = 0; epoch < epochs; epoch++) await made.value.trainEpoch();
  return made.value.evaluate("test")["accuracy"] ?? 0;
}

test("ACC-1: TREC, official test: fasttext at least 88.2%, linear at least 87%", { skip }, async () => {
  const dataset = await official("trec");
  const fasttext = await testAccuracy(
    dataset,
    "fasttext",
    { lr: 0.8, dim: 32, wordNgrams: 3, charMax: 0, bucketBits: 17, decayEpochs: 9 },
    9,
  );
  assert.ok(fasttext >= 0.882, `fasttext ${fasttext}`);
  const linear = await testAccuracy(
    dataset,
    "linear",
    { lr: 0.5, wordNgrams: 4, charMin: 4, charMax: 5, bucketBits: 18 },
    9,
  );
  assert.ok(linear >= 0.87, `linear ${linear}`);
});

test("ACC-2: SST-2, official test: nbsvm and linear at least 82.5%", { skip }, async () => {
  const dataset = await official("sst2");
  const nbsvm = await testAccuracy(
    dataset,
    "nbsvm",
    { lr: 0.045, l2: 0.0006, loss: "logistic", mix: 0.87, smoothing: 0.42, wordNgrams: 2 },
    9,
  );
  assert.ok(nbsvm >= 0.825, `nbsvm ${nbsvm}`);
  const linear = await testAccuracy(
    dataset,
    "linear",
    { lr: 0.225, l2: 8e-6, wordNgrams: 4, charMin: 4, charMax: 6, bucketBits: 19 },
    9,
  );
  assert.ok(linear >= 0.825, `linear ${linear}`);
});

test(
  "ACC-3: AG News, a fifth of the file as test, a tenth of the rest as validation: nbsvm at least 88%",
  { skip },
  async () => {
    const dataset = await agNews("train: 0.72, validation: 0.08, test: 0.2, stratify: class");
    assert.ok(dataset.test.length > 1500);
    const accuracy = await testAccuracy(
      dataset,
      "nbsvm",
      { lr: 0.09, l2: 0.0002, loss: "logistic", mix: 0.9, smoothing: 0.91, wordNgrams: 1, bucketBits: 18 },
      9,
    );
    assert.ok(accuracy >= 0.88, `nbsvm ${accuracy}`);
  },
);
