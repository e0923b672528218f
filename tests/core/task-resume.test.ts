/**
 * Every model on the backends that are always there: stopped and resumed is never stopped, bit for bit; and a
 * checkpoint alone can predict. On libtensorflow: `training-resume-native.test.ts`.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { decodeCheckpoint, encodeCheckpoint } from "../../training/task/checkpoint.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { checkResume, makeTrainer, type ResumeCase } from "../support/resume-check.ts";

const text = "text-classification";
const cases: readonly ResumeCase[] = [
  {
    task: text,
    model: "linear",
    backend: "sparse",
    params: { wordNgrams: 2, minCount: 2 },
    chance: 1 / 8,
  },
  {
    task: text,
    model: "fasttext",
    backend: "sparse",
    params: { lr: 4, dim: 8, decayEpochs: 3 },
    chance: 1 / 8,
  },
  { task: text, model: "nbsvm", backend: "sparse", params: { lr: 0.2 }, chance: 1 / 8 },
  // 100 rows an epoch: epochs end within a pass and within a batch. cpu is slow, so there it is little work.
  { task: text, model: "textcnn", backend: "cpu", params: { rowsPerEpoch: 100, filters: 8, dropout: 0.3 } },
  {
    task: text,
    model: "textcnn",
    backend: "wasm",
    params: { rowsPerEpoch: 300, batch: 16, lr: 0.02 },
    chance: 1 / 8,
  },
  {
    task: text,
    model: "textcnn",
    backend: "wasm",
    params: { rowsPerEpoch: 200, unit: "word", length: 6, windows: "2-3" },
    about: "by words",
  },
  {
    task: text,
    model: "gru",
    backend: "cpu",
    params: { rowsPerEpoch: 100, width: 4, units: 4, length: 3, schedule: "cosine", clip: 0.5 },
  },
  {
    task: text,
    model: "gru",
    backend: "wasm",
    params: { rowsPerEpoch: 256, batch: 16, width: 8, units: 8, length: 8, unit: "char", lr: 0.03 },
    chance: 1 / 8,
    about: "by characters",
  },
  {
    task: text,
    model: "transformer",
    backend: "cpu",
    params: { rowsPerEpoch: 100, width: 4, heads: 2, length: 4, warmupEpochs: 1.5 },
  },
  {
    task: text,
    model: "transformer",
    backend: "wasm",
    params: { rowsPerEpoch: 256, batch: 16, width: 8, heads: 2, length: 12, unit: "char", lr: 0.02 },
    chance: 1 / 8,
    about: "by characters",
  },
  {
    task: "tabular",
    model: "linear",
    backend: "sparse",
    params: { classWeights: "balanced" },
    chance: 1 / 4,
  },
  {
    task: "tabular",
    model: "linear",
    backend: "sparse",
    params: { schedule: "linear", decayEpochs: 3 },
    regression: true,
  },
  {
    task: "tabular",
    model: "mlp",
    backend: "wasm",
    params: { rowsPerEpoch: 100, batch: 16, width: 16, weightDecay: 0.1, lr: 0.01 },
    chance: 1 / 4,
  },
  {
    task: "tabular",
    model: "mlp",
    backend: "cpu",
    params: { rowsPerEpoch: 500, batch: 16, width: 16, layers: 1, dropout: 0, lr: 0.01 },
    regression: true,
  },
  {
    task: "tabular",
    model: "mlp",
    backend: "wasm",
    params: { rowsPerEpoch: 100, batch: 16, width: 16, lr: 0.3, patience: 1 },
    about: "with patience",
  },
  { task: "noop", model: "noop", backend: "none", params: { x: 0.3 } },
];

for (const one of cases) checkResume(one);

test("RESUME-4: no model with parameters is left out of these", () => {
  const covered = new Set(cases.map(({ task, model }) => `${task}/${model}`));
  assert.deepEqual(
    models
      .filter(({ parameters }) => Object.keys(parameters).length > 0)
      .map(({ task, model }) => `${task}/${model}`)
      .filter((name) => !covered.has(name)),
    [],
  );
});

for (const one of [
  { task: text, model: "linear", backend: "sparse", params: {} },
  { task: text, model: "gru", backend: "wasm", params: { width: 4, units: 4, length: 4, rowsPerEpoch: 64 } },
  { task: "tabular", model: "linear", backend: "sparse", params: {} },
  { task: "tabular", model: "mlp", backend: "wasm", params: { width: 4, rowsPerEpoch: 64 } },
  { task: text, model: "textcnn", backend: "wasm", params: { width: 4, rowsPerEpoch: 64 } },
] as const) {
  test(`RESUME-5: ${one.task}/${one.model}: a resume on another backend says that it is not exact`, async () => {
    const trainer = await makeTrainer(one);
    await trainer.trainEpoch();
    const saved = decodeCheckpoint(trainer.save());
    assert.ok(saved.ok);
    const { meta, tensors } = saved.value;
    const elsewhere = encodeCheckpoint({ ...meta, backend: "tfjs-node-gpu" }, tensors);
    assert.deepEqual(trainer.restore(elsewhere), { ok: true, value: { exact: false } });
    trainer.dispose();
  });
}
