/**
 * Scripts that log to W&B, unmodified, with W&B's real package and neither account nor network: their parameters arrive, their
 * metrics are heard, and nothing else of them changes. One script with each version, the family of cases with the newest.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import test, { after, describe } from "node:test";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import { makeWandbPlace } from "../../agent/program/wandb-place.ts";
import type { Job } from "../../agent/runner/runner.ts";
import { fixtureCommand, hearJob, programJob, type Heard } from "../support/program-job.ts";
import { newestWandb, wandbPython, wandbVersions } from "../support/wandb-python.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-wandb-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

interface Run extends Heard {
  readonly epochs: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly points: readonly (readonly [number, Readonly<Record<string, number>>])[];
  /** Where it ran, with what wandb left. */
  readonly place: string;
}

let homes = 0;

/** Runs the script as a trial with this Python, in a home of its own. */
async function runScript(
  python: string,
  files: Readonly<Record<string, string>>,
  change: Partial<typeof fixtureCommand> = {},
  more: Partial<Job> = {},
): Promise<Run> {
  const home = join(folder, `home-${++homes}`);
  mkdirSync(home);
  const runner = machineRunner({
    slots: 1,
    machine: { cores: 2, gpus: 0 },
    environment: { PATH: process.env["PATH"], HOME: home },
    interpreter: python,
  });
  try {
    const program = { ...fixtureCommand, command: ["${interpreter}", "run.py"], ...change };
    const params = { lr: 0.00001, "optimizer.name": "adam" };
    const job = programJob(folder, files, { ...program, nested: ["optimizer"] }, { params, ...more });
    const heard = await hearJob(runner, job);
    // The oldest makes an empty folder there, whatever it is told.
    const written = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.deepEqual(written, [], "nothing is written into the home");
    const { end, events } = heard;
    return {
      ...heard,
      epochs: Math.max(0, ...events.map((event) => (event.kind === "epoch" ? event.resource : 0))),
      metrics: end.kind === "failed" ? {} : end.metrics,
      points: events.flatMap((event) =>
        event.kind === "point" ? [[event.step, event.metrics] as const] : [],
      ),
      place: job.checkpointDir,
    };
  } finally {
    await runner.close();
  }
}

const shown = ({ end, lines }: Heard) => `${JSON.stringify(end)}\n${lines.join("\n")}`;

/** As in W&B's own guides: nothing in it knows of trialmesh. */
const usualScript = `
import wandb
wandb.login(key="0123456789012345678901234567890123456789")
run = wandb.init(project="demo", entity="somebody", mode="online", config={"lr": 0.5, "epochs": 4})
config = wandb.config
assert config.lr == 1e-05 and config.epochs == 4, dict(config)
assert config.optimizer["name"] == "adam", dict(config)
config.update({"lr": 7}, allow_val_change=True)
assert config.lr == 1e-05, "the sweep's parameters win"
wandb.define_metric("loss", summary="min")
for epoch in range(config.epochs):
    wandb.log({"loss": [3.0, 1.0, 2.0, 2.5][epoch], "layer": {"norm": epoch}}, commit=False)
    wandb.log({"score": epoch / 10, "bad": float("nan"), "table": wandb.Table(columns=["a"], data=[[1]])})
run.summary["final"] = 0.75
wandb.finish()
`;

for (const version of wandbVersions) {
  const { python, skip } = wandbPython(version);
  test(
    `WLOG-1: an unmodified script with wandb ${version} gets its parameters and is heard`,
    { skip },
    async () => {
      const run = await runScript(python, { "run.py": usualScript });
      assert.equal(run.end.kind, "finished", shown(run));
      const { bad, ...finite } = run.metrics;
      assert.ok(bad === undefined || Number.isNaN(bad));
      assert.deepEqual(finite, { loss: 2.5, "loss.min": 1, "layer.norm": 3, score: 0.3, final: 0.75 });
      assert.equal(run.epochs, 4, shown(run));
      const told = run.lines.filter(
        (line) => line === "wandb: table is a Table and no number, and is not kept",
      );
      assert.equal(told.length, 1, shown(run));
      assert.ok(!existsSync(join(run.place, "program", "wandb")), "wandb writes beside the program");
    },
  );

  test(
    `WLOG-7: with wandb ${version} a run that the script disables tells nothing, and the reason says so`,
    { skip },
    async () => {
      const ways = [
        'wandb.init(mode="disabled", config={"lr": 3})',
        'wandb.init(settings=wandb.Settings(mode="disabled"), config=argparse.Namespace(lr=3))',
        'os.environ.update(WANDB_MODE="disabled") or wandb.init(settings=wandb.Settings(console="off"))',
      ];
      for (const way of ways) {
        const script = `
import argparse, os, wandb
run = ${way}
assert wandb.config.lr == 1e-05, dict(wandb.config)
wandb.log({"score": 1})
run.summary["score"] = 1
run.finish()
`;
        const run = await runScript(python, { "run.py": script });
        assert.ok(run.end.kind === "failed", shown(run));
        assert.match(run.end.reason, /it reported nothing; .*wandb is disabled in it/);
      }
    },
  );
}

const { python: newest, skip } = wandbPython(newestWandb);

describe("WLOG-2: one report of the objective is one epoch, however it is logged", { skip }, () => {
  const cases: Readonly<Record<string, { script: string; epochs: number; score: number }>> = {
    "several calls for one step": {
      script: `
for step in range(5):
    wandb.log({"a": 1}, step=step)
    wandb.log({"score": step}, step=step)
    wandb.log({"score": step + 0.5}, step=step)
`,
      epochs: 5,
      score: 4.5,
    },
    "commit=True ends a step, commit=False does not": {
      script: `
for step in range(3):
    wandb.log({"score": 9}, commit=False)
    wandb.log({"score": step}, commit=True)
`,
      epochs: 3,
      score: 2,
    },
    "a summary of what is logged takes the place of its last value": {
      script: `
for score in (1, 5, 2): wandb.log({"score": score})
wandb.run.summary["score"] = 5
`,
      epochs: 3,
      score: 5,
    },
    "a summary alone": {
      script: `
for score in (1, 2): run.summary.update({"score": score})
`,
      epochs: 2,
      score: 2,
    },
    "printed beside it, more often": {
      script: `
import time
for epoch in range(3):
    for batch in range(4): print(f"score={batch}", flush=True)
    wandb.log({"score": 10 + epoch})
    time.sleep(0.4)
`,
      epochs: 3,
      score: 12,
    },
    "printed, where only something else is logged": {
      script: `
for epoch in range(3):
    wandb.log({"loss": epoch})
    print(f"score={epoch}", flush=True)
`,
      epochs: 3,
      score: 2,
    },
    "printed, where nothing is logged": {
      script: `
for epoch in range(3): print(f"score={epoch}", flush=True)
`,
      epochs: 3,
      score: 2,
    },
    "numbers of numpy": {
      script: `
import numpy
for score in (numpy.float32(0.5), numpy.int64(2), numpy.array([3.25]), numpy.array(4.5)): wandb.log({"score": score})
`,
      epochs: 4,
      score: 4.5,
    },
    "runs one after the other go on with the trial": {
      script: `
wandb.log({"score": 1}); run.finish()
for score in (2, 3):
    with wandb.init(reinit=True, name=f"again-{score}") as again: again.log({"score": score})
`,
      epochs: 3,
      score: 3,
    },
    "the process ends at once, without a word to wandb": {
      script: `
import os
for score in (1, 2): wandb.log({"score": score}, step=score)
os._exit(0)
`,
      epochs: 2,
      score: 2,
    },
    "a process forked from it logs to its run": {
      script: `
import multiprocessing
def work(score): wandb.log({"score": score})
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    for score in (1, 2):
        child = context.Process(target=work, args=(score,)); child.start(); child.join()
`,
      epochs: 2,
      score: 2,
    },
  };
  for (const [name, { epochs, score, script }] of Object.entries(cases))
    test(name, async () => {
      const run = await runScript(newest, { "run.py": `import wandb\nrun = wandb.init()\n${script}` });
      assert.equal(run.end.kind, "finished", shown(run));
      assert.equal(run.metrics["score"], score, shown(run));
      assert.equal(run.epochs, epochs, shown(run));
    });

  test("what is logged without the objective is a point of its curve, at its step", async () => {
    const script = `
import wandb
run = wandb.init()
for step in (3, 7): wandb.log({"train": step / 10}, step=step)
wandb.log({"score": 1}, step=9)
`;
    const run = await runScript(newest, { "run.py": script });
    assert.deepEqual(run.points, [
      [3, { train: 0.3 }],
      [7, { train: 0.7 }],
    ]);
  });
});

describe("WLOG-3: runs beside the trial's own are told under their names", { skip }, () => {
  test("folds in processes of their own", async () => {
    const fold = `
import sys, wandb
with wandb.init(name=f"fold-{sys.argv[1]}") as run:
    run.log({"score": int(sys.argv[1])})
`;
    const script = `
import subprocess, sys, wandb
run = wandb.init()
for fold in (4, 6): subprocess.run([sys.executable, "fold.py", str(fold)], check=True)
wandb.log({"score": 5})
`;
    const run = await runScript(newest, { "run.py": script, "fold.py": fold });
    assert.equal(run.epochs, 1, shown(run));
    assert.deepEqual(run.metrics, { score: 5, "fold-4/score": 4, "fold-6/score": 6 }, shown(run));
  });

  test("ranks of a distributed training: the first counts, whichever begins", async () => {
    const rank = `
import os, wandb
with wandb.init() as run:
    for epoch in range(3): run.log({"score": epoch + 100 * int(os.environ["RANK"])})
`;
    const script = `
import os, subprocess, sys
for rank in ("1", "0"): subprocess.run([sys.executable, "rank.py"], env={**os.environ, "RANK": rank}, check=True)
`;
    const run = await runScript(newest, { "run.py": script, "rank.py": rank });
    assert.equal(run.epochs, 3, shown(run));
    assert.deepEqual(run.metrics, { score: 2, "rank-1/score": 102 }, shown(run));
  });
});

describe("WLOG-4: nothing else of a Python program changes", { skip }, () => {
  test("a sitecustomize that would have been found is run, and its faults are told as ever", async () => {
    const files = {
      "lib/sitecustomize.py": `import os, sys; here = __file__; sys.ours = 7; print("other ran", flush=True)\n`,
      "run.py": `
import sys, sitecustomize, wandb
assert sys.ours == 7 and sitecustomize.here.endswith("lib/sitecustomize.py")
wandb.init(); wandb.log({"score": 1})
`,
    };
    const environment = { PYTHONPATH: "lib" };
    const run = await runScript(newest, files, { environment });
    assert.equal(run.end.kind, "finished", shown(run));
    assert.ok(run.lines.includes("other ran"), shown(run));
    const broken = { ...files, "lib/sitecustomize.py": `raise RuntimeError("of the other")\n` };
    const failed = await runScript(newest, { ...broken, "run.py": `print("score=1")\n` }, { environment });
    assert.ok(
      failed.lines.some((line) => line.includes("RuntimeError: of the other")),
      shown(failed),
    );
    assert.equal(failed.end.kind, "finished", shown(failed));
  });

  for (const word of ["-I", "-S", "-E"])
    test(`python ${word} looks at none of it and is heard by what it prints`, async () => {
      const script = `import sys; print("score=0.5", "trialmesh_wandb" in sys.modules)\n`;
      const run = await runScript(
        newest,
        { "run.py": script },
        { command: ["${interpreter}", word, "run.py"] },
      );
      assert.equal(run.metrics["score"], 0.5, shown(run));
      assert.ok(run.lines.includes("score=0.5 False"), shown(run));
    });

  for (const word of ["-I", "-E"])
    test(`python ${word} has the parameters all the same, and is not heard by what it logs`, async () => {
      const script = `
import wandb
wandb.init(config={"lr": 3})
print("score=0.5", wandb.config.lr)
wandb.log({"score": 1})
`;
      const run = await runScript(
        newest,
        { "run.py": script },
        { command: ["${interpreter}", word, "run.py"] },
      );
      assert.equal(run.metrics["score"], 0.5, shown(run));
      assert.ok(run.lines.includes("score=0.5 1e-05"), shown(run));
    });

  test("a module of that name that is the program's own is left as it is", async () => {
    const files = {
      "wandb.py": "def init(): return 1\ndef log(data): print(f\"score={data['score']}\")\n",
      "run.py": `import wandb\nassert wandb.init() == 1\nwandb.log({"score": 4})\n`,
    };
    const run = await runScript(newest, files);
    assert.equal(run.metrics["score"], 4, shown(run));
  });

  test("where there is no wandb, that is what the machine lacks", async () => {
    const run = await runScript("python3", { "run.py": "import wandb\nwandb.init()\n" });
    // Unless this machine's own Python has it.
    if (run.end.kind !== "failed" || run.end.lacks === undefined)
      return assert.notEqual(run.end.kind, "failed");
    assert.equal(run.end.lacks, 'the Python module "wandb"');
  });

  test("an objective that is no number is said to be none", async () => {
    const script = `import wandb\nwandb.init()\nwandb.log({"score": wandb.Table(columns=["a"], data=[[1]])})\n`;
    const run = await runScript(newest, { "run.py": script });
    assert.ok(run.end.kind === "failed", shown(run));
    assert.match(run.end.reason, /score is no plain number: a Table, logged to wandb/);
  });
});

test(
  "WLOG-6: a script that logs without end is heard of its objective to the last, and then of nothing",
  { skip },
  async () => {
    const script = `
import sys, wandb
run = wandb.init()
hook = sys.modules["trialmesh_wandb"]
wandb.log({"score": 1, "other": 1, **{f"n{i}": i for i in range(9_000)}})
hook.ROW_MAX_BYTES = 300
wandb.log({"score": 2, "wide": 2, **{f"n{i}": -1 for i in range(90)}})
hook.FULL_BYTES = 0
wandb.log({"score": 3, "other": 3})
hook.END_BYTES = 0
wandb.log({"score": 4})
`;
    const run = await runScript(newest, { "run.py": script });
    assert.equal(run.end.kind, "finished", shown(run));
    assert.equal(run.epochs, 3);
    const { score, other, wide, n1 } = run.metrics;
    assert.deepEqual([score, other, wide, n1], [3, 1, undefined, 1]);
    assert.ok(Object.keys(run.metrics).length <= 501);
  },
);

test("WLOG-6: whatever else is written into the file of rows, the trial goes on", { skip }, async () => {
  const script = `
import os, wandb
run = wandb.init()
with open(os.environ["TRIALMESH_WANDB_ROWS"], "ab") as rows:
    rows.write(b"\\xff\\x00{not json}\\n[1]\\n{}\\n" + b"x" * 1_000_000 + b"\\n")
    rows.write(b'{"kind":"log","run":"","step":1e99,"commit":null,"numbers":{"score":9},"others":{}}\\n')
wandb.log({"score": 1})
os.remove(os.environ["TRIALMESH_WANDB_ROWS"])
wandb.log({"score": 2})
run.finish()
`;
  const run = await runScript(newest, { "run.py": script });
  assert.equal(run.end.kind, "finished", shown(run));
  assert.equal(run.metrics["score"], 1, shown(run));
  assert.equal(run.lines.filter((line) => line.includes("could not be read")).length, 1, shown(run));
});

test("WLOG-4: a trial that is stopped at its rung ends like any program", { skip }, async () => {
  const script = `
import time, wandb
wandb.init()
for epoch in range(1, 100):
    wandb.log({"score": epoch})
    time.sleep(0.2)
`;
  const run = await runScript(newest, { "run.py": script }, { fullLength: 9 }, { targetResource: 3 });
  assert.ok(run.end.kind === "finished", shown(run));
  assert.equal(run.end.resource, 3);
  assert.equal(run.metrics["score"], 3, shown(run));
});

test("WLOG-1: whatever a parameter's value is, the package reads the same, digit for digit", { skip }, () => {
  const values = fc.sample(
    fc.oneof(
      fc.jsonValue(),
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.bigInt(),
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.constantFrom("1e5", "yes", "null", "0x1f", "2021-03-05", "<<", "=", "~", "1_000", "8:15", ""),
    ),
    { seed: 7, numRuns: 400 },
  );
  const json = (value: unknown) => (typeof value === "bigint" ? String(value) : JSON.stringify(value));
  const spelling = Object.fromEntries(values.map((value, index) => [`p${index}`, { "0": json(value) }]));
  const params = Object.fromEntries(values.map((_, index) => [`p${index}`, 0]));
  const place = { folder: join(folder, "values"), sweep: "s1", trial: "s1-1", metrics: [], environment: {} };
  const sweep = { command: [], program: null, nested: [], spelling };
  const file = makeWandbPlace(place, sweep, params)["WANDB_SWEEP_PARAM_PATH"];
  const script = `
import json, sys
from wandb.sdk.lib.config_util import dict_from_config_file
read = dict_from_config_file(sys.argv[1])
given = json.load(sys.stdin)
for name, value in given.items():
    assert type(read[name]) is type(value) and repr(read[name]) == repr(value), (name, read[name], value)
print(len(read))
`;
  const given = `{${values.map((value, index) => `"p${index}":${json(value)}`).join(",")}}`;
  const { status, stderr, stdout } = spawnSync(newest, ["-c", script, String(file)], {
    input: given,
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim(), String(values.length));
});
