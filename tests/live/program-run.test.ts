/**
 * Programs of requesters in real processes: what they are given, what of them is heard and kept, how they are stopped, and
 * what each bad one gets. Shell scripts, so that nothing need be installed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import type { Job, RunnerEvent } from "../../agent/runner/runner.ts";
import { fixtureCommand, hearJob, programJob } from "../support/program-job.ts";
import { gone } from "../support/living-process.ts";
import { pidOfKilledAgent } from "../support/killed-agent.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-program-"));
const runner = machineRunner({
  slots: 2,
  machine: { cores: 4, gpus: 2 },
  environment: { ...process.env, SECRET_OF_THE_AGENT: "s3cret" },
  interpreter: "python3",
});
after(async () => {
  await runner.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const hasPython = spawnSync("python3", ["-c", "import json"]).status === 0;

/** A job that runs this shell script. */
function scriptJob(text: string, more: Partial<Job> = {}, change: Partial<typeof fixtureCommand> = {}): Job {
  const program = { ...fixtureCommand, command: ["sh", "run.sh", "${args}"], ...change };
  return programJob(folder, { "run.sh": text }, program, more);
}

/** Reports once for each file line it has kept, and keeps a line for each report. */
const counting = `
state="$TRIALMESH_CHECKPOINT_DIR/count"
n=$(cat "$state" 2>/dev/null || echo 0)
while [ "$n" -lt 6 ]; do
  n=$((n + 1))
  echo "$n" > "$state.tmp" && mv "$state.tmp" "$state"
  echo "score=0.$n"
  sleep 0.1
done`;

test("PROG-1: flags, environment and file carry the parameters; of the agent's environment little is passed", async () => {
  const job = scriptJob(
    'echo "flags $*"; cat "$TRIALMESH_PARAMS"; echo; echo "secret [$SECRET_OF_THE_AGENT] own [$OWN] seed [$TRIALMESH_SEED] threads [$OMP_NUM_THREADS] gpu [$CUDA_VISIBLE_DEVICES]"; echo "score=0.5 loss=2"',
    { params: { lr: 0.1, kind: "a b" } },
    { environment: { OWN: "given" } },
  );
  const { end, events, lines } = await hearJob(runner, job);
  assert.equal(end.kind, "finished");
  assert.deepEqual(
    end.kind === "finished" && [end.resource, end.metrics["score"], end.metrics["loss"]],
    [1, 0.5, 2],
  );
  assert.ok(lines.includes("flags --lr=0.1 --kind=a b"), lines.join("\n"));
  assert.ok(lines.includes('{"lr":0.1,"kind":"a b"}'), lines.join("\n"));
  assert.ok(lines.includes("secret [] own [given] seed [7] threads [2] gpu [0]"), lines.join("\n"));
  assert.deepEqual(
    events.filter(({ kind }) => kind !== "log").map(({ kind }) => kind),
    ["started", "epoch", "exited", "finished"],
  );
});

test("PROG-2: at a rung it is stopped, and its folder goes on from there on the next segment", async () => {
  const change = { fullLength: 6 };
  const first = await hearJob(runner, scriptJob(counting, { targetResource: 3 }, change));
  assert.ok(first.end.kind === "finished", JSON.stringify(first.end));
  assert.deepEqual([first.end.resource, first.end.metrics["score"]], [3, 0.3]);
  const { path } = first.end;
  const from = { fromCheckpointPath: path, fromResource: 3, targetResource: 6 };
  const second = await hearJob(runner, scriptJob(counting, from, change));
  assert.ok(second.end.kind === "finished", JSON.stringify(second.end));
  assert.deepEqual([second.end.resource, second.end.metrics["score"]], [6, 0.6]);
  const reports = second.events.flatMap((event) => (event.kind === "epoch" ? [event.resource] : []));
  assert.ok((reports[0] ?? 0) >= 4, "its reports count on");
  // It came to its own end there: a longer segment has nothing to go on with.
  const third = await hearJob(
    runner,
    scriptJob(
      counting,
      { fromCheckpointPath: second.end.path, fromResource: 6, targetResource: 9 },
      { fullLength: 9 },
    ),
  );
  assert.ok(third.end.kind === "finished");
  assert.deepEqual([third.end.resource, third.end.metrics["score"], third.lines], [9, 0.6, []]);
});

test("PROG-3: one that keeps no files begins anew, and its reports count from the beginning", async () => {
  const text = 'for n in 1 2 3 4; do echo "score=0.$n"; sleep 0.05; done; sleep 5';
  const first = await hearJob(runner, scriptJob(text, { targetResource: 2 }, { fullLength: 4 }));
  assert.ok(first.end.kind === "finished");
  const from = { fromCheckpointPath: first.end.path, fromResource: 2, targetResource: 3 };
  const second = await hearJob(runner, scriptJob(text, from, { fullLength: 4 }));
  assert.ok(second.end.kind === "finished");
  assert.deepEqual(
    second.events.flatMap((event) => (event.kind === "epoch" ? [event.resource] : [])).slice(0, 3),
    [1, 2, 3],
  );
  assert.equal(second.end.metrics["score"], 0.3);
});

test("PROG-4: what it keeps between reports is handed on while it runs", async () => {
  const text = `
echo one > "$TRIALMESH_CHECKPOINT_DIR/model"; echo score=0.1
sleep 30`;
  let kept: RunnerEvent | null = null;
  const job = scriptJob(text);
  const { end } = await hearJob(runner, job, (event) => {
    if (event.kind !== "checkpoint") return;
    kept = event;
    runner.stop(job.fence, "kill");
  });
  assert.ok(kept !== null && end.kind === "stopped");
  assert.match(readFileSync(end.path ?? "", "latin1"), /one\n$/);
});

test(
  "PROG-5: asked to stop it may save first; its whole tree ends with it",
  { skip: process.platform === "win32" },
  async () => {
    const text = `
trap 'echo saved > "$TRIALMESH_CHECKPOINT_DIR/model"; exit 1' TERM
sleep 60 & echo "child $!"
echo score=0.1
while :; do sleep 0.05; done`;
    const job = scriptJob(text);
    const { end, lines } = await hearJob(runner, job, (event) => {
      if (event.kind === "epoch") runner.stop(job.fence, "checkpoint");
    });
    assert.ok(end.kind === "stopped", JSON.stringify(end));
    assert.match(readFileSync(end.path ?? "", "latin1"), /saved\n$/);
    const child = Number(/child (\d+)/.exec(lines.join("\n"))?.[1]);
    assert.ok(child > 0);
    await gone(child);
  },
);

test(
  "PROG-6: suspended it uses no processor and no time counts; it goes on where it stood",
  { skip: process.platform === "win32" },
  async () => {
    const job = scriptJob("echo score=0.1; sleep 0.3; echo score=0.2");
    const startedAt = performance.now();
    let suspendedMs = Infinity;
    const { end, events } = await hearJob(runner, job, (event) => {
      if (event.kind !== "epoch" || event.resource !== 1) return;
      runner.suspend(job.fence);
      const suspendedAt = performance.now();
      setTimeout(() => {
        suspendedMs = performance.now() - suspendedAt;
        runner.resume(job.fence);
      }, 1_000);
    });
    const wholeMs = performance.now() - startedAt;
    assert.ok(end.kind === "finished", JSON.stringify(end));
    assert.ok(suspendedMs <= wholeMs, "it did not end while it stood still");
    assert.ok(end.usedMs <= wholeMs - suspendedMs + 1, `${end.usedMs} ms of ${wholeMs} - ${suspendedMs}`);
    assert.equal(events.filter(({ kind }) => kind === "epoch").length, 2);
  },
);

describe("PROG-7: each bad program gets one clear reason, and whether it would fail elsewhere", () => {
  const cases: readonly [string, Job, RegExp, boolean][] = [
    [
      "a script that is missing",
      scriptJob("", {}, { command: ["./nothing.sh"] }),
      /^trial s1-\d+ could not start: there is no program "\.\/nothing\.sh"/,
      false,
    ],
    [
      "a program that is not on the path",
      scriptJob("", {}, { command: ["no-such-language", "x"] }),
      /^trial s1-\d+ could not start: there is no program "no-such-language" on this machine's path$/,
      true,
    ],
    [
      "a script that may not be executed",
      programJob(folder, { "plain.txt": "#!/bin/sh\n" }, { ...fixtureCommand, command: ["./plain.txt"] }),
      /^trial s1-\d+ could not start: "\.\/plain\.txt" may not be executed; `chmod \+x` allows it$/,
      false,
    ],
    [
      "a code other than 0",
      scriptJob("echo 'ValueError: bad shape' >&2; exit 3"),
      /^the program of trial s1-\d+ ended with code 3: ValueError: bad shape$/,
      false,
    ],
    [
      "silence",
      scriptJob("true"),
      /^the program of trial s1-\d+ has no result: it reported nothing; print a line such as score=0\.5$/,
      false,
    ],
    [
      "another metric",
      scriptJob("echo accuracy=1"),
      /has no result: it reported no score, only accuracy$/,
      false,
    ],
    ["a metric that is not a number", scriptJob("echo score=nan"), /has no result: its score is NaN$/, false],
    [
      "a kill from outside",
      scriptJob("kill -9 $$"),
      /^the program of trial s1-\d+ was killed by SIGKILL, by hand or by the system for lack of memory$/,
      true,
    ],
    ["a crash", scriptJob("kill -SEGV $$"), /was killed by SIGSEGV$/, true],
    [
      "Python's own lack of memory",
      scriptJob("echo 'MemoryError: Unable to allocate 8 GiB' >&2; exit 1"),
      /ran out of memory and ended with code 1: MemoryError/,
      false,
    ],
    [
      "a flood",
      scriptJob("yes 'all work and no play makes Jack a dull boy, over and over again'"),
      /wrote more than 64 MiB of output; print less, or write into a file$/,
      false,
    ],
    [
      "a variable that is not set",
      scriptJob("", {}, { command: ["sh", "${envvar:NOT_HERE}"] }),
      /names \$\{envvar:NOT_HERE\}, and NOT_HERE is not set$/,
      false,
    ],
  ];
  for (const [name, job, reason, elsewhere] of cases) {
    test(name, async () => {
      const { end } = await hearJob(runner, job);
      assert.ok(end.kind === "failed", JSON.stringify(end));
      assert.match(end.reason, reason);
      assert.equal(end.retryable, elsewhere);
    });
  }

  test(
    "more memory than it may hold",
    {
      skip:
        process.platform !== "linux" ? "only Linux says what a process holds" : !hasPython && "no python3",
    },
    async () => {
      // Looked at while it fills its memory, it would be found with any part of it. A fork comes with all its pages at
      // once: before there are less than the limit, after it twice as many, and nothing in between.
      const text = `exec python3 -c '
import os, time
held = bytes(range(256)) * (100 << 12)
os.fork()
time.sleep(3600)'`;
      const { end } = await hearJob(runner, scriptJob(text, { memoryMiB: 160 }));
      assert.ok(end.kind === "failed", JSON.stringify(end));
      assert.match(end.reason, /held 2[0-3]\d MiB of memory, and may hold 160 MiB$/);
    },
  );
});

test("PROG-8: of a flood of lines so many are kept, and what is left out is said", async () => {
  const text = 'i=0; while [ $i -lt 10000 ]; do i=$((i+1)); echo "line $i"; done; sleep 1.1; echo score=1';
  const { end, lines } = await hearJob(runner, scriptJob(text));
  assert.equal(end.kind, "finished");
  assert.ok(lines.length < 5_000, `${lines.length} lines`);
  assert.match(
    lines.join("\n"),
    /\(\d+ lines left out: more than 200 in a second\)\nline 9951\n[^(]*line 10000\nscore=1$/,
  );
});

test(
  "PROG-9: an agent killed with SIGKILL leaves no program behind",
  { skip: !existsSync("/proc/self/task") && "needs /proc" },
  async () => {
    const job = scriptJob('echo "pid=$$ score=1"; sleep 60');
    const pid = await pidOfKilledAgent(job);
    await gone(pid);
  },
);

/** What MLflow's client sends for `log_metric`, `log_param`, `set_tag` and autolog's batches, by the standard library alone. */
const mlflowScript = `
import json, os, time, urllib.request, urllib.error
base = os.environ["MLFLOW_TRACKING_URI"]
def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + "/api/2.0/mlflow/" + path, data, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))
experiment = call("experiments/get-by-name?experiment_name=Default")["experiment"]["experiment_id"]
run = call("runs/create", {"experiment_id": experiment, "start_time": 0, "tags": []})["run"]["info"]["run_id"]
call("runs/log-parameter", {"run_id": run, "key": "depth", "value": "3"})
call("runs/set-tag", {"run_id": run, "key": "kind", "value": "forest"})
for step in range(3):
    call("runs/log-metric", {"run_id": run, "key": "score", "value": step / 10, "timestamp": 0, "step": step})
    print(f"score={step / 10}", flush=True)
call("runs/log-batch", {"run_id": run, "metrics": [{"key": "training_loss", "value": 2.5, "timestamp": 0, "step": 40}], "params": [], "tags": []})
call("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1})
request = urllib.request.Request(os.environ["TRIALMESH_REPORT_URL"], json.dumps({"posted": 7}).encode())
urllib.request.urlopen(request).read()
try:
    urllib.request.urlopen(base.rsplit("/", 1)[0] + "/guess/api/2.0/mlflow/runs/search")
except urllib.error.HTTPError as error:
    print("without the secret", error.code, flush=True)
`;

test(
  "PROG-10: MLflow's calls and posted JSON arrive as metrics, curve and log, behind a secret path",
  { skip: !hasPython && "no python3" },
  async () => {
    const program = { ...fixtureCommand, command: ["${interpreter}", "run.py"] };
    const { end, events, lines } = await hearJob(
      runner,
      programJob(folder, { "run.py": mlflowScript }, program),
    );
    assert.ok(end.kind === "finished", JSON.stringify(end));
    assert.deepEqual(end.metrics, { score: 0.2, training_loss: 2.5, posted: 7 });
    assert.equal(events.filter(({ kind }) => kind === "epoch").length, 3, "printed and logged counts once");
    const points = events.flatMap((event) => (event.kind === "point" ? [[event.step, event.metrics]] : []));
    assert.deepEqual(points, [[40, { training_loss: 2.5 }]]);
    for (const line of ["mlflow param: depth = 3", "mlflow tag: kind = forest", "without the secret 404"])
      assert.ok(lines.includes(line), lines.join("\n"));
  },
);
