/** Built-in models, trained for a moment on the probe's data: checkpoints that differ from model to model, not good ones. */
import assert from "node:assert/strict";
import { workloadDataset, workloadTable } from "../../agent/capability/workload.ts";
import type { Params } from "../../protocol/value.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import type { Predictor } from "../../training/task/task.ts";
import { numberTable } from "./resume-check.ts";

export interface TrainedModel {
  readonly bytes: Uint8Array;
  readonly predictor: Predictor;
}

export interface ModelCase {
  readonly task: "text-classification" | "tabular";
  readonly model: string;
  readonly params: Params;
  /** Of tables: whether a number is to be predicted. */
  readonly regression?: true;
}

const small = { rowsPerEpoch: 128, batch: 16 };

/** Every built-in model that answers, with the parameters that change what it computes. */
export const modelCases: readonly ModelCase[] = [
  { task: "text-classification", model: "linear", params: { bucketBits: 12, wordNgrams: 2, charMin: 1 } },
  { task: "text-classification", model: "linear", params: { bucketBits: 10, charMax: 0, minCount: 2 } },
  { task: "text-classification", model: "nbsvm", params: { bucketBits: 12, wordNgrams: 3 } },
  { task: "text-classification", model: "nbsvm", params: { bucketBits: 12, loss: "logistic", mix: 0.8 } },
  { task: "text-classification", model: "fasttext", params: { bucketBits: 12, dim: 6, lr: 2 } },
  { task: "text-classification", model: "textcnn", params: { ...small, filters: 6, windows: "2-3-4" } },
  {
    task: "text-classification",
    model: "textcnn",
    params: { ...small, unit: "word", length: 6, windows: "3" },
  },
  { task: "text-classification", model: "gru", params: { ...small, length: 7, width: 6, units: 5 } },
  {
    task: "text-classification",
    model: "gru",
    params: { ...small, unit: "char", length: 12, width: 4, units: 5, direction: "forwards" },
  },
  {
    task: "text-classification",
    model: "transformer",
    params: { ...small, unit: "char", length: 16, width: 8, heads: 2, layers: 2 },
  },
  { task: "tabular", model: "linear", params: {} },
  { task: "tabular", model: "linear", params: {}, regression: true },
  { task: "tabular", model: "mlp", params: { ...small, width: 8, layers: 2 } },
  { task: "tabular", model: "mlp", params: { ...small, width: 8, layers: 1 }, regression: true },
];

export function caseName({ model, params, regression, task }: ModelCase): string {
  return `${model} of ${task}${regression === true ? ", a number" : ""} ${JSON.stringify(params)}`;
}

export async function trainedModel({ model, params, regression, task }: ModelCase): Promise<TrainedModel> {
  const found = findModel(task, model);
  assert.ok(found.ok);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok);
  const opened = await openBackend("wasm");
  assert.ok(opened.ok);
  const backend = found.value.backends.includes("sparse") ? sparseBackend : opened.value;
  const dataset =
    task === "tabular" ? (regression === true ? numberTable() : workloadTable()) : workloadDataset();
  const made = found.value.create({ params: resolved.value, seed: 5, dataset, backend });
  assert.ok(made.ok, made.ok ? "" : made.refusal.message);
  for (let epoch = 0; epoch < 2; epoch++) await made.value.trainEpoch();
  const bytes = made.value.save();
  made.value.dispose();
  const loaded = await loadModel(bytes);
  assert.ok(loaded.ok);
  return { bytes, predictor: loaded.value };
}
