/** Which parameters mattered, against what Optuna makes of the same trials. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ComparedTrial } from "../../coordinator/insight/compared-trial.ts";
import { modelOfTrials } from "../../coordinator/insight/model-of-trials.ts";
import { parametersOf } from "../../coordinator/insight/insight-parameter.ts";
import { pedAnova } from "../../coordinator/insight/ped-anova.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";

/**
 * The recorded figures were made with Optuna 5.0.0: `create_trial` with these parameters, distributions and values, then
 * `get_param_importances` with `PedAnovaImportanceEvaluator()` and `FanovaImportanceEvaluator(seed=0..4)`.
 */
function u(trial: number, column: number): number {
  return (trial * Math.sqrt([2, 3, 5, 7, 11][column] ?? 0)) % 1;
}

function trialsOf(count: number, of: (trial: number) => { params: Params; loss: number }): ComparedTrial[] {
  return Array.from({ length: count }, (_, at) => ({
    trial: `s1-${at + 1}`,
    number: at + 1,
    model: "m",
    ...of(at + 1),
  }));
}

const kinds = ["a", "b", "c"];
const kindOf = (trial: number) => kinds[Math.floor(3 * u(trial, 3))] ?? "a";

const conditional: Space = {
  x: { distribution: "uniform", min: 0, max: 1 },
  lr: { distribution: "log-uniform", min: 1e-5, max: 1 },
  depth: { distribution: "int", min: 1, max: 12 },
  kind: { distribution: "choice", values: kinds },
  m: { distribution: "uniform", min: 0, max: 1, when: { kind: "a" } },
};

function conditionalTrial(trial: number) {
  const [x, power, depth] = [u(trial, 0), -5 + 5 * u(trial, 1), 1 + Math.floor(12 * u(trial, 2))];
  const kind = kindOf(trial);
  const params: Params = { x, lr: 10 ** power, depth, kind, ...(kind === "a" ? { m: u(trial, 4) } : {}) };
  const cost = { a: 0, b: 0.1, c: 0.2 }[kind] ?? 0;
  const conditionalCost = kind === "a" ? 0.5 * (u(trial, 4) - 0.5) ** 2 : 0;
  const loss =
    2 * (x - 0.3) ** 2 + 0.1 * (power + 3) ** 2 + 0.02 * Math.abs(depth - 5) + cost + conditionalCost;
  return { params, loss };
}

/** Numbers alone decide both sides, so they agree to the last digits. */
const recordedTolerance = 1e-9;

for (const [count, recorded] of [
  [
    40,
    {
      m: 0.4728296723156754,
      lr: 0.2238235163446612,
      x: 0.2049074074248002,
      depth: 0.05707773408864582,
      kind: 0.041361669826217605,
    },
  ],
  [
    100,
    {
      lr: 0.4096794593291043,
      x: 0.3205169579369473,
      depth: 0.19058544042475545,
      kind: 0.07469044193115902,
      m: 0.004527700378033786,
    },
  ],
] as const) {
  test(`INSIGHT-1: PED-ANOVA of ${count} trials with a conditional parameter is Optuna's`, () => {
    const trials = trialsOf(count, conditionalTrial);
    const found = pedAnova(parametersOf(trials, { m: conditional }), trials);
    assert.deepEqual(Object.keys(found).toSorted(), Object.keys(recorded).toSorted());
    for (const [name, importance] of Object.entries(recorded)) {
      const difference = Math.abs((found[name] ?? Number.NaN) - importance);
      assert.ok(difference < recordedTolerance, `${name}: ${found[name]} is not ${importance}`);
    }
  });
}

const plain: Space = {
  x: { distribution: "uniform", min: 0, max: 1 },
  y: { distribution: "uniform", min: 0, max: 1 },
  depth: { distribution: "int", min: 1, max: 12 },
  kind: { distribution: "choice", values: kinds },
};

function plainTrial(trial: number) {
  const [x, y, depth, kind] = [u(trial, 0), u(trial, 1), 1 + Math.floor(12 * u(trial, 2)), kindOf(trial)];
  const cost = { a: 0, b: 0.1, c: 0.3 }[kind] ?? 0;
  const params: Params = { x, y, depth, kind };
  return { params, loss: 2 * (x - 0.3) ** 2 + 0.5 * y * x + 0.04 * Math.abs(depth - 5) + cost };
}

/** The mean of five seeds, of the raw figures divided by their sum. Two forests never agree to the digit. */
const recordedForest = { x: 0.8696, kind: 0.0856, y: 0.0236, depth: 0.0212 };
const forestTolerance = 0.02;

test("INSIGHT-2: fANOVA of 200 trials is Optuna's, but for the chance in two forests", () => {
  const trials = trialsOf(200, plainTrial);
  const model = modelOfTrials(parametersOf(trials, { m: plain }), trials, 0);
  for (const [name, importance] of Object.entries(recordedForest)) {
    const found = model?.importance[name] ?? Number.NaN;
    assert.ok(Math.abs(found - importance) < forestTolerance, `${name}: ${found} is not near ${importance}`);
  }
});
