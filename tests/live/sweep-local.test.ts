/**
 * `sweep local` with real processes: shell scripts everywhere, Python where there is one, scikit-learn where
 * TRIALMESH_PYTHON (or the path) has it. What bad scripts get, and that nothing is left running.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import { fixtureText } from "../support/read-fixture.ts";
import { mainFile, outcomeOf, runCli, runHere, type CliResult } from "../support/run-cli.ts";

const resultSchema = z.object({
  end: z.string(),
  best: z.object({ trial: z.number(), state: z.string(), values: z.array(z.number()) }).nullable(),
  trials: z.array(
    z.object({
      trial: z.number(),
      state: z.string(),
      params: z.record(z.string(), z.unknown()),
      values: z.array(z.number()).nullable(),
      reason: z.string().nullable(),
    }),
  ),
});
type Result = z.infer<typeof resultSchema>;

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "trialmesh-sweep-local-"));
});
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

function write(name: string, text: string, executable = false): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  if (executable) chmodSync(path, 0o755);
  return path;
}

let environment: NodeJS.ProcessEnv = process.env;

/** The command in this process, which starts in no time. */
function local(file: string, ...more: string[]): Promise<CliResult> {
  return runHere(["sweep", "local", file, ...more], environment);
}

async function resultOf(file: string, ...more: string[]): Promise<Result> {
  const { out, err } = await local(file, "--json", ...more);
  assert.ok(out !== "", err);
  return resultSchema.parse(JSON.parse(out));
}

/** One that has ended and was not yet taken note of by its parent does not live. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" });
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
}

const python = findInterpreter(process.env);
const skipPython = spawnSync(python, ["-c", "import sys"]).status === 0 ? false : "no Python on the path";
const skipLearn =
  spawnSync(python, ["-c", "import sklearn"]).status === 0
    ? false
    : "no Python with scikit-learn; TRIALMESH_PYTHON names one";

test("LOCAL-8: a trial gets one clear reason whatever its script does, and the sweep goes on to the next", async () => {
  write("silent.sh", "exit 0\n", true);
  write("fails.sh", "echo 'no such layer' >&2\nexit 3\n", true);
  write("nan.sh", "echo accuracy=nan\n", true);
  write("infinite.sh", "echo '{\"accuracy\": Infinity}'\n", true);
  write("wrong.sh", "echo acc=0.5 loss=2\n", true);
  write("killed.sh", "kill -9 $$\n", true);
  write("locked.sh", "echo accuracy=0.5\n");
  write("good.sh", "echo accuracy=0.5\n", true);
  const file = write(
    "bad.yaml",
    `name: bad
command: ["./\${parameter:script}"]
objective: {metric: accuracy}
search: {method: grid, trials: 20}
parameters:
  script: [missing.sh, locked.sh, silent.sh, fails.sh, nan.sh, infinite.sh, wrong.sh, killed.sh, good.sh]
`,
  );
  const result = await resultOf(file);
  assert.deepEqual(
    result.trials.map(({ params, state, reason }) => [params["script"], state, reason]),
    [
      ["missing.sh", "failed", `there is no program "./missing.sh" (looked for from ${folder})`],
      ["locked.sh", "failed", '"./locked.sh" may not be executed; `chmod +x` allows it'],
      ["silent.sh", "failed", "it reported nothing; print a line such as accuracy=0.5"],
      ["fails.sh", "failed", "ended with code 3: no such layer"],
      ["nan.sh", "failed", "its accuracy is NaN"],
      ["infinite.sh", "failed", "its accuracy is Infinity"],
      ["wrong.sh", "failed", "it reported no accuracy, only acc, loss"],
      ["killed.sh", "failed", "was killed by SIGKILL, by hand or by the system for lack of memory"],
      ["good.sh", "completed", null],
    ],
  );
  assert.equal(result.best?.trial, 9);
  const { out, code } = await local(file);
  assert.equal(code, 0);
  assert.match(
    out,
    /^4 trials reported no finite "accuracy"; 2 said NaN or infinity; they reported: acc, loss$/m,
  );
  assert.match(out, /^best: trial 9 with accuracy 0\.5: script=good\.sh$/m);
});

test(
  "PROG-28: a trace's source is no result; where a trial failed with one, nobody says that none was reported",
  { skip: skipPython },
  async () => {
    write("trace.py", "def fit(loss): return 1 / 0\n\nfit(loss=1)\n");
    write("late.py", "print('loss=0.5')\nraise ValueError('too late')\n");
    const sweep = (program: string) =>
      `name: x\ncommand: [${python}, ${program}, "\${args}"]\nobjective: { metric: loss, goal: minimize }\n` +
      "parameters: { rate: [1, 2] }\nsearch: { trials: 2 }\n";
    const [trace, late] = [write("trace.yaml", sweep("trace.py")), write("late.yaml", sweep("late.py"))];
    const { trials } = await resultOf(trace);
    assert.deepEqual(
      trials.map(({ state, values }) => [state, values]),
      [
        ["failed", null],
        ["failed", null],
      ],
    );
    assert.match(trials[0]?.reason ?? "", /ZeroDivisionError/);
    assert.match((await local(trace)).out, /^no trial reported a finite "loss"$/m);
    const said = (await local(late)).out;
    assert.match(said, /^no trial has a result: none that reported a finite "loss" came to a good end$/m);
    assert.doesNotMatch(said, /no trial reported/);
  },
);

test("LOCAL-9: a trial that runs too long is ended with all it started", async () => {
  write("long.sh", `sleep 600 &\necho $! > ${folder}/long.pid\nsleep 600\n`, true);
  const file = write(
    "long.yaml",
    'name: long\ncommand: ["./long.sh"]\nsearch: {method: random, trials: 1}\nparameters: {a: 1}\n',
  );
  const result = await resultOf(file, "--timeout", "1");
  assert.equal(result.trials[0]?.reason, "ran longer than 1 s");
  assert.equal(isAlive(Number(readFileSync(join(folder, "long.pid"), "utf8"))), false);
});

test("what a file asks of a mesh is said not to be done here", async () => {
  write("kept.sh", "echo score=1\n", true);
  const text = (terms: string) =>
    `name: kept\ncommand: ["./kept.sh"]\nobjective: {metric: score, goal: maximize}\nsearch: {method: random, trials: 1}\nparameters: {a: 1}\n${terms}`;
  const noteOf = async (terms: string) => (await local(write("kept.yaml", text(terms)))).err;
  assert.match(await noteOf("output: model\nregister: digits\n"), /`register` and `output` are for a mesh/);
  assert.match(await noteOf("output: model\n"), /`output` is for a mesh, and nothing of it is done here/);
  assert.doesNotMatch(await noteOf(""), /for a mesh/);
});

test("LOCAL-10: ctrl-c ends every trial with all it started, and still says what there is", async () => {
  write(
    "wait.sh",
    `echo accuracy=0.\${TRIALMESH_TRIAL}\n[ "$TRIALMESH_TRIAL" = 1 ] && exit 0\nsleep 600 &\necho $! > ${folder}/wait.pid\nwait\n`,
    true,
  );
  const file = write(
    "wait.yaml",
    'name: wait\ncommand: ["./wait.sh", "${args}"]\nobjective: {metric: accuracy}\nsearch: {method: grid, trials: 9}\nparameters: {a: [1, 2, 3]}\n',
  );
  const child = spawn(process.execPath, [mainFile, "sweep", "local", file], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = outcomeOf(child);
  const pidFile = join(folder, "wait.pid");
  while (!existsSync(pidFile) || readFileSync(pidFile, "utf8").trim() === "") {
    assert.equal(child.exitCode, null, "it should still run");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill("SIGINT");
  const { code, out } = await ended;
  assert.equal(code, 130);
  assert.match(out, /^best: trial 1 with accuracy 0\.1: a=1$/m);
  assert.match(out, /^2 trials: 1 completed, 1 interrupted; ended by ctrl-c$/m);
  assert.equal(isAlive(Number(readFileSync(pidFile, "utf8"))), false);
});

test("LOCAL-11: asha suspends trials at a rung, resumes the best, and ends with the best one at full length", async () => {
  write(
    "steps.sh",
    `for step in 1 2 3 4 5 6 7 8 9; do echo "step $step score=$1.$step"; sleep 0.1; done\n`,
    true,
  );
  const file = write(
    "steps.yaml",
    'name: steps\ncommand: [./steps.sh, "${parameter:level}"]\nobjective: {metric: score, goal: maximize}\nsearch: {method: grid, trials: 9}\nstopping: {policy: asha, min: 1, max: 9, eta: 3}\nparameters: {level: [1, 2, 3, 4, 5, 6]}\nparallel: 2\n',
  );
  const { best, trials } = await resultOf(file);
  assert.equal(trials.length, 6);
  assert.deepEqual(best?.values, [6.9], "the best is run to its end");
  assert.equal(best?.state, "completed");
  const stopped = trials.filter(({ state }) => state === "stopped");
  assert.ok(stopped.length >= 3, JSON.stringify(trials));
  for (const trial of stopped) assert.match(trial.reason ?? "", /^stopped early/);
});

test("LOCAL-12: the target ends the sweep, as too many failures do", async () => {
  const target = write(
    "target.yaml",
    'name: target\ncommand: [sh, -c, "echo loss=${parameter:a}"]\nobjective: {metric: loss}\nsearch: {method: grid, trials: 9}\nstopping: {policy: none, max: 1, target: 2}\nparameters: {a: [4, 3, 2, 1]}\n',
  );
  const reached = await resultOf(target);
  assert.deepEqual([reached.end, reached.trials.length, reached.best?.values], ["target", 3, [2]]);
  const failing = write(
    "failing.yaml",
    'name: failing\ncommand: ["false", "${args}"]\nsearch: {method: random, trials: 50}\nparameters: {a: {distribution: uniform, min: 0, max: 1}}\nfailuresMax: 2\n',
  );
  const { code, out } = await local(failing);
  assert.equal(code, 1);
  assert.match(out, /^3 trials: 3 failed; ended, for more than 2 trials failed$/m);
});

describe("LOCAL-13: a W&B file runs as it is", () => {
  test("over a Python script that knows nothing of it", { skip: skipPython }, async () => {
    write(
      "curve.py",
      `import argparse, json
parser = argparse.ArgumentParser()
parser.add_argument("--x", type=float)
parser.add_argument("--kind")
parser.add_argument("--flag")
options = parser.parse_args()
assert options.flag == "True"
print(json.dumps({"loss": (options.x - 0.3) ** 2 + (0.1 if options.kind == "b" else 0), "epoch": 1}))
`,
    );
    const file = write(
      "curve.yaml",
      "program: curve.py\nmethod: random\nproject: p\nmetric: {name: loss}\nrun_cap: 6\nparameters:\n  x: {min: 0.0, max: 1.0}\n  kind: {values: [a, b]}\n  flag: {value: true}\n",
    );
    const result = await resultOf(file, "--parallel", "2");
    assert.equal(result.trials.length, 6);
    for (const { params, state, values, reason } of result.trials) {
      assert.equal(state, "completed", reason ?? "");
      const x = z.number().parse(params["x"]);
      assert.ok(
        Math.abs((values?.[0] ?? NaN) - ((x - 0.3) ** 2 + (params["kind"] === "b" ? 0.1 : 0))) < 1e-9,
      );
    }
    const least = Math.min(...result.trials.map(({ values }) => values?.[0] ?? Infinity));
    assert.deepEqual(result.best?.values, [least]);
  });

  test("`sweep run` takes it to a mesh, and says so where there is none", { skip: skipPython }, async () => {
    const { code, out, err } = await runCli(["sweep", "run", join(folder, "curve.yaml"), "--trials", "1"], {
      TRIALMESH_HOME: join(folder, "no-mesh"),
    });
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^trialmesh: [^\n]*mesh[^\n]*\n$/);
  });

  test("the scikit-learn example finds digits better than nine in ten", { skip: skipLearn }, async () => {
    const file = join(projectFolder, "examples", "digits", "wandb.yaml");
    const result = await resultOf(file, "--parallel", "2", "--trials", "6");
    assert.equal(result.trials.length, 6);
    assert.deepEqual(
      result.trials.filter(({ state }) => state === "failed"),
      [],
    );
    assert.equal(result.best?.state, "completed");
    assert.ok((result.best?.values[0] ?? 0) > 0.9, JSON.stringify(result));
  });
});

describe("LOCAL-14: every W&B and Katib file of the fixtures runs as it is, or is refused", () => {
  // Stands for their scripts: what is tried is that the commands come about and their output is read.
  const stub = "#!/bin/sh\necho 'loss=0.5 accuracy=0.5 val/accuracy=0.5 Validation-accuracy=0.5'\n";
  before(() => {
    mkdirSync(join(folder, "bin"));
    for (const name of ["bin/python", "bin/python3", "train.py", "run.sh"]) write(name, stub, true);
    environment = {
      ...process.env,
      PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"] ?? ""}`,
      TRIALMESH_PYTHON: "",
      SWEEP_USER: "ada",
    };
  });
  after(() => {
    environment = process.env;
  });

  const table: readonly [name: string, trials: number][] = [
    ["wandb/every-distribution", 4],
    ["wandb/bayes-hyperband", 4],
    ["wandb/grid", 4],
    ["wandb/nested", 4],
    // Its parameters are constants: there is one trial.
    ["wandb/every-macro", 1],
    ["katib/random", 4],
    ["katib/every-type", 4],
    ["katib/hyperband", 4],
  ];
  for (const [name, trials] of table) {
    test(name, async () => {
      const file = write(`${name.replace("/", "-")}.yaml`, fixtureText(`${name}.yaml`));
      const result = await resultOf(file, "--trials", "4", "--parallel", "2");
      assert.equal(result.trials.length, trials);
      // Hyperband and asha may have left some at a rung.
      const failed = result.trials.filter(({ state }) => state !== "completed" && state !== "stopped");
      assert.deepEqual(failed, []);
      assert.ok(result.trials.some(({ state }) => state === "completed"));
    });
  }
  for (const name of ["wandb/refused", "katib/refused"]) {
    test(name, async () => {
      const file = write(`${name.replace("/", "-")}.yaml`, fixtureText(`${name}.yaml`));
      const { code, err, out } = await local(file);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, /^\S+\.yaml:2: (?:read as [^\n]+\n\S+\.yaml:2: )?field /);
    });
  }
  test("every distribution under bayes, with enough trials that a model proposes", async () => {
    const text = fixtureText("wandb/every-distribution.yaml").replace("method: random", "method: bayes");
    const result = await resultOf(write("bayes.yaml", text), "--trials", "14");
    assert.equal(result.trials.filter(({ state }) => state === "completed").length, 14);
  });
});
