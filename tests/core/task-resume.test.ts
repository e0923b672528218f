/** Every model: stopped and resumed is never stopped, bit for bit; and a checkpoint alone can predict. */
import assert from "node:assert/strict";
import test from "node:test";
import type { BackendName } from "../../protocol/capability.ts";
import type { Params } from "../../protocol/value.ts";
import type { TextDataset } from "../../data/dataset.ts";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { openBackend } from "../../agent/runtime/open.ts";
import { loadModel } from "../../agent/task/load-model.ts";
import { resolveParams } from "../../agent/task/parameter.ts";
import { findModel } from "../../agent/task/table.ts";
import type { Prediction, Predictor, Trainer } from "../../agent/task/task.ts";

const dataset: TextDataset = { ...workloadDataset(), test: workloadDataset().train.slice(0, 64) };
const texts = dataset.train.slice(0, 20).map((example) => example.text);

/** What a model that predicts says of the texts; nothing of one that does not. */
const predictedBy = (predictor: Predictor): readonly (readonly Prediction[])[] =>
  predictor.kind === "text" ? predictor.predict(texts) : [];

const cases: { task: string; model: string; backend: BackendName; params: Params; chance: number | null }[] =
  [
    {
      task: "text-classification",
      model: "linear",
      backend: "sparse",
      params: { wordNgrams: 2, minCount: 2 },
      chance: 1 / 8,
    },
    {
      task: "text-classification",
      model: "fasttext",
      backend: "sparse",
      params: { lr: 4, dim: 8, decayEpochs: 3 },
      chance: 1 / 8,
    },
    // 100 rows an epoch: epochs end within a pass and within a batch.
    {
      task: "text-classification",
      model: "textcnn",
      backend: "wasm",
      params: { rowsPerEpoch: 100, batch: 16, dropout: 0.3 },
      chance: null,
    },
    {
      task: "text-classification",
      model: "textcnn",
      backend: "cpu",
      params: { rowsPerEpoch: 300, batch: 16, lr: 0.02 },
      chance: 1 / 8,
    },
    {
      task: "text-classification",
      model: "textcnn",
      backend: "wasm",
      params: { rowsPerEpoch: 200, unit: "word", length: 6, windows: "2-3" },
      chance: null,
    },
    { task: "noop", model: "noop", backend: "none", params: { x: 0.3 }, chance: null },
  ];

for (const { task, model, backend, params, chance } of cases) {
  const make = async (seed = 5): Promise<Trainer> => {
    const found = findModel(task, model);
    const opened = await openBackend(backend);
    assert.ok(found.ok && opened.ok);
    const resolved = resolveParams(found.value, params);
    assert.ok(resolved.ok);
    const made = found.value.create({ params: resolved.value, seed, dataset, backend: opened.value });
    assert.ok(made.ok);
    return made.value;
  };
  const name = `${model} on ${backend}${params["unit"] === undefined ? "" : " by words"}`;

  test(`RESUME-1: ${name}: epochs 1 to 2, then 3 to 5 from the checkpoint, are epochs 1 to 5`, async () => {
    const straight = await make();
    const losses: number[] = [];
    for (let epoch = 0; epoch < 5; epoch++) losses.push((await straight.trainEpoch()).loss);
    const first = await make();
    for (let epoch = 0; epoch < 2; epoch++) await first.trainEpoch();
    const resumed = await make();
    assert.deepEqual(resumed.restore(first.save()), { ok: true, value: null });
    assert.equal(resumed.epoch, 2);
    for (let epoch = 2; epoch < 5; epoch++) assert.equal((await resumed.trainEpoch()).loss, losses[epoch]);
    assert.ok(Buffer.from(resumed.save()).equals(Buffer.from(straight.save())), "the checkpoints differ");
    assert.deepEqual(resumed.evaluate("test"), straight.evaluate("test"));
    const other = await make(6);
    const { loss } = await other.trainEpoch();
    if (chance !== null) assert.notEqual(loss, losses[0], "another seed is another run");
  });

  test(`RESUME-2: ${name}: a checkpoint alone predicts as its trainer does`, async () => {
    const trainer = await make();
    for (let epoch = 0; epoch < 5; epoch++) await trainer.trainEpoch();
    const loaded = await loadModel(trainer.save());
    assert.ok(loaded.ok, JSON.stringify(loaded));
    const wanted = predictedBy(trainer.predictor);
    const given = predictedBy(loaded.value);
    assert.equal(given.length, loaded.value.kind === "none" ? 0 : texts.length);
    given.forEach((ranked, text) => {
      assert.ok(Math.abs(ranked.reduce((sum, one) => sum + one.probability, 0) - 1) < 1e-5);
      ranked.forEach((one, rank) => {
        const twin = wanted[text]?.[rank];
        // A text CNN trained on cpu is served on wasm, which rounds otherwise.
        assert.ok(twin !== undefined && Math.abs(one.probability - twin.probability) < 1e-4);
      });
    });
    const { accuracy = 0 } = trainer.evaluate("test");
    if (chance !== null)
      assert.ok(accuracy > 2 * chance, `accuracy ${accuracy} is little better than guessing`);
  });

  test(`RESUME-3: ${name}: a checkpoint of something else is refused`, async () => {
    const trainer = await make();
    assert.equal(trainer.restore(new Uint8Array(40)).ok, false);
    const foreign = await resolvedNoopBytes(model);
    const refused = trainer.restore(foreign);
    assert.ok(!refused.ok);
    assert.match(refused.refusal.message, /is of model/u);
  });
}

async function resolvedNoopBytes(model: string): Promise<Uint8Array> {
  const [task, other, backend] =
    model === "noop"
      ? (["text-classification", "linear", "sparse"] as const)
      : (["noop", "noop", "none"] as const);
  const found = findModel(task, other);
  const opened = await openBackend(backend);
  assert.ok(found.ok && opened.ok);
  const params = resolveParams(found.value, {});
  assert.ok(params.ok);
  const made = found.value.create({ params: params.value, seed: 1, dataset, backend: opened.value });
  assert.ok(made.ok);
  return made.value.save();
}
