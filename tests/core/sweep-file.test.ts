/** What a sweep file becomes, and what each bad one is told. The wording and the line are the contract. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ModelDeclaration } from "../../training/task/task.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";
import type { SweepFileResult } from "../../spec/sweep/read-sweep-file.ts";
import { readSweepFile } from "../support/read-sweep-file.ts";
import { refuse } from "../../protocol/refusal.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";

const never = () => refuse("unavailable", "no test trains anything");
const common = {
  task: "sorting",
  backends: ["cpu"],
  data: "text",
  reference: null,
  metrics: ["accuracy", "logLoss"],
  create: never,
  load: never,
} as const;
const models: readonly ModelDeclaration[] = [
  {
    ...common,
    model: "linear",
    about: "a line",
    parameters: {
      lr: { type: "float", min: 0.001, max: 10, default: 0.1, about: "step" },
      grams: { type: "int", min: 1, max: 5, default: 2, about: "longest n-gram" },
      scheme: { type: "choice", choices: ["nb", "plain"], default: "nb", about: "weights" },
    },
    defaultSpace: { lr: { distribution: "log-uniform", min: 0.01, max: 1 } },
  },
  {
    ...common,
    model: "bag",
    about: "a bag",
    parameters: { dim: { type: "int", min: 2, max: 512, default: 16, about: "width" } },
    defaultSpace: {},
  },
  {
    ...common,
    task: "idle",
    model: "noop",
    about: "nothing",
    data: "none",
    reference: null,
    metrics: ["accuracy"],
    parameters: {},
    defaultSpace: {},
  },
];

const head = "name: my-sweep\ntask: sorting\ndataset: language-id\n";
const search = "search: {method: random, trials: 6}\nstopping: {policy: asha, min: 1, max: 9, eta: 3}\n";

function read(text: string, overrides: SweepOverrides = {}, file = "my.yaml"): SweepFileResult {
  return readSweepFile({ file, text, environment: { EMPTY: "" }, models, codeVersion: "test 1", overrides });
}

function told(text: string, file = "my.yaml"): string[] {
  const result = read(text, {}, file);
  assert.ok(!result.ok, "the file should have been refused");
  return formatProblems(file, result.problems).split("\n");
}

describe("SF-1: a bad sweep file is told its file, line, field and the nearest right name", () => {
  const table: readonly [what: string, text: string, ...expected: string[]][] = [
    [
      "broken YAML",
      `${head}models: [a\n`,
      "my.yaml:5: this is no YAML: flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "a binary file",
      "name: x\nPAR1\0\u0015: [{,\n&*!\0\n",
      "my.yaml:2: this is no YAML: it has NUL characters, as binary files and texts in UTF-16 have; a YAML file is text in UTF-8",
    ],
    [
      "a key twice",
      `${head}name: again\n`,
      'my.yaml:4: "name" is given on line 1 already; a name stands once',
    ],
    [
      "no mapping",
      "- a\n- b\n",
      "my.yaml:1: a sweep file is a mapping with name, task, search, stopping and models",
    ],
    [
      "an unknown key",
      `${head}${search}serch: {}\nmodels: {linear: {}}\n`,
      'my.yaml:6: field serch: unknown key, did you mean "search"?',
    ],
    [
      "an unknown inner key",
      `${head}search:\n  method: random\n  trails: 3\n  trials: 3\nstopping: {policy: none, max: 1}\nmodels: {linear: {}}\n`,
      'my.yaml:6: field search.trails: unknown key, did you mean "trials"?',
    ],
    [
      "an unknown task",
      `name: x\ntask: sortin\n${search}models: {linear: {}}\n`,
      'my.yaml:2: field task: no task is called "sortin", did you mean "sorting"?',
    ],
    [
      "an unknown model",
      `${head}${search}models:\n  linear: {}\n  linaer: {}\n`,
      'my.yaml:8: field models.linaer: task sorting has no model "linaer", did you mean "linear"?',
    ],
    [
      "no model",
      `${head}${search}models: {}\n`,
      "my.yaml:6: field models: names no model; known: linear, bag",
    ],
    [
      "a dataset's name that is none",
      `name: x\ntask: sorting\ndataset: Language ID\n${search}models: {linear: {}}\n`,
      'my.yaml:3: field dataset: "Language ID" is no dataset\'s name; it should be a name, NAME@VERSION, or the path of a dataset file that ends in .yaml',
    ],
    [
      "no dataset",
      `name: x\ntask: sorting\n${search}models: {linear: {}}\n`,
      "my.yaml:1: field dataset: is missing; task sorting trains on data",
    ],
    [
      "a dataset too many",
      `name: x\ntask: idle\ndataset: language-id\n${search}models: {noop: {}}\n`,
      "my.yaml:3: field dataset: task idle reads no data; leave this out",
    ],
    [
      "an unknown metric",
      `${head}objective: {metric: acuracy}\n${search}models: {linear: {}}\n`,
      'my.yaml:4: field objective.metric: task sorting has no metric "acuracy", did you mean "accuracy"?',
    ],
    [
      "an unknown parameter",
      `${head}${search}models:\n  linear:\n    lr: 0.1\n    gram: 2\n`,
      'my.yaml:9: field models.linear.gram: model linear has no parameter "gram", did you mean "grams"?',
    ],
    [
      "a value out of bounds",
      `${head}${search}models:\n  linear: {lr: 11}\n`,
      "my.yaml:7: field models.linear.lr: 11 is out of bounds; it must be a number from 0.001 to 10",
    ],
    [
      "a list with one out of bounds",
      `${head}${search}models:\n  linear:\n    grams: [1, 2.5]\n`,
      "my.yaml:8: field models.linear.grams.1: 2.5 is out of bounds; it must be a whole number from 1 to 5",
    ],
    [
      "a wrong choice",
      `${head}${search}models:\n  linear: {scheme: tfidf}\n`,
      'my.yaml:7: field models.linear.scheme: "tfidf" is out of bounds; it may be "nb", "plain"',
    ],
    [
      "a range out of bounds",
      `${head}${search}models:\n  linear:\n    lr:\n      distribution: log-uniform\n      min: 0.0001\n      max: 1\n`,
      "my.yaml:10: field models.linear.lr.min: 0.0001 is out of bounds; it must be a number from 0.001 to 10",
    ],
    [
      "min above max",
      `${head}${search}models:\n  linear: {lr: {distribution: uniform, min: 5, max: 1}}\n`,
      "my.yaml:7: field models.linear.lr.min: min 5 is above max 1",
    ],
    [
      "an unknown distribution",
      `${head}${search}models:\n  linear: {lr: {distribution: loguniform, min: 1, max: 5}}\n`,
      'my.yaml:7: field models.linear.lr.distribution: "loguniform" is none of uniform, log-uniform, int, log-int, normal, log-normal, beta, quantised, choice, constant; did you mean "log-uniform"?',
    ],
    [
      "fractions for whole numbers",
      `${head}${search}models:\n  bag: {dim: {distribution: log-uniform, min: 2, max: 64}}\n`,
      'my.yaml:7: field models.bag.dim.distribution: this parameter is a whole number; use "log-int"',
    ],
    [
      "a range for a choice",
      `${head}${search}models:\n  linear: {scheme: {distribution: int, min: 1, max: 2}}\n`,
      'my.yaml:7: field models.linear.scheme: takes one of "nb", "plain", not a range; use a list',
    ],
    [
      "no bounds",
      `${head}${search}models:\n  linear: {lr: {distribution: normal, mean: 1, deviation: 1}}\n`,
      'my.yaml:7: field models.linear.lr.distribution: normal has no bounds and this parameter has (0.001 to 10); use "uniform" or "log-uniform"',
    ],
    [
      "an empty list",
      `${head}${search}models:\n  bag: {dim: []}\n`,
      "my.yaml:7: field models.bag.dim: an empty list gives nothing to choose from",
    ],
    [
      "a grid over a range",
      `${head}search: {method: grid, trials: 4}\nstopping: {policy: none, max: 3}\nmodels:\n  linear: {lr: {distribution: uniform, min: 1, max: 5}}\n`,
      "my.yaml:7: field models.linear.lr: a grid needs a step here, or a list of values",
    ],
    [
      "a grid over a default range",
      `${head}search: {method: grid, trials: 4}\nstopping: {policy: none, max: 3}\nmodels:\n  linear: {}\n`,
      "my.yaml:7: field models.linear: a grid cannot walk the default space (lr is log-uniform); list the values of each parameter",
    ],
    [
      "rungs the wrong way round",
      `${head}search: {method: random, trials: 6}\nstopping: {policy: asha, min: 9, max: 3, eta: 3}\nmodels: {bag: {}}\n`,
      "my.yaml:5: field stopping.min: min 9 is above max 3",
    ],
    [
      "a missing inner field",
      `${head}search: {method: random, trials: 6}\nstopping: {policy: none}\nmodels: {bag: {}}\n`,
      "my.yaml:5: field stopping.max: is missing; it should be a number",
    ],
    [
      "a wrong type",
      `${head}search: {method: random, trials: many}\nstopping: {policy: none, max: 1}\nmodels: {bag: {}}\n`,
      'my.yaml:4: field search.trials: should be a number, not "many"',
    ],
    [
      "a fraction of a trial",
      `${head}search: {method: random, trials: 1.5}\nstopping: {policy: none, max: 1}\nmodels: {bag: {}}\n`,
      "my.yaml:4: field search.trials: should be a whole number, not 1.5",
    ],
    [
      "an unknown policy",
      `${head}search: {method: random, trials: 6}\nstopping: {policy: ahsa, max: 3}\nmodels: {bag: {}}\n`,
      'my.yaml:5: field stopping.policy: "ahsa" is none of none, asha, hyperband, bohb, median, percentile, patience; did you mean "asha"?',
    ],
    [
      "an unknown need",
      `${head}${search}models: {bag: {}}\nneeds:\n  memGib: 4\n`,
      'my.yaml:8: field needs.memGib: unknown key, did you mean "memGiB"?',
    ],
    [
      "an unknown backend",
      `${head}${search}models: {bag: {}}\nneeds: {backend: [wsm]}\n`,
      'my.yaml:7: field needs.backend.0: "wsm" is none of tfjs-node-gpu, tfjs-node, webgpu, wasm, cpu, sparse, none; did you mean "wasm"?',
    ],
    [
      "no tokens",
      `${head}${search}models: {bag: {}}\nbudget: {tokens: 0}\n`,
      "my.yaml:7: field budget.tokens: 0 is too low; it must be above 0",
    ],
    [
      "something kept that there is not",
      `${head}${search}models: {bag: {}}\nkeep: {checkpoint: 5}\n`,
      'my.yaml:7: field keep.checkpoint: unknown key, did you mean "checkpoints"?',
    ],
    [
      "logs kept for a number",
      `${head}${search}models: {bag: {}}\nkeep:\n  logs: 30\n`,
      "my.yaml:8: field keep.logs: is a number and m, h or d, such as 90m, 12h or 1d",
    ],
    [
      "logs kept for no time",
      `${head}${search}models: {bag: {}}\nkeep: {logs: 0d}\n`,
      "my.yaml:7: field keep.logs: is 1m to 3650d",
    ],
    [
      "half a checkpoint",
      `${head}${search}models: {bag: {}}\nkeep: {checkpoints: 1.5}\n`,
      "my.yaml:7: field keep.checkpoints: should be a whole number, not 1.5",
    ],
    [
      "a bad name",
      `name: My Sweep\ntask: sorting\ndataset: language-id\n${search}models: {bag: {}}\n`,
      'my.yaml:1: field name: "My Sweep": a name is 1 to 31 characters of a-z, 0-9 and -, and starts with a letter or digit',
    ],
    [
      "an unset variable",
      `name: x\ntask: sorting\ndataset:\n  name: mine\n  format: labelled-lines\n  train: \${TRIALMESH_DATA}/train.txt\n${search}models: {bag: {}}\n`,
      "my.yaml:6: field dataset.train: TRIALMESH_DATA is not set; set it to the folder that holds the data, as in TRIALMESH_DATA=/path/to/data",
    ],
    [
      "an empty variable",
      `name: x\ntask: sorting\ndataset: {name: mine, format: labelled-lines, train: "\${EMPTY}/t"}\n${search}models: {bag: {}}\n`,
      "my.yaml:3: field dataset.train: EMPTY is not set; set it to the folder that holds the data, as in EMPTY=/path/to/data",
    ],
    [
      "an unknown format",
      `name: x\ntask: sorting\ndataset: {name: mine, format: csv, train: t}\n${search}models: {bag: {}}\n`,
      'my.yaml:3: field dataset.format: "csv" is none of labelled-lines',
    ],
  ];
  for (const [what, text, ...expected] of table) {
    test(what, () => assert.deepEqual(told(text), expected));
  }

  test("a data file that is not there, sought beside the sweep file", () => {
    const text = `name: x\ntask: sorting\ndataset:\n  name: mine\n  format: labelled-lines\n  train: data/train.txt\n${search}models: {bag: {}}\n`;
    assert.deepEqual(told(text, "/no/such/folder/my.yaml"), [
      "/no/such/folder/my.yaml:6: field dataset.train: there is no file /no/such/folder/data/train.txt",
    ]);
  });
});

test("SF-2: all problems of a file are told, in the file's order", () => {
  const text = `nmae: x\ntask: sorting\ndataset: reviews@0\nsearch: {method: rndom, trials: 0}\nstopping: {policy: asha, min: 1, max: 9, eta: 1}\nmodels:\n  bga: {}\n  linear: {lr: 99}\n`;
  assert.deepEqual(
    told(text).map((line) => line.split(" ").slice(0, 3).join(" ")),
    [
      "my.yaml:1: field name:",
      "my.yaml:1: field nmae:",
      "my.yaml:3: field dataset:",
      "my.yaml:4: field search.method:",
      "my.yaml:4: field search.trials:",
      "my.yaml:5: field stopping.eta:",
      "my.yaml:7: field models.bga:",
      "my.yaml:8: field models.linear.lr:",
    ],
  );
});

test("SF-3: a plain value is a constant, a list a choice, {} the default space", () => {
  const text = `${head}${search}models:\n  linear: {lr: 0.5, grams: [1, 2], scheme: {distribution: choice, values: [nb], weights: [1]}}\n  bag:\n`;
  const result = read(text);
  assert.ok(result.ok);
  const spec = result.plan.spec(null);
  assert.deepEqual(spec.models, [
    {
      model: "linear",
      space: {
        lr: { distribution: "constant", value: 0.5 },
        grams: { distribution: "choice", values: [1, 2] },
        scheme: { distribution: "choice", values: ["nb"], weights: [1] },
      },
      where: [],
    },
    { model: "bag", space: {}, where: [] },
  ]);
  assert.deepEqual(result.plan.dataset, {
    kind: "inline",
    name: "language-id",
    given: { format: "embedded", name: "language-id" },
  });
  assert.deepEqual(spec.objective, { metric: "accuracy", goal: "maximize" });
  assert.equal(spec.cap, null);
  sweepSpecSchema.parse(spec);
});

test("SF-4: losses are minimised unless the file says otherwise; tokens become milli-tokens", () => {
  const result = read(
    `${head}objective: {metric: logLoss}\n${search}models: {linear: {}}\nbudget: {tokens: 0.5}\nregister: {model: m, alias: champion}\n`,
  );
  assert.ok(result.ok);
  const spec = result.plan.spec(null);
  assert.equal(spec.objective.goal, "minimize");
  assert.equal(spec.cap, 500);
  assert.deepEqual(spec.register, { model: "m", alias: "champion" });
});

test("SF-5: what the command line says stands in place of the file's word, and is held to the same rules", () => {
  const text = `${head}${search}models: {linear: {}}\n`;
  const result = read(text, { trials: 2, seed: 9, max: 3, models: ["bag"], budgetTokens: 5 });
  assert.ok(result.ok);
  const spec = result.plan.spec(null);
  assert.deepEqual([spec.search.trials, spec.search.seed, spec.cap], [2, 9, 5000]);
  assert.deepEqual(spec.stopping, { policy: "asha", min: 1, max: 3, eta: 3 });
  assert.deepEqual(
    spec.models.map((model) => model.model),
    ["bag"],
  );
  const refused = read(text, { trials: 0, models: ["bga"] });
  assert.ok(!refused.ok);
  assert.deepEqual(
    refused.problems.map((problem) => problem.field.join(".")),
    ["search.trials", "models.bga"],
  );
});

test("SF-6: files of a dataset are found beside the sweep file and through variables", () => {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-test-"));
  try {
    writeFileSync(join(folder, "train.txt"), "0 a\n1 b\n");
    const text = `name: x\ntask: sorting\ndataset: {name: mine, format: labelled-lines, train: "\${HERE}/train.txt", test: train.txt, labels: {0: no, 1: yes}}\n${search}models: {bag: {}}\n`;
    const result = readSweepFile({
      file: join(folder, "my.yaml"),
      text,
      environment: { HERE: folder },
      models,
      codeVersion: "test 1",
    });
    assert.ok(result.ok, JSON.stringify(result));
    const path = join(folder, "train.txt");
    assert.deepEqual(result.plan.dataset, {
      kind: "inline",
      name: "mine",
      given: {
        format: "labelled-lines",
        name: "mine",
        train: path,
        dev: undefined,
        test: path,
        labels: { 0: "no", 1: "yes" },
      },
    });
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 });
  }
});

test("SF-7: no text whatever makes the reader throw, and what it accepts is a sweep", () => {
  const pieces = fc.constantFrom(
    "name",
    "task",
    "models",
    "sorting",
    "linear",
    "lr",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "\n",
    "  ",
    "- ",
    "&a ",
    "*a ",
    "!!str ",
    "0.5",
    "null",
    '"',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const result = read(parts.join(""));
      if (result.ok) sweepSpecSchema.parse(result.plan.spec(null));
      else assert.ok(result.problems.every((problem) => problem.line >= 1 && problem.message !== ""));
    }),
    { numRuns: 300 },
  );
});

test("SIZE-6: a file that is too deep, too long or has too much of something is refused with the place and the most there may be", () => {
  const file = (change: (text: string) => string) =>
    change(`name: big
task: noop
search: {method: random, trials: 3, seed: 1}
stopping: {policy: median, max: 10}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}}
`);
  const told = (text: string) => {
    const result = read(text);
    assert.equal(result.ok, false);
    const shown = result.ok ? "" : formatProblems("f.yaml", result.problems);
    assert.ok(shown.length < 20_000, `${shown.length} characters are told`);
    return shown;
  };
  assert.match(told(file((text) => text.replace("x: {", `x: ${"[".repeat(4_000)}`))), /nested too deep/);
  assert.match(
    told(file((text) => text.replace("max: 10", "max: 5000, interval: 1"))),
    /f\.yaml:4: field stopping\.interval: judges .*make interval 5 or more/,
  );
  assert.match(told(file((text) => text.replace("big", "b".repeat(50_000)))), /f\.yaml:1: field name/);
  assert.match(
    told(file((text) => text.replace("method: random", `method: ${"r".repeat(50_000)}`))),
    /field search\.method/,
  );
  assert.match(
    told(file((text) => text.replace("task: noop", `task: ${"n".repeat(50_000)}`))),
    /field task: has 50000 characters; at most 20000 are allowed/,
  );
});

test("SF-1: what is no YAML is told in lines that can be read, however much of it there is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.constantFrom("x", "é", "\u{1f3af}"),
      (length, filling) => {
        const result = read(`name: x\n} ${filling.repeat(length)}\n`);
        assert.ok(!result.ok);
        for (const { message } of result.problems) {
          assert.match(message, /^this is no YAML: /);
          assert.ok(message.length < 400, message);
        }
      },
    ),
    { numRuns: 30 },
  );
});
