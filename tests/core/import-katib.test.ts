/** Katib Experiments: every parameter type, algorithm and setting, mapped or refused exactly as documented. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { metricReader } from "../../agent/program/read-metrics.ts";
import { commandOf, fixtureText, observationOf } from "../support/read-fixture.ts";

test("KATIB-1: the first example of Katib's own pages runs as it is", () => {
  const { sweep, notes } = commandOf(fixtureText("katib/random.yaml"));
  assert.deepEqual(sweep.command, [
    "python3",
    "/opt/mxnet-mnist/mnist.py",
    "--batch-size=64",
    "--lr=${parameter:lr}",
    "--num-layers=${parameter:num-layers}",
    "--optimizer=${parameter:optimizer}",
    "--name",
    "random-${trial}",
  ]);
  assert.deepEqual(sweep.space, {
    lr: { distribution: "uniform", min: 0.01, max: 0.03 },
    "num-layers": { distribution: "quantised", min: 2, max: 5, step: 1 },
    optimizer: { distribution: "choice", values: ["sgd", "adam", "ftrl"] },
  });
  assert.deepEqual(sweep.objectives, [{ metric: "Validation-accuracy", goal: "maximize", keep: "max" }]);
  assert.deepEqual(sweep.stopping, { policy: "none", max: 1, target: 0.99 });
  assert.deepEqual(sweep.environment, { OMP_NUM_THREADS: "1" });
  assert.deepEqual([sweep.parallel, sweep.search.trials, sweep.failuresMax], [3, 12, 3]);
  const container = "spec.trialTemplate.trialSpec.spec.template.spec.containers.0";
  assert.deepEqual(notes, [
    "10: field spec.objective.goal: goal 0.99 → the sweep ends once a trial reaches it",
    "11: field spec.objective.objectiveMetricName: a trial's result is the maximum of what it reports of Validation-accuracy, Katib's default",
    "12: field spec.objective.additionalMetricNames: Train-accuracy: shown beside the result and not optimised",
    "17: field spec.maxTrialCount: maxTrialCount 12 → trials: 12",
    `59: field ${container}.image: image docker.io/kubeflowkatib/mxnet-mnist:latest ignored: the command runs on this machine, where its programs and files must be`,
    `70: field ${container}.resources: resources of the container ignored`,
  ]);
});

test("KATIB-2: every parameter type and distribution; a normal's range is six deviations", () => {
  const { sweep } = commandOf(fixtureText("katib/every-type.yaml"));
  const space = { ...sweep.space };
  const logbell = space["logbell"];
  assert.ok(logbell?.distribution === "log-normal");
  assert.ok(Math.abs(logbell.mean) < 1e-12);
  assert.ok(Math.abs(logbell.deviation - Math.log(10_000) / 6) < 1e-12);
  delete space["logbell"];
  assert.deepEqual(space, {
    plain: { distribution: "uniform", min: 0.5, max: 0.9 },
    stepped: { distribution: "quantised", min: 0, max: 1, step: 0.25 },
    log: { distribution: "log-uniform", min: 0.0001, max: 0.1 },
    bell: { distribution: "normal", mean: 0, deviation: 1 },
    whole: { distribution: "quantised", min: 1, max: 9, step: 2 },
    wholelog: { distribution: "quantised", min: 1, max: 1024, step: 1, log: true },
    wholebell: { distribution: "normal", mean: 6, deviation: 2, step: 1 },
    // 0.10 stays as it is written: that is what the command gets.
    listed: { distribution: "choice", values: ["0.10", 2, 30] },
    named: { distribution: "choice", values: ["a", "2"] },
  });
});

test("KATIB-2: what hyperopt does not sample steps from min", () => {
  const text = fixtureText("katib/random.yaml").replace("algorithmName: random", "algorithmName: sobol");
  const { sweep } = commandOf(text);
  assert.deepEqual(sweep.space["num-layers"], { distribution: "int", min: 2, max: 5 });
});

test("KATIB-3: medianstop is a true median, strategies say which value counts, formats replace the usual one", () => {
  const { sweep } = commandOf(fixtureText("katib/every-type.yaml"));
  assert.deepEqual(sweep.stopping, { policy: "median", max: 1000, interval: 1, grace: 2, minTrials: 5 });
  assert.equal(sweep.objectives[0]?.keep, "last");
  assert.deepEqual(sweep.search, { method: "tpe", trials: 100, seed: 10 });
  assert.deepEqual(metricReader(sweep.metricFormat)("step 3 loss: 0.25"), [{ metric: "loss", value: 0.25 }]);
});

test("KATIB-4: hyperband's resource parameter is given its full length and no longer searched", () => {
  const { sweep } = commandOf(fixtureText("katib/hyperband.yaml"));
  assert.deepEqual(sweep.stopping, { policy: "hyperband", min: 1, max: 9, eta: 3 });
  assert.deepEqual(sweep.space["num-epochs"], { distribution: "constant", value: 9 });
  assert.equal(sweep.search.method, "random");
  assert.equal(sweep.name, "hyperband");
  assert.deepEqual(sweep.command.slice(0, 2), ["python3", "train.py"]);
});

describe("KATIB-5: every algorithm is mapped or refused by name", () => {
  const text = fixtureText("katib/random.yaml").replace(/ {4}- name: optimizer\n[\s\S]*?- ftrl\n/, "");
  const plain = text.replace(/ {6}- name: optimizer\n.*\n.*\n/, "").replace(/ {18}- "--optimizer=.*\n/, "");
  const table: readonly [algorithm: string, method: string][] = [
    ["random", "random"],
    ["tpe", "tpe"],
    ["multivariate-tpe", "tpe"],
    ["bayesianoptimization", "gp"],
    ["cmaes", "cma-es"],
    ["sobol", "sobol"],
    ["pbt", "pbt"],
  ];
  for (const [algorithm, method] of table) {
    test(algorithm, () => {
      const { sweep, notes } = commandOf(
        plain.replace("algorithmName: random", `algorithmName: ${algorithm}`),
      );
      assert.equal(sweep.search.method, method);
      const told = notes.some((note) => note.includes(`algorithm ${algorithm} → ${method}`));
      assert.equal(told, algorithm !== method);
    });
  }
  test("grid, where every range has a step", () => {
    assert.deepEqual(observationOf(plain.replace("algorithmName: random", "algorithmName: grid")), [
      "22: field spec.parameters.0.feasibleSpace: a grid needs a step here, or a list of values",
    ]);
    const stepped = plain.replace('max: "0.03"', 'max: "0.03"\n        step: "0.01"');
    assert.equal(
      commandOf(stepped.replace("algorithmName: random", "algorithmName: grid")).sweep.search.method,
      "grid",
    );
  });
  for (const algorithm of ["enas", "darts"]) {
    test(algorithm, () =>
      assert.deepEqual(observationOf(plain.replace("algorithmName: random", `algorithmName: ${algorithm}`)), [
        `15: field spec.algorithm.algorithmName: ${algorithm} searches architectures with a model of its own in Katib's service, which is not done here; use random, tpe or bayesianoptimization over parameters`,
      ]),
    );
  }
  test("one that Katib does not have", () =>
    assert.deepEqual(observationOf(plain.replace("algorithmName: random", "algorithmName: randm")), [
      '15: field spec.algorithm.algorithmName: "randm" is none of random, grid, tpe, multivariate-tpe, bayesianoptimization, cmaes, sobol, hyperband, pbt, enas, darts; did you mean "random"?',
    ]));
  test("a setting it does not have", () =>
    assert.deepEqual(
      observationOf(
        plain.replace(
          "algorithmName: random",
          'algorithmName: random\n    algorithmSettings: [{name: random_sate, value: "1"}]',
        ),
      ),
      [
        '16: field spec.algorithm.algorithmSettings.0: random has no setting "random_sate", did you mean "random_state"?',
      ],
    ));
});

test("KATIB-6: what needs a cluster is refused by name, all of it at once", () => {
  assert.deepEqual(observationOf(fixtureText("katib/refused.yaml")), [
    "2: field apiVersion: should be kubeflow.org/v1beta1, not kubeflow.org/v1alpha3",
    "8: field spec.algorithm.algorithmName: enas searches architectures with a model of its own in Katib's service, which is not done here; use random, tpe or bayesianoptimization over parameters",
    "10: field spec.nasConfig: neural architecture search (nasConfig) is not done here",
    "11: field spec.metricsCollectorSpec.collector.kind: metrics are read from standard output (StdOut) only, not by TensorFlowEvent; print them as name=value",
    "13: field spec.parameters.0.feasibleSpace.min: min 0.3 is above max 0.1",
    '14: field spec.parameters.1.feasibleSpace.min: should be a whole number, not "1.5"',
    "15: field spec.parameters.2.feasibleSpace.min: a logarithmic scale needs min above 0, not 0",
    '16: field spec.parameters.3.feasibleSpace.list.0: "a" is no number; discrete lists numbers, categorical anything',
    "21: field spec.trialTemplate.trialSpec.kind: trials of kind PyTorchJob need a cluster's operator; only a Job's container is run here, as a command",
  ]);
});

test("KATIB-7: references that lead nowhere are told where they stand", () => {
  const text = fixtureText("katib/hyperband.yaml")
    .replace("reference: lr", "reference: rate")
    .replace("${trialParameters.epochs}", "${trialParameters.epoch}");
  assert.deepEqual(observationOf(text), [
    '21: field spec.trialTemplate.trialParameters.0.reference: no parameter is called "rate", known: lr, num-epochs',
    '34: field spec.trialTemplate.trialSpec.spec.template.spec.containers.1.args.1: ${trialParameters.epoch} names no trial parameter, did you mean "epochs"?',
  ]);
});
