/** Tabular models learn what they should, from numbers as they stand, and say what they are given. */
import assert from "node:assert/strict";
import test from "node:test";
import type { TableDataset, TableRows } from "../../data/row/dataset-rows.ts";
import { workloadTable } from "../../agent/capability/workload.ts";
import { sparseBackend, type OpenedBackend } from "../../training/runtime/backend.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import { metricsOfTable } from "../../training/tabular/table-task.ts";
import type { Trainer } from "../../training/task/task.ts";
import type { Params } from "../../protocol/value.ts";
import { numberTable } from "../support/resume-check.ts";

async function trained(
  dataset: TableDataset,
  model: string,
  epochs: number,
  params: Params,
): Promise<Trainer> {
  let backend: OpenedBackend = sparseBackend;
  if (model === "mlp") {
    const opened = await openBackend("wasm");
    assert.ok(opened.ok);
    backend = opened.value;
  }
  const found = findModel("tabular", model);
  assert.ok(found.ok);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok);
  const made = found.value.create({ params: resolved.value, seed: 3, dataset, backend });
  assert.ok(made.ok);
  for (let epoch = 0; epoch < epochs; epoch++) await made.value.trainEpoch();
  return made.value;
}

function tableOf(
  rows: number,
  features: number,
  cell: (row: number, feature: number) => number,
  target: (cells: readonly number[]) => number,
  labels: readonly string[] | null,
): TableDataset {
  const lines = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: features }, (_unused, feature) => cell(row, feature)),
  );
  const all: TableRows = {
    count: rows,
    features: Float32Array.from(lines.flat()),
    target: Float32Array.from(lines, target),
  };
  return {
    kind: "table",
    name: "made",
    features: Array.from({ length: features }, (_, feature) => `f${feature}`),
    target: "y",
    labels,
    train: all,
    validation: all,
    test: all,
  };
}

/** Root of the mean squared error of ordinary least squares, by the normal equations. */
function leastSquaresError({ features: names, train }: TableDataset): number {
  const width = names.length + 1;
  const rowOf = (row: number) => [
    1,
    ...train.features.subarray(row * names.length, (row + 1) * names.length),
  ];
  const system = Array.from({ length: width }, () => Array.from({ length: width + 1 }, () => 0));
  for (let row = 0; row < train.count; row++) {
    const cells = [...rowOf(row), train.target[row] ?? 0];
    for (const [at, line] of system.entries())
      for (const [column, value] of cells.entries())
        line[column] = (line[column] ?? 0) + (cells[at] ?? 0) * value;
  }
  for (const [at, line] of system.entries()) {
    const pivot = line[at] ?? 0;
    for (const [index, other] of system.entries()) {
      if (index === at) continue;
      const factor = (other[at] ?? 0) / pivot;
      for (let column = 0; column <= width; column++)
        other[column] = (other[column] ?? 0) - factor * (line[column] ?? 0);
    }
  }
  const weights = system.map((line, at) => (line[width] ?? 0) / (line[at] ?? 1));
  let squares = 0;
  for (let row = 0; row < train.count; row++) {
    const said = rowOf(row).reduce((sum, value, at) => sum + value * (weights[at] ?? 0), 0);
    squares += (said - (train.target[row] ?? 0)) ** 2;
  }
  return Math.sqrt(squares / train.count);
}

test("TABLE-1: linear regression comes to the least-squares solution", async () => {
  const dataset = numberTable();
  const trainer = await trained(dataset, "linear", 30, { l2: 0, schedule: "linear", decayEpochs: 30 });
  const { rmse = Number.NaN, mae = Number.NaN, r2 = Number.NaN } = trainer.evaluate("test");
  const best = leastSquaresError(dataset);
  assert.ok(rmse >= best && rmse < 1.02 * best, `${rmse}, where least squares has ${best}`);
  assert.ok(mae < rmse && r2 > 0.98);
});

test("TABLE-2: the loss of a regression is the mean squared error in the target's own unit", async () => {
  const trainer = await trained(numberTable(), "mlp", 12, { rowsPerEpoch: 512, dropout: 0, lr: 0.01 });
  const { loss } = await trainer.trainEpoch();
  const { rmse = 0 } = trainer.evaluate("validation");
  assert.ok(Math.abs(Math.sqrt(loss) / rmse - 1) < 0.3, `loss ${loss}, rmse ${rmse}`);
  trainer.dispose();
});

test("TABLE-3: mlp learns what linear cannot: whether two signs are alike", async () => {
  const random = stream(1, "signs", 0);
  const dataset = tableOf(
    400,
    2,
    () => random.next() * 2 - 1,
    ([a = 0, b = 0]) => (a * b > 0 ? 1 : 0),
    ["unlike", "alike"],
  );
  const mlp = await trained(dataset, "mlp", 40, { rowsPerEpoch: 400, width: 32, lr: 0.02, dropout: 0 });
  const linear = await trained(dataset, "linear", 10, {});
  assert.ok((mlp.evaluate("test")["accuracy"] ?? 0) > 0.93);
  assert.ok((linear.evaluate("test")["accuracy"] ?? 1) < 0.65);
  mlp.dispose();
});

test("TABLE-4: the unit of a column changes nothing: each is brought to mean 0 and deviation 1", async () => {
  const table = workloadTable();
  const units = table.features.map((_, column) => 4 ** ((column % 7) - 3));
  const stretched = (rows: TableRows): TableRows => ({
    ...rows,
    features: rows.features.map((value, at) => value * (units[at % units.length] ?? 1)),
  });
  const other = { ...table, train: stretched(table.train), validation: stretched(table.validation) };
  for (const model of ["linear", "mlp"]) {
    const params = model === "mlp" ? { rowsPerEpoch: 512 } : {};
    const one = await trained(table, model, 2, params);
    const two = await trained(other, model, 2, params);
    const [a, b] = [one.evaluate("validation")["logLoss"] ?? 0, two.evaluate("validation")["logLoss"] ?? 9];
    assert.ok(Math.abs(a - b) < 1e-3, `${model}: ${a} and ${b}`);
    one.dispose();
    two.dispose();
  }
});

test("TABLE-5: a column that never changes, and one of huge numbers, do no harm", async () => {
  const random = stream(2, "columns", 0);
  const dataset = tableOf(
    200,
    3,
    (_, feature) => (feature === 0 ? 7 : feature === 1 ? 1e12 * (1 + random.next()) : random.next()),
    ([, , c = 0]) => (c > 0.5 ? 1 : 0),
    ["low", "high"],
  );
  for (const model of ["linear", "mlp"]) {
    const trainer = await trained(dataset, model, 10, model === "mlp" ? { lr: 0.02 } : { lr: 0.5 });
    const { accuracy = 0 } = trainer.evaluate("test");
    assert.ok(accuracy > 0.9, `${model}: ${accuracy}`);
    trainer.dispose();
  }
});

test("TABLE-6: balanced class weights find more of a rare label", async () => {
  const random = stream(3, "rare", 0);
  const dataset = tableOf(
    600,
    2,
    (row, feature) => random.next() + (row % 12 === 0 && feature === 0 ? 0.5 : 0),
    () => 0,
    ["usual", "rare"],
  );
  const target = Float32Array.from({ length: 600 }, (_, row) => (row % 12 === 0 ? 1 : 0));
  const rows = { ...dataset.train, target };
  for (const model of ["linear", "mlp"]) {
    const found = async (balance: string): Promise<number> => {
      const whole = { ...dataset, train: rows, validation: rows };
      const sizes = model === "mlp" ? { lr: 0.02 } : {};
      const trainer = await trained(whole, model, 10, { classWeights: balance, ...sizes });
      assert.ok(trainer.predictor.kind === "table");
      const said = trainer.predictor.predict(rows.features);
      const right = target.filter((label, row) => label === 1 && (said[2 * row + 1] ?? 0) > 0.5);
      trainer.dispose();
      return right.length / 50;
    };
    const [none, balanced] = [await found("none"), await found("balanced")];
    assert.ok(balanced > none + 0.1, `${model}: ${none} without, ${balanced} with`);
  }
});

test("TABLE-7: a checkpoint alone knows its features, its labels and its unit", async () => {
  const labelled = await trained(workloadTable(), "linear", 2, {});
  const one = await loadModel(labelled.save());
  assert.ok(one.ok && one.value.kind === "table");
  assert.deepEqual(one.value.features, workloadTable().features);
  assert.deepEqual(one.value.labels, workloadTable().labels);
  const numbers = await trained(numberTable(), "linear", 20, {});
  const two = await loadModel(numbers.save());
  assert.ok(two.ok && two.value.kind === "table");
  assert.equal(two.value.labels, null);
  const { train } = numberTable();
  const said = two.value.predict(train.features);
  assert.equal(said.length, train.count);
  for (const [row, value] of said.entries()) assert.ok(Math.abs(value - (train.target[row] ?? 0)) < 15);
});

test("TABLE-8: the usual objective is accuracy for labels and rmse for a number", () => {
  assert.equal(metricsOfTable(workloadTable())[0], "accuracy");
  assert.equal(metricsOfTable(numberTable())[0], "rmse");
});
