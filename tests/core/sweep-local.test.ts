/** Commands out of macros, metrics out of output: what a local sweep is made of, without running anything. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { pythonText } from "../../protocol/python-text.ts";
import { expandCommand } from "../../agent/program/expand-command.ts";
import { LocalTrial } from "../../client/local/local-trial.ts";
import { metricReader } from "../../agent/program/read-metrics.ts";
import { paramsFrom } from "../../search/space/active.ts";
import { fromUnit } from "../../search/space/axis.ts";
import type { Params } from "../../protocol/value.ts";
import { commandOf, fixtureText } from "../support/read-fixture.ts";

interface Expanded {
  readonly words: readonly string[];
  readonly files: readonly string[];
}

function expand(text: string, environment: Record<string, string>, params?: Params): Expanded {
  const { sweep } = commandOf(text);
  const files: string[] = [];
  const drawn = paramsFrom(sweep.space, (_, distribution) => fromUnit(distribution, 0.5));
  const words = expandCommand(sweep, params ?? drawn, {
    trial: 4,
    environment,
    interpreter: "python",
    platform: "linux",
    writeFile(content) {
      files.push(content);
      return `/args-${files.length}.json`;
    },
  });
  assert.ok(words.ok, words.ok ? "" : words.refusal.message);
  return { words: words.value, files };
}

test("LOCAL-1: every macro becomes what W&B makes of it", () => {
  const { words, files } = expand(fixtureText("wandb/every-macro.yaml"), { SWEEP_USER: "ada" });
  const json = '{"lr":0.00001,"verbose":true,"resume":false,"layers":[64,32],"scheduler":null}';
  assert.deepEqual(words, [
    "/usr/bin/env",
    "python",
    "train.py",
    ...["--lr=1e-05", "--verbose=True", "--resume=False", "--layers=[64, 32]", "--scheduler=None"],
    ...["lr=1e-05", "verbose=True", "resume=False", "layers=[64, 32]", "scheduler=None"],
    ...["--lr=1e-05", "--verbose", "--layers=[64, 32]", "--scheduler=None"],
    ...[
      "--lr",
      "1e-05",
      "--verbose",
      "True",
      "--resume",
      "False",
      "--layers",
      "[64, 32]",
      "--scheduler",
      "None",
    ],
    json,
    "/args-1.json",
    "--user=ada",
  ]);
  assert.deepEqual(
    files.map((file) => JSON.parse(file) as unknown),
    [JSON.parse(json) as unknown],
  );
});

test("LOCAL-2: a variable of the environment that is not set fails the trial by name", () => {
  const { sweep } = commandOf(fixtureText("wandb/every-macro.yaml"));
  const context = {
    trial: 1,
    environment: {},
    interpreter: "python",
    platform: "linux",
    writeFile: () => "",
  } as const;
  const words = expandCommand(sweep, {}, context);
  assert.ok(!words.ok);
  assert.equal(words.refusal.message, "the command names ${envvar:SWEEP_USER}, and SWEEP_USER is not set");
});

test("LOCAL-3: nested parameters are one argument each, as a mapping", () => {
  const params = { epochs: 4, "optimizer.name": "sgd", "optimizer.schedule.warmup": 3 };
  const { files } = expand(fixtureText("wandb/nested.yaml"), {}, params);
  assert.deepEqual(JSON.parse(files[0] ?? "") as unknown, {
    epochs: 4,
    optimizer: { name: "sgd", schedule: { warmup: 3 } },
  });
  const args = fixtureText("wandb/nested.yaml").replace('"--config", "${args_json_file}"', '"${args}"');
  assert.deepEqual(expand(args, {}, params).words.slice(3), [
    "--epochs=4",
    "--optimizer={'name': 'sgd', 'schedule': {'warmup': 3}}",
  ]);
});

test("LOCAL-4: Katib's trial parameters are filled in within words", () => {
  const params = { lr: 0.02, "num-layers": 3, optimizer: "ftrl" };
  assert.deepEqual(expand(fixtureText("katib/random.yaml"), {}, params).words.slice(3), [
    "--lr=0.02",
    "--num-layers=3",
    "--optimizer=ftrl",
    "--name",
    "random-4",
  ]);
});

describe("LOCAL-5: a value is written as Python's str writes it", () => {
  // Checked against Python 3.11.
  const table: readonly [unknown, string][] = [
    [null, "None"],
    [true, "True"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1.5e-7, "1.5e-07"],
    [-3, "-3"],
    ["it's", "it's"],
    [["it's", 'a "b"', 1], `["it's", 'a "b"', 1]`],
    [{ a: [1, null], b: "x\ny" }, "{'a': [1, None], 'b': 'x\\ny'}"],
  ];
  for (const [value, text] of table) test(text, () => assert.equal(pythonText(JSON.stringify(value)), text));
});

describe("LOCAL-6: metrics are found in what a command prints", () => {
  const table: readonly [line: string, ...expected: [string, number][]][] = [
    ["accuracy=0.93", ["accuracy", 0.93]],
    ["epoch 3: val/loss = 1.5e-3, val/acc=.5", ["val/loss", 0.0015], ["val/acc", 0.5]],
    ["Validation-accuracy=-0.98", ["Validation-accuracy", -0.98]],
    ["loss=nan", ["loss", NaN]],
    ["loss=-inf", ["loss", -Infinity]],
    ['{"loss": 0.25, "epoch": 3, "name": "x"}', ["loss", 0.25], ["epoch", 3]],
    ['{"loss": NaN, "gain": -Infinity}', ["loss", NaN], ["gain", -Infinity]],
    ["time=12ms progress=50% x="],
    ["nothing to see"],
    ["{broken json"],
  ];
  const read = metricReader([]);
  for (const [line, ...expected] of table) {
    test(line, () =>
      assert.deepEqual(
        read(line).map(({ metric, value }) => [metric, value]),
        expected,
      ),
    );
  }
  test("Katib's own format reads what Katib reads, and still hears of NaN", () => {
    const katib = metricReader(commandOf(fixtureText("katib/random.yaml")).sweep.metricFormat);
    assert.deepEqual(katib("epoch 1 Validation-accuracy=0.81 Train-accuracy=nan"), [
      { metric: "Validation-accuracy", value: 0.81 },
      { metric: "Train-accuracy", value: NaN },
    ]);
  });
  test("no output whatever makes it throw or report what is no number", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (line) => {
        for (const { metric, value } of read(line)) assert.ok(metric !== "" && typeof value === "number");
      }),
    );
  });
});

describe("LOCAL-7: a trial's result is the last, least or greatest it reported; none that is not finite counts", () => {
  const table: readonly [keep: "last" | "min" | "max", values: number[], result: number | null][] = [
    ["last", [1, 3, 2], 2],
    ["min", [2, 1, 3], 1],
    ["max", [2, 3, 1], 3],
    ["max", [NaN, 3, NaN], 3],
    ["last", [1, NaN], null],
    ["min", [-Infinity], null],
    ["last", [], null],
  ];
  for (const [keep, values, result] of table) {
    test(`${keep} of ${values.join(", ")}`, () => {
      const trial = new LocalTrial(1, {}, [{ metric: "m", goal: "maximize", keep }]);
      for (const value of values) trial.take({ metric: "m", value });
      trial.take({ metric: "other", value: 9 });
      assert.deepEqual(trial.values(), result === null ? null : [result]);
      trial.state = "completed";
      // Samplers minimise.
      assert.deepEqual(trial.told().values, result === null ? null : [-result]);
    });
  }
  test("what is missing is said, with what came instead", () => {
    const trial = new LocalTrial(1, {}, [{ metric: "accuracy", goal: "maximize", keep: "last" }]);
    assert.equal(trial.whyNoResult(), "it reported nothing; print a line such as accuracy=0.5");
    trial.take({ metric: "acc", value: 1 });
    assert.equal(trial.whyNoResult(), "it reported no accuracy, only acc");
    trial.take({ metric: "accuracy", value: NaN });
    assert.equal(trial.whyNoResult(), "its accuracy is NaN");
  });
});
