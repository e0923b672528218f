/** What is written from a sweep is read as the same sweep: our own files, and every imported file we can read. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import * as z from "zod";
import { parse } from "yaml";
import { models } from "../../training/catalog/model-catalog.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { sweepJsonSchema } from "../../spec/sweep/json-schema.ts";
import { readAnyFile, type AnySweep } from "../../spec/file/read-any-file.ts";
import { writeSweepFile } from "../../spec/file/write-sweep-file.ts";
import { fixtureText } from "../support/read-fixture.ts";

const exampleText = (name: string) => readFileSync(join(projectFolder, "examples", name), "utf8");
/** Not the dataset files among them, nor the sweep of a task that is added in an example. */
const examples = readdirSync(join(projectFolder, "examples"), { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".yaml") && !/^(?:sources|task: quantile)/mu.test(exampleText(name)),
);

function read(text: string, file = join(projectFolder, "examples", "f.yaml")): AnySweep {
  const found = readAnyFile({ file, text, environment: {}, models, codeVersion: "test 1" });
  assert.ok(found.ok, found.ok ? "" : JSON.stringify(found.problems));
  return found.file;
}

function meaning(sweep: AnySweep): unknown {
  return sweep.kind === "models"
    ? sweep.plans.map((plan) => ({ dataset: plan.dataset, spec: plan.spec(null) }))
    : { ...sweep.sweep, spelling: {} };
}

const everything = `name: all
experiment: series
task: text-classification
datasets:
  - language-id
  - { name: mine, format: labelled-lines, train: ../package.json, labels: { 0: no, 1: yes } }
objectives: [{ metric: accuracy, goal: maximize }, { metric: logLoss, goal: minimize }]
search: { method: tpe, trials: 9, seed: 3 }
stopping: { policy: median, max: 9, interval: 2, target: 0.9 }
models:
  linear:
    lr: { distribution: log-uniform, min: 0.01, max: 1 }
    wordNgrams: { distribution: int, min: 1, max: 3 }
    charMax: { values: [0, 4], when: { wordNgrams: { not: 1 } } }
    where: ["lr * wordNgrams <= 1", "wordNgrams != 2"]
  fasttext: {}
needs: { memGiB: 2, gpu: { vendor: nvidia }, agents: { not: [old] } }
prefers: { first: cheapest, labels: { room: cellar } }
weight: 0.5
priority: 4
budget: { tokens: 12.5 }
beyondBudget: true
keep: { checkpoints: 0, logs: 1.7m }
trialSeed: 7
reuse: false
register: { model: all, alias: champion }
`;

const command = `name: script
command: ["\${env}", "\${interpreter}", "\${program}", "\${args}", "--trial=\${trial}"]
program: train.py
environment: { OMP_NUM_THREADS: "1" }
objectives: [{ metric: accuracy, keep: max }, { metric: latency, goal: minimize }]
search: { method: sobol, trials: 5 }
stopping: { policy: asha, max: 9 }
parameters:
  optimizer.name: [sgd, adam]
  optimizer.momentum: { distribution: beta, a: 9, b: 2, when: { optimizer.name: sgd } }
  width: { distribution: quantised, min: 8, max: 64, step: 8, log: true }
where: ["width * optimizer.momentum < 60"]
nested: [optimizer]
metricFormat: ['(\\w+)=(\\S+)']
parallel: 3
failuresMax: 2
output: out/model
register: { model: wide, alias: champion, move: always }
experiment: width
files: [train.py, lib]
needs: { python: "3.11", memGiB: 2 }
prefers: { first: cheapest }
weight: 2
priority: 5
budget: { tokens: 100 }
beyondBudget: true
keep: { checkpoints: 12 }
trialSeed: 4
reuse: true
`;

const module = `name: module-fields
module: train.ts
dataset: language-id
objective: { metric: accuracy }
search: { method: random, trials: 5 }
parameters: { width: [1, 2] }
`;

describe("SFW-1: read, write, read gives the same sweep", () => {
  const own: readonly [what: string, text: string][] = [
    ["every field of a sweep over models", everything],
    ["every field of a sweep that runs a command", command],
    ["a sweep that runs a module", module],
    ["a model by its name alone", everything.replace("{ model: all, alias: champion }", "all")],
    ...examples
      .map((name): [string, string] => [`examples/${name}`, exampleText(name)])
      // Their data lies elsewhere.
      .filter(([, text]) => !text.includes("TRIALMESH_DATA")),
    ...["every-distribution", "bayes-hyperband", "grid", "nested", "every-macro"].map(
      (name): [string, string] => [`W&B ${name}`, fixtureText(`wandb/${name}.yaml`)],
    ),
    ...["random", "every-type", "hyperband"].map((name): [string, string] => [
      `Katib ${name}`,
      fixtureText(`katib/${name}.yaml`),
    ]),
  ];
  for (const [what, text] of own) {
    test(what, () => {
      const first = read(text);
      const written = writeSweepFile(first);
      assert.deepEqual(meaning(read(written)), meaning(first), written);
    });
  }
});

describe("SFW-2: the JSON Schema is current, takes the files that are right, and refuses slips", () => {
  const schema = sweepJsonSchema(models);
  const published: unknown = JSON.parse(
    readFileSync(join(projectFolder, "schema", "sweep.schema.json"), "utf8"),
  );

  test("`trialmesh sweep schema > schema/sweep.schema.json` would change nothing", () =>
    assert.deepEqual(published, JSON.parse(JSON.stringify(schema))));

  const checked = z.fromJSONSchema(z.looseObject({}).parse(published));
  for (const name of examples.filter((each) => !each.endsWith("wandb.yaml"))) {
    test(`examples/${name}`, () => {
      const value: unknown = parse(exampleText(name));
      const result = checked.safeParse(value);
      assert.ok(result.success, JSON.stringify(result.error?.issues));
    });
  }
  for (const [what, text] of [
    ["every field of a sweep over models", everything],
    ["every field of a sweep that runs a command", command],
  ] as const) {
    test(what, () => assert.ok(checked.safeParse(parse(text)).success));
  }
  for (const [what, from, to] of [
    ["an unknown key", "weight:", "wieght:"],
    ["an unknown parameter", "wordNgrams:", "wordNgram:"],
    ["an unknown model", "fasttext:", "fastext:"],
    ["an unknown distribution", "distribution: int", "distribution: integer"],
    ["an unknown policy", "policy: median", "policy: medium"],
  ] as const) {
    test(what, () => assert.ok(!checked.safeParse(parse(everything.replace(from, to))).success));
  }
});
