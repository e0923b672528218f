/** W&B sweep files: every distribution, macro, method and key, mapped or refused exactly as documented. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Distribution } from "../../protocol/space.ts";
import { commandOf, fixtureText, readText, observationOf } from "../support/read-fixture.ts";

const near = (value: number) => Number(value.toPrecision(12));

function tidy(distribution: Distribution | undefined): unknown {
  return Object.fromEntries(
    Object.entries(distribution ?? {}).map(([key, value]) => [
      key,
      typeof value === "number" ? near(value) : value,
    ]),
  );
}

describe("WANDB-1: every distribution of W&B becomes one of ours, inferred ones included", () => {
  const { sweep } = commandOf(fixtureText("wandb/every-distribution.yaml"));
  const table: Readonly<Record<string, Distribution>> = {
    constant_named: { distribution: "constant", value: 3 },
    constant_inferred: { distribution: "constant", value: "adam" },
    categorical_named: { distribution: "choice", values: [1, "two", true] },
    categorical_inferred: { distribution: "choice", values: [16, 32] },
    weighted: { distribution: "choice", values: ["relu", "tanh"], weights: [0.8, 0.2] },
    int_named: { distribution: "int", min: 1, max: 8 },
    int_inferred: { distribution: "int", min: 1, max: 8 },
    uniform_named: { distribution: "uniform", min: 0, max: 1 },
    uniform_inferred: { distribution: "uniform", min: 0, max: 1 },
    q_uniform: { distribution: "quantised", min: 0.3, max: 2.6, step: 1 },
    log_uniform: { distribution: "log-uniform", min: 0.0001, max: 0.1 },
    q_log_uniform: { distribution: "quantised", min: 1, max: 100, step: 5, log: true },
    inv_log_uniform: { distribution: "log-uniform", min: 0.0001, max: 0.1 },
    log_uniform_values: { distribution: "log-uniform", min: 0.0001, max: 0.1 },
    q_log_uniform_values: { distribution: "quantised", min: 1, max: 100, step: 5, log: true },
    inv_log_uniform_values: { distribution: "log-uniform", min: 0.0001, max: 0.1 },
    normal: { distribution: "normal", mean: 0, deviation: 1 },
    q_normal: { distribution: "normal", mean: 10, deviation: 2, step: 0.5 },
    log_normal: { distribution: "log-normal", mean: -3, deviation: 0.5 },
    q_log_normal: { distribution: "log-normal", mean: 0, deviation: 1, step: 1 },
    beta: { distribution: "beta", a: 2, b: 5 },
    q_beta: { distribution: "beta", a: 1, b: 1, step: 0.1 },
  };
  for (const [name, expected] of Object.entries(table))
    test(name, () => assert.deepEqual(tidy(sweep.space[name]), tidy(expected)));
  test("and no other is in the file", () =>
    assert.deepEqual(Object.keys(sweep.space).toSorted(), Object.keys(table).toSorted()));
});

test("WANDB-2: every reinterpretation is told, with its line", () => {
  const { sweep, notes } = commandOf(fixtureText("wandb/bayes-hyperband.yaml"));
  const print =
    "metrics are heard from wandb.log, and from what the script prints (name=value, or JSON lines); parameters come by wandb.config and by the command line; wandb runs offline";
  assert.deepEqual(notes, [
    "2: field project: project, entity, description ignored",
    '4: field name: name "MNIST: bayes" → mnist-bayes',
    `6: field program: ${print}`,
    "7: field method: method bayes → auto: starts quasi-randomly, then a model proposes; the sweep says which",
    "11: field metric.target: target 0.99 → the sweep ends once a trial reaches it",
    "12: field metric.impute: impute best ignored: a failed trial counts as a bad one, whatever it last reported",
    "13: field metric.impute_while_running: impute_while_running ignored: running trials always count",
    "14: field run_cap: run_cap 30 → trials: 30",
    "15: field early_terminate: early_terminate hyperband → asha with min 3 eta 3, the last rung at 243: promoted, not only stopped",
    "19: field parameters.learning_rate: log_uniform bounds are natural-log exponents: 0.0001 to 0.1",
  ]);
  assert.deepEqual(sweep.search, { method: "auto", trials: 30, seed: 1 });
  assert.deepEqual(sweep.stopping, { policy: "asha", min: 3, max: 243, eta: 3, target: 0.99 });
  assert.deepEqual(sweep.objectives, [{ metric: "val/accuracy", goal: "maximize", keep: "last" }]);
  assert.deepEqual(sweep.command, ["${env}", "${interpreter}", "${program}", "${args}"]);
  assert.equal(sweep.program, "train.py");
});

test("WANDB-3: hyperband counted back from max_iter has its first rung at max_iter / eta^s", () => {
  const { sweep, notes } = commandOf(fixtureText("wandb/every-macro.yaml"));
  assert.deepEqual(sweep.stopping, { policy: "asha", min: 3, max: 27, eta: 3 });
  assert.ok(notes.some((note) => note.startsWith("6: field early_terminate.strict: strict false → ")));
});

test("WANDB-10: beside max_iter and s, min_iter counts for nothing, and that is told", () => {
  const { notes, sweep } = commandOf(
    "program: a.py\nmethod: random\nrun_cap: 2\nmetric: {name: m}\nparameters: {a: {value: 1}}\n" +
      "early_terminate: {type: hyperband, min_iter: 3, max_iter: 32, s: 2, eta: 4}\n",
  );
  assert.deepEqual(sweep.stopping, { policy: "asha", min: 2, max: 32, eta: 4 });
  assert.ok(notes.some((note) => note.includes("min_iter counts for nothing beside max_iter and s")));
});

test("WANDB-4: a grid takes what W&B's grid takes; yes and no are booleans, as Python reads them", () => {
  const { sweep } = commandOf(fixtureText("wandb/grid.yaml"));
  assert.deepEqual(sweep.space["dropout"], { distribution: "choice", values: [0, 0.25] });
  assert.deepEqual(sweep.space["augment"], { distribution: "choice", values: [true, false] });
  assert.deepEqual(sweep.objectives, []);
  const every = fixtureText("wandb/every-distribution.yaml").replace("method: random", "method: grid");
  const refused = observationOf(every).map((line) => /field parameters\.(\w+):/.exec(line)?.[1] ?? line);
  assert.deepEqual(refused.toSorted(), [
    "beta",
    "inv_log_uniform",
    "inv_log_uniform_values",
    "log_normal",
    "log_uniform",
    "log_uniform_values",
    "normal",
    "q_beta",
    "q_log_normal",
    "q_log_uniform",
    "q_log_uniform_values",
    "q_normal",
    "uniform_inferred",
    "uniform_named",
    "weighted",
  ]);
});

test("WANDB-5: nested parameters keep their paths, at every depth", () => {
  const { sweep } = commandOf(fixtureText("wandb/nested.yaml"));
  assert.deepEqual(Object.keys(sweep.space), ["epochs", "optimizer.name", "optimizer.schedule.warmup"]);
  assert.deepEqual(sweep.nested, ["optimizer", "optimizer.schedule"]);
});

test("WANDB-6: what is refused is refused by name, all of it at once, with the nearest right name", () => {
  assert.deepEqual(observationOf(fixtureText("wandb/refused.yaml")), [
    "2: field method: W&B's custom method runs a search program of one's own; use grid, random or bayes here",
    "2: field metric: is missing; early_terminate compares by a metric",
    "3: field job: W&B Launch jobs are not run; give the script as program",
    "4: field image_uri: container images are not run; give the script as program",
    "5: field scheduler: schedulers of W&B are not run; leave it out, and search is done here",
    "6: field metrics: several metrics need W&B's method custom; in a sweep file of trialmesh they are called objectives",
    '9: field command.1: there is no macro ${programm}, did you mean "program"?',
    '9: field command.2: ${args} becomes several words and must stand alone, not in "x${args}"',
    '12: field parameters.lr.distribution: W&B has no distribution "log_uniform_value", did you mean "log_uniform_values"?',
    '13: field parameters.momentum.maks: unknown key, did you mean "max"?',
    "14: field parameters.width.min: min 9 is above max 1",
    "15: field parameters.decay.min: a logarithmic scale needs min above 0, not 0",
  ]);
});

describe("WANDB-7: single slips", () => {
  const head = "program: t.py\nmethod: random\nmetric: {name: m}\n";
  const table: readonly [what: string, text: string, ...expected: string[]][] = [
    [
      "an unknown key",
      `${head}runcap: 3\nparameters: {a: {value: 1}}\n`,
      '4: field runcap: unknown key, did you mean "run_cap"?',
    ],
    [
      "an unknown method",
      "program: t.py\nmethod: bayesian\nmetric: {name: m}\nparameters: {a: {value: 1}}\n",
      '2: field method: "bayesian" is none of grid, random, bayes, custom; did you mean "bayes"?',
    ],
    [
      "bayes without a metric",
      "program: t.py\nmethod: bayes\nrun_cap: 3\nparameters: {a: {value: 1}}\n",
      "1: field metric: is missing; bayes learns from a metric",
    ],
    [
      "no program",
      "method: random\nmetric: {name: m}\nparameters: {a: {value: 1}}\n",
      "1: field program: is missing; the command, which is W&B's usual one, names ${program}",
    ],
    [
      "an unknown key of a distribution",
      `${head}parameters: {a: {distribution: normal, mu: 0, sgima: 1}}\n`,
      '4: field parameters.a.sgima: unknown key, did you mean "sigma"?',
    ],
    [
      "probabilities of another length",
      `${head}parameters:\n  a: {values: [1, 2], probabilities: [1]}\n`,
      "5: field parameters.a.probabilities: 2 values need as many probabilities",
    ],
    [
      "nothing said of a parameter",
      `${head}parameters: {a: 3}\n`,
      "4: field parameters.a: should be a mapping such as {value: 0.1}, {values: [1, 2]} or {min: 0, max: 1}, not 3",
    ],
    [
      "no way to lay out hyperband",
      `${head}early_terminate: {type: hyperband, max_iter: 9}\nparameters: {a: {value: 1}}\n`,
      "4: field early_terminate: needs min_iter, or max_iter and s",
    ],
    [
      "a first rung beyond the last",
      `${head}early_terminate: {type: hyperband, min_iter: 10, max_iter: 9}\nparameters: {a: {value: 1}}\n`,
      "4: field early_terminate.min_iter: min_iter 10 is above max_iter 9",
    ],
    [
      "exponents beyond all numbers",
      `${head}parameters: {a: {distribution: log_uniform, min: 1, max: 1000}}\n`,
      "4: field parameters.a: log_uniform's bounds are natural-log exponents, and e to the power of 1000 is no usable number; log_uniform_values takes the bounds themselves",
    ],
  ];
  for (const [what, text, ...expected] of table)
    test(what, () => assert.deepEqual(observationOf(text), expected));
});

test("WANDB-8: bounds that were surely meant as they stand are told so", () => {
  const { notes } = commandOf(
    "program: t.py\nmethod: random\nmetric: {name: m}\nrun_cap: 1\nparameters: {a: {distribution: log_uniform, min: 0.0001, max: 0.1}}\n",
  );
  assert.ok(
    notes.includes(
      "5: field parameters.a: log_uniform bounds are natural-log exponents: 1 to 1.105; if 0.0001 to 0.1 was meant, that is log_uniform_values",
    ),
    notes.join("\n"),
  );
});

test("WANDB-9: the command line's trials and seed stand in place of the file's; what is for models is refused", () => {
  const text = fixtureText("wandb/nested.yaml");
  assert.deepEqual(commandOf(text, { trials: 2, seed: 9 }).sweep.search, {
    method: "random",
    trials: 2,
    seed: 9,
  });
  assert.equal(commandOf(text, { budgetTokens: 3 }).sweep.onMesh.cap, 3_000, "on a mesh it counts");
  const read = readText(text, { models: ["linear"], max: 3 });
  assert.ok(!read.ok);
  assert.deepEqual(
    read.problems.map((problem) => problem.message.split(" ")[0]),
    ["read", "--models", "--max"],
  );
});

describe("WANDB-12: a grid walks a quantised range as numpy's arange counts it, which W&B uses", () => {
  // What numpy 1.26 gives, to the last digit.
  const table: readonly [min: number, max: number, q: number, values: readonly number[]][] = [
    [0, 1, 0.25, [0, 0.25, 0.5, 0.75]],
    [1, 1.3, 0.1, [1, 1.1, 1.2000000000000002, 1.3000000000000003]],
    [-3, 3, 2, [-3, -1, 1]],
    [0, 5, 10, [0]],
  ];
  for (const [min, max, q, values] of table)
    test(`${min} to ${max} by ${q}`, () => {
      const text = `method: grid\nprogram: t.py\nparameters: {a: {distribution: q_uniform, min: ${min}, max: ${max}, q: ${q}}}\n`;
      assert.deepEqual(commandOf(text).sweep.space["a"], { distribution: "choice", values });
    });
  test("nothing between", () =>
    assert.match(
      observationOf(
        "method: grid\nprogram: t.py\nparameters: {a: {distribution: q_uniform, min: 2, max: 2, q: 1}}\n",
      ).join(""),
      /W&B's grid leaves out max, and nothing is left from 2 to 2/,
    ));
});
