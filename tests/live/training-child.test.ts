/** Real models in real child processes: they train, fail clearly, and never outlive their agent. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import test, { after } from "node:test";
import { fileURLToPath } from "node:url";
import { artifactName } from "../../artifact/name-artifact.ts";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { childRunner } from "../../agent/child/child-runner.ts";
import type { Job, Runner, RunnerEvent } from "../../agent/runner/runner.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import { until } from "../support/until.ts";
import { versionFile } from "../support/version-file.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-training-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));

const workload = { ...workloadDataset(), test: workloadDataset().train.slice(0, 50) };
const datasetPath = await versionFile(dir, "workload.parquet", workload);

function jobFor(fence: number, more: Partial<Job>): Job {
  return {
    fence,
    trial: `s1-${fence}`,
    task: "text-classification",
    model: "linear",
    params: {},
    seed: 1,
    backend: "sparse",
    datasetPath,
    parts: {},
    program: null,
    fromCheckpointPath: null,
    fromResource: 0,
    targetResource: 1,
    checkpointDir: join(dir, "checkpoints"),
    memoryMiB: 1024,
    ...more,
  };
}

function endOf(runner: Runner, job: Job): Promise<RunnerEvent> {
  return new Promise((resolve) => {
    runner.onEvent((event) => {
      if (event.fence !== job.fence) return;
      if (event.kind === "finished" || event.kind === "failed" || event.kind === "stopped") resolve(event);
    });
    runner.start(job);
  });
}

test("CHILD-1: each model trains in a child, and its file is its digest and predicts", async () => {
  const runner = childRunner({ slots: 2 });
  const cases: Partial<Job>[] = [
    { model: "linear" },
    { model: "fasttext", params: { lr: 4 } },
    { model: "textcnn", backend: "wasm", params: { rowsPerEpoch: 200, batch: 16 } },
  ];
  const ends = await Promise.all(cases.map((more, index) => endOf(runner, jobFor(index + 1, more))));
  await runner.close();
  for (const end of ends) {
    assert.ok(end.kind === "finished", JSON.stringify(end));
    assert.ok("testAccuracy" in end.metrics && "accuracy" in end.metrics && "loss" in end.metrics);
    const bytes = readFileSync(end.path);
    assert.equal(artifactName(bytes), end.digest);
    assert.equal(bytes.length, end.bytes);
    const loaded = await loadModel(bytes);
    assert.ok(loaded.ok && loaded.value.kind === "text");
    assert.equal(loaded.value.predict(["some words"])[0]?.length, workload.labels.length);
  }
});

const empty = { ...workload, train: [...workload.train.slice(0, 9), { text: "  ", label: 1 }] };
const single = { ...workload, train: workload.train.filter((example) => example.label === 2) };
const failures: { rule: string; job: Partial<Job>; reason: RegExp; retryable: boolean }[] = [
  {
    rule: "CHILD-2: one label only",
    job: { datasetPath: await versionFile(dir, "single.parquet", single) },
    reason: /examples of one label only/u,
    retryable: false,
  },
  {
    rule: "CHILD-3: an empty text, with its row",
    job: { datasetPath: await versionFile(dir, "empty.parquet", empty) },
    reason: /row 10 of the train split .* empty text/u,
    retryable: false,
  },
  {
    rule: "CHILD-4: more memory than allowed",
    job: { memoryMiB: 64 },
    reason: /holds \d+ MiB of memory and may hold 64 MiB/u,
    retryable: false,
  },
  {
    rule: "CHILD-5: a dataset file that is gone may be there elsewhere",
    job: { datasetPath: join(dir, "gone") },
    reason: /gone cannot be read/u,
    retryable: true,
  },
  {
    rule: "CHILD-6: a backend the model does not run on",
    job: { backend: "cpu" },
    reason: /model linear runs on sparse, not on "cpu"/u,
    retryable: false,
  },
  {
    rule: "CHILD-7: a mistyped parameter",
    job: { params: { lrr: 1 } },
    reason: /did you mean "lr"/u,
    retryable: false,
  },
];
for (const { rule, job, reason, retryable } of failures) {
  test(`${rule}: fails in one sentence`, async () => {
    const runner = childRunner({ slots: 1 });
    const end = await endOf(runner, jobFor(1, job));
    await runner.close();
    assert.ok(end.kind === "failed", JSON.stringify(end));
    assert.match(end.reason, reason);
    assert.doesNotMatch(end.reason, /\n|\bat \//u);
    assert.equal(end.retryable, retryable);
  });
}

test(
  "CHILD-8: an agent killed with SIGKILL leaves no child behind",
  { skip: !existsSync("/proc/self/task") && "needs /proc" },
  async () => {
    const here = fileURLToPath(import.meta.url);
    const runnerUrl = new URL(`../../agent/child/child-runner${extname(here)}`, import.meta.url).href;
    const job = jobFor(1, {
      task: "noop",
      model: "noop",
      backend: "none",
      datasetPath: null,
      parts: {},
      program: null,
      params: { milliseconds: 20 },
      targetResource: 1_000,
    });
    const program = `
    import { childRunner } from ${JSON.stringify(runnerUrl)};
    const runner = childRunner({ slots: 1 });
    runner.onEvent((event) => { if (event.kind === "epoch" && event.resource === 1) console.log("training"); });
    runner.start(${JSON.stringify(job)});`;
    const agent = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { pid } = agent;
    assert.ok(pid !== undefined);
    await new Promise((resolve) => agent.stdout.once("data", resolve));
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
    assert.equal(children.length, 2, "the child, and the guard that ends it");
    agent.kill("SIGKILL");
    await until(`the end of process ${children.join(", ")}`, () => !children.some(isAlive) || null);
  },
);

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody reaps has ended all the same.
    return !/^State:\s+[ZX]/mu.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
