/** What all trainers share: learning-rate schedules, class weights, early patience, and data they refuse. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { accept } from "../../protocol/refusal.ts";
import type { Dataset, Example, TextDataset } from "../../data/row/dataset-rows.ts";
import { workloadDataset, workloadTable } from "../../agent/capability/workload.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { checkpointOf } from "../../training/task/checkpoint-of.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../../training/task/checkpoint.ts";
import type { TensorData } from "../../training/tensor/tensor-data.ts";
import { classWeights } from "../../training/task/class-weight.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { withPatience } from "../../training/catalog/early-stop.ts";
import { rateShare, type Schedule } from "../../training/task/learning-rate.ts";
import { findModel, models } from "../../training/catalog/model-catalog.ts";
import type { ModelDeclaration, Trainer } from "../../training/task/task.ts";
import { makeTrainer } from "../support/resume-check.ts";

const schedule = (given: Partial<Schedule>): Schedule => ({
  kind: "constant",
  decayEpochs: 10,
  warmupEpochs: 0,
  ...given,
});

test("TRAIN-1: a schedule warms up from a twentieth, falls over its own epochs, and never below a twentieth", () => {
  const rows: [Partial<Schedule>, number, number][] = [
    [{}, 0, 1],
    [{}, 50, 1],
    [{ kind: "linear" }, 0, 1],
    [{ kind: "linear" }, 5, 0.5],
    [{ kind: "linear" }, 9.9, 0.05],
    [{ kind: "linear" }, 50, 0.05],
    [{ kind: "cosine" }, 0, 1],
    [{ kind: "cosine" }, 5, 0.525],
    [{ kind: "cosine" }, 10, 0.05],
    [{ warmupEpochs: 2 }, 0, 0.05],
    [{ warmupEpochs: 2 }, 1, 0.525],
    [{ warmupEpochs: 2 }, 2, 1],
    [{ kind: "linear", warmupEpochs: 2 }, 7, 0.5],
  ];
  for (const [given, progress, share] of rows) {
    const found = rateShare(schedule(given), progress);
    assert.ok(Math.abs(found - share) < 1e-12, `${JSON.stringify(given)} at ${progress}: ${found}`);
  }
});

test("TRAIN-2: balanced weights are rows / (labels × rows of the label), a mean of 1 over the rows", () => {
  assert.deepEqual([...classWeights(true, [0, 0, 0, 1], 2)], [Math.fround(2 / 3), 2]);
  assert.deepEqual([...classWeights(true, [0, 0, 2, 2], 3)], [1, 0, 1]);
  assert.deepEqual([...classWeights(false, [0, 0, 0, 1], 2)], [1, 1]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 200 }), (truths) => {
      const weights = classWeights(true, truths, 5);
      const sum = truths.reduce((total, label) => total + (weights[label] ?? 0), 0);
      assert.ok(Math.abs(sum / truths.length - 1) < 1e-5);
    }),
  );
});

/** A model whose epochs have the given validation losses; its weights are the epoch they are of. */
function scripted(losses: readonly number[]): { declaration: ModelDeclaration; trainedEpochs: () => number } {
  let trained = 0;
  const declaration: ModelDeclaration = {
    task: "scripted",
    model: "scripted",
    about: "",
    parameters: {},
    backends: ["none"],
    data: "none",
    reference: null,
    defaultSpace: {},
    metrics: ["logLoss"],
    load: () => accept({ kind: "none", dispose: () => undefined }),
    create: ({ params, seed }) => {
      let epoch = 0;
      return accept({
        predictor: { kind: "none", dispose: () => undefined },
        get epoch() {
          return epoch;
        },
        trainEpoch: () => {
          trained++;
          epoch++;
          return Promise.resolve({ loss: 1 / epoch });
        },
        evaluate: () => ({ logLoss: losses[epoch - 1] ?? 9, epoch }),
        save: () =>
          encodeCheckpoint(
            {
              format: "trialmesh-checkpoint",
              version: 1,
              task: "scripted",
              model: "scripted",
              params,
              labels: [],
              seed,
              epoch,
              step: epoch,
              backend: "none",
              extra: {},
            },
            new Map([["weights", { shape: [1], data: Float32Array.of(epoch) }]]),
          ),
        restore: (bytes) => {
          const saved = checkpointOf(declaration, bytes);
          if (!saved.ok) return saved;
          epoch = saved.value.meta.epoch;
          assert.equal(saved.value.tensors.get("weights")?.data[0], epoch, "weights of another epoch");
          assert.equal(saved.value.meta.step, epoch);
          return accept({ exact: true });
        },
        dispose: () => undefined,
      });
    },
  };
  return { declaration: withPatience(declaration), trainedEpochs: () => trained };
}

function patientTrainer(declaration: ModelDeclaration, patience: number): Trainer {
  const made = declaration.create({ params: { patience }, seed: 1, dataset: null, backend: sparseBackend });
  assert.ok(made.ok);
  return made.value;
}

test("TRAIN-3: when patience has run out, the weights are the best epoch's and nothing is trained any more", async () => {
  const { declaration, trainedEpochs } = scripted([0.9, 0.5, 0.6, 0.5, 0.1, 0.1]);
  const trainer = patientTrainer(declaration, 2);
  for (let epoch = 1; epoch <= 3; epoch++) {
    await trainer.trainEpoch();
    assert.equal(trainer.settled, false);
  }
  assert.deepEqual(trainer.evaluate("validation"), { logLoss: 0.6, epoch: 3 });
  for (let epoch = 4; epoch <= 8; epoch++) {
    assert.deepEqual(await trainer.trainEpoch(), { loss: 1 / 2 });
    assert.equal(trainer.settled, true);
    assert.equal(trainer.epoch, epoch, "the resource counts on");
    assert.deepEqual(trainer.evaluate("validation"), { logLoss: 0.5, epoch: 2 });
    assert.deepEqual(trainer.evaluate("test"), { logLoss: 0.5, epoch: 2 });
  }
  assert.equal(trainedEpochs(), 4);
});

test("TRAIN-4: patience 0 is no patience, and a checkpoint without a best epoch is taken", async () => {
  const { declaration, trainedEpochs } = scripted([0.1, 0.2, 0.3, 0.4]);
  const trainer = patientTrainer(declaration, 0);
  for (let epoch = 1; epoch <= 4; epoch++) await trainer.trainEpoch();
  assert.equal(trainedEpochs(), 4);
  assert.equal(trainer.settled, undefined);
  const patient = patientTrainer(declaration, 1);
  assert.ok(patient.restore(trainer.save()).ok);
  assert.equal(patient.epoch, 4);
});

test("TRAIN-5: a patient trial stopped and resumed anywhere is one never stopped", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: 0, max: 2, noNaN: true }), { minLength: 12, maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
      async (losses, patience, stops) => {
        const { declaration } = scripted(losses);
        const straight = patientTrainer(declaration, patience);
        let resumed = patientTrainer(declaration, patience);
        for (let epoch = 1; epoch <= 12; epoch++) {
          assert.deepEqual(await resumed.trainEpoch(), await straight.trainEpoch());
          assert.deepEqual(resumed.evaluate("validation"), straight.evaluate("validation"));
          assert.deepEqual(resumed.save(), straight.save());
          if (!stops.includes(epoch)) continue;
          const next = patientTrainer(declaration, patience);
          assert.ok(next.restore(resumed.save()).ok);
          assert.equal(next.settled, resumed.settled);
          resumed = next;
        }
      },
    ),
    { numRuns: 60 },
  );
});

const text = workloadDataset();
const table = workloadTable();
const relabelled = (label: number): TextDataset => ({
  ...text,
  train: text.train.map((example): Example => ({ ...example, label })),
});
const blank = (rows: readonly Example[], from: number, to: number): readonly Example[] =>
  rows.map((example, row) => (row >= from && row < to ? { ...example, text: " \t" } : example));
const cells = (at: number, value: number): Float32Array => {
  const features = table.train.features.slice();
  features[at] = value;
  return features;
};
const sameTarget = { ...table.train, target: table.train.target.map(() => 3) };

const refused: [string, Dataset | null, RegExp][] = [
  ["text-classification", null, /^text classification needs a dataset; name one in the sweep$/u],
  [
    "text-classification",
    table,
    /^workload is a table, and text classification needs texts with labels; task tabular learns from tables$/u,
  ],
  [
    "text-classification",
    relabelled(2),
    /^the training split of workload has examples of one label only; two or more are needed$/u,
  ],
  ["text-classification", { ...text, validation: [] }, /^the validation split of workload is empty$/u],
  [
    "text-classification",
    { ...text, train: blank(text.train, 0, 1e6) },
    /^every text of the train split of workload is empty; its text is to be taken from another column$/u,
  ],
  [
    "text-classification",
    { ...text, train: blank(text.train, 4, 5) },
    /^row 5 of the train split of workload has an empty text; drop such rows first$/u,
  ],
  ["tabular", null, /^task tabular needs a dataset; name one in the sweep$/u],
  [
    "tabular",
    text,
    /^workload holds texts, and task tabular learns from tables; task text-classification learns from texts$/u,
  ],
  [
    "tabular",
    { ...table, features: [], train: { ...table.train, features: new Float32Array(0) } },
    /^workload has no columns to learn from beside its target label$/u,
  ],
  [
    "tabular",
    { ...table, train: { ...table.train, features: cells(16 * 6 + 3, Number.NaN) } },
    /^row 7 of the train split of workload has no number in column feature-3; its plan must fill or drop what is missing$/u,
  ],
  [
    "tabular",
    { ...table, labels: null, train: { ...table.train, target: table.train.target.map(() => Infinity) } },
    /^row 1 of the train split of workload has no number in column label;/u,
  ],
  [
    "tabular",
    { ...table, train: sameTarget },
    /^the training split of workload has rows of one label only; two or more are needed$/u,
  ],
  [
    "tabular",
    { ...table, labels: null, train: sameTarget },
    /^the target label of workload is 3 in every training row; there is nothing to learn$/u,
  ],
  [
    "tabular",
    { ...table, validation: { count: 0, features: new Float32Array(0), target: new Float32Array(0) } },
    /^the validation split of workload is empty$/u,
  ],
];

test("TRAIN-6: data a model cannot learn from is refused in one sentence, by every model of the task alike", () => {
  for (const [task, dataset, message] of refused) {
    for (const declaration of models.filter((model) => model.task === task)) {
      const params = resolveParams(declaration, {});
      assert.ok(params.ok);
      const made = declaration.create({ params: params.value, seed: 1, dataset, backend: sparseBackend });
      assert.ok(!made.ok, `${declaration.model} takes it`);
      assert.match(made.refusal.message, message, declaration.model);
    }
  }
});

for (const one of [
  { task: "text-classification", model: "linear", backend: "sparse", params: {} },
  { task: "text-classification", model: "fasttext", backend: "sparse", params: {} },
  { task: "text-classification", model: "nbsvm", backend: "sparse", params: {} },
  { task: "text-classification", model: "textcnn", backend: "wasm", params: { rowsPerEpoch: 64 } },
  {
    task: "text-classification",
    model: "gru",
    backend: "wasm",
    params: { rowsPerEpoch: 64, width: 4, units: 4, length: 4 },
  },
  {
    task: "text-classification",
    model: "transformer",
    backend: "wasm",
    params: { rowsPerEpoch: 64, width: 4, length: 4 },
  },
  { task: "tabular", model: "linear", backend: "sparse", params: {} },
  { task: "tabular", model: "mlp", backend: "wasm", params: { rowsPerEpoch: 64, width: 4 } },
] as const) {
  test(`TRAIN-7: ${one.task}/${one.model}: weights that have diverged give a loss that is not a number`, async () => {
    const trainer = await makeTrainer(one);
    const saved = decodeCheckpoint(trainer.save());
    assert.ok(saved.ok);
    const tensors = [...saved.value.tensors].map(([name, { shape, data }]): [string, TensorData] => [
      name,
      { shape, data: data instanceof Float32Array ? new Float32Array(data.length).fill(Number.NaN) : data },
    ]);
    assert.ok(trainer.restore(encodeCheckpoint(saved.value.meta, new Map(tensors))).ok);
    assert.equal((await trainer.trainEpoch()).loss, Number.NaN);
    trainer.dispose();
  });
}

test("TRAIN-8: parameters that do not go together are refused by name", () => {
  const found = findModel("text-classification", "transformer");
  assert.ok(found.ok);
  const params = resolveParams(found.value, { width: 30, heads: 4 });
  assert.ok(params.ok);
  const made = found.value.create({ params: params.value, seed: 1, dataset: text, backend: sparseBackend });
  assert.ok(!made.ok);
  assert.equal(
    made.refusal.message,
    "parameter width of transformer is 30; with 4 heads it must be a multiple of 4",
  );
});
