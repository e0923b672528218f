/** The checks that hold for every model: stopped and resumed is never stopped; a checkpoint alone predicts. */
import assert from "node:assert/strict";
import test from "node:test";
import type { BackendName } from "../../protocol/capability.ts";
import type { Params } from "../../protocol/value.ts";
import type { Dataset, TableDataset, TextDataset } from "../../data/row/dataset-rows.ts";
import { workloadDataset, workloadTable } from "../../agent/capability/workload.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import type { Predictor, Trainer } from "../../training/task/task.ts";

export interface ResumeCase {
  readonly task: string;
  readonly model: string;
  readonly backend: BackendName;
  readonly params: Params;
  /** The accuracy of guessing where five epochs must do better; null where they are too short for it. */
  readonly chance?: number;
  /** A number as the target of the table. */
  readonly regression?: true;
  /** What sets this case apart, for its title. */
  readonly about?: string;
}

const texts: TextDataset = { ...workloadDataset(), test: workloadDataset().train.slice(0, 64) };
const labelled: TableDataset = { ...workloadTable(), test: workloadTable().train };

/** The same features, and a number that depends on them. */
export function numberTable(): TableDataset {
  const table = workloadTable();
  const width = table.features.length;
  const target = table.train.target.map((label, row) => {
    const [first = 0, second = 0] = table.train.features.subarray(row * width);
    return 100 + 10 * first - 5 * second + label;
  });
  const train = { ...table.train, target };
  return { ...table, name: "numbers", labels: null, train, validation: train, test: train };
}

const numbers = numberTable();

function datasetOf(task: string, regression: boolean): Dataset {
  if (task !== "tabular") return texts;
  return regression ? numbers : labelled;
}

/** What a model that predicts says of known rows, as one list of numbers. */
function predictedBy(predictor: Predictor): ArrayLike<number> {
  switch (predictor.kind) {
    case "none":
      return [];
    case "table":
      return predictor.predict(labelled.train.features.slice(0, 20 * labelled.features.length));
    case "text":
      return predictor
        .predict(texts.train.slice(0, 20).map((example) => example.text))
        .flatMap((ranked) => ranked.map((one) => one.probability));
  }
}

export async function makeTrainer(
  {
    task,
    model,
    backend,
    params,
    regression = false,
  }: Omit<ResumeCase, "regression"> & {
    readonly regression?: boolean;
  },
  seed = 5,
): Promise<Trainer> {
  const found = findModel(task, model);
  const opened = await openBackend(backend);
  assert.ok(found.ok && opened.ok, `${model} on ${backend}`);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok, model);
  const dataset = datasetOf(task, regression);
  const made = found.value.create({ params: resolved.value, seed, dataset, backend: opened.value });
  assert.ok(made.ok, made.ok ? "" : made.refusal.message);
  return made.value;
}

export function checkResume(one: ResumeCase): void {
  const { task, model, backend, chance, regression, about } = one;
  const name = [`${task}/${model} on ${backend}`, regression && "of a number", about]
    .filter((part) => typeof part === "string")
    .join(", ");

  test(`RESUME-1: ${name}: epochs 1 to 2, then 3 to 5 from the checkpoint, are epochs 1 to 5`, async () => {
    const straight = await makeTrainer(one);
    const losses: number[] = [];
    for (let epoch = 0; epoch < 5; epoch++) losses.push((await straight.trainEpoch()).loss);
    const first = await makeTrainer(one);
    for (let epoch = 0; epoch < 2; epoch++) await first.trainEpoch();
    const resumed = await makeTrainer(one);
    assert.deepEqual(resumed.restore(first.save()), { ok: true, value: { exact: true } });
    assert.equal(resumed.epoch, 2);
    for (let epoch = 2; epoch < 5; epoch++) assert.equal((await resumed.trainEpoch()).loss, losses[epoch]);
    assert.ok(Buffer.from(resumed.save()).equals(Buffer.from(straight.save())), "the checkpoints differ");
    assert.deepEqual(resumed.evaluate("test"), straight.evaluate("test"));
    const other = await makeTrainer(one, 6);
    const { loss } = await other.trainEpoch();
    if (task !== "noop") assert.notEqual(loss, losses[0], "another seed is another run");
    for (const trainer of [straight, first, resumed, other]) trainer.dispose();
  });

  test(`RESUME-2: ${name}: a checkpoint alone predicts as its trainer does`, async () => {
    const trainer = await makeTrainer(one);
    for (let epoch = 0; epoch < 5; epoch++) await trainer.trainEpoch();
    const loaded = await loadModel(trainer.save());
    assert.ok(loaded.ok, loaded.ok ? "" : loaded.refusal.message);
    const given = predictedBy(loaded.value);
    loaded.value.dispose();
    // It opened the backend that is best here; the trainer goes on with its own.
    await openBackend(backend);
    const wanted = predictedBy(trainer.predictor);
    assert.equal(given.length, wanted.length);
    assert.equal(given.length > 0, task !== "noop");
    for (let at = 0; at < given.length; at++) {
      const [one, twin] = [given[at] ?? Number.NaN, wanted[at] ?? Number.NaN];
      // What was trained on one backend may be served on another, which rounds otherwise.
      assert.ok(Math.abs(one - twin) <= 1e-4 * Math.max(1, Math.abs(twin)), `${one}, not ${twin}`);
    }
    const { accuracy = 0, r2 = 0 } = trainer.evaluate("test");
    if (chance !== undefined)
      assert.ok(accuracy > 2 * chance, `accuracy ${accuracy} is little better than guessing`);
    if (regression === true) assert.ok(r2 > 0.8, `it explains ${r2} of the variance`);
    trainer.dispose();
  });

  test(`RESUME-3: ${name}: a checkpoint of something else is refused`, async () => {
    const trainer = await makeTrainer(one);
    assert.equal(trainer.restore(new Uint8Array(40)).ok, false);
    const noop: ResumeCase = { task: "noop", model: "noop", backend: "none", params: {} };
    const linear: ResumeCase = {
      task: "text-classification",
      model: "linear",
      backend: "sparse",
      params: {},
    };
    const foreign = await makeTrainer(model === "noop" ? linear : noop);
    const refused = trainer.restore(foreign.save());
    assert.ok(!refused.ok);
    assert.match(refused.refusal.message, /is of model/u);
    trainer.dispose();
  });
}
