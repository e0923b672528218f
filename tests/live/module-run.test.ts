/** Modules of requesters in a child of the agent's: what they are given, how they stop and go on, what each bad one gets. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, describe } from "node:test";
import { projectFolder } from "../../training/version/code-version.ts";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import type { Job } from "../../agent/runner/runner.ts";
import type { ModuleProgram } from "../../protocol/program.ts";
import { hearJob, programJob } from "../support/program-job.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-module-"));
const runner = machineRunner({
  slots: 1,
  machine: { cores: 1, gpus: 0 },
  environment: { ...process.env, SECRET_OF_THE_AGENT: "s3cret" },
  interpreter: "python3",
});
after(async () => {
  await runner.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function moduleJob(text: string, more: Partial<Job> = {}, change: Partial<ModuleProgram> = {}): Job {
  const program: ModuleProgram = {
    kind: "module",
    bundle: "0".repeat(64),
    objectives: [{ metric: "score", keep: "last" }],
    fullLength: null,
    entry: "train.ts",
    ...change,
  };
  return programJob(
    folder,
    { "train.ts": text, "part/helper.ts": "export const half = (x: number) => x / 2;" },
    program,
    more,
  );
}

test("MODULE-1: it gets parameters, a seeded random and its backend, and nothing of the agent's environment", async () => {
  const text = `import { half } from "./part/helper.ts";
export async function train(context) {
  console.log(JSON.stringify([context.params, context.seed, context.backend, context.tf, process.env.SECRET_OF_THE_AGENT ?? null]));
  await context.report({ score: half(context.params.x), draw: context.random() });
}`;
  const one = await hearJob(runner, moduleJob(text, { params: { x: 3 } }));
  const two = await hearJob(runner, moduleJob(text, { params: { x: 3 } }));
  assert.ok(one.end.kind === "finished" && two.end.kind === "finished", JSON.stringify(one.end));
  assert.equal(one.end.metrics["score"], 1.5);
  assert.equal(one.end.metrics["draw"], two.end.metrics["draw"], "the same seed draws the same");
  assert.deepEqual(one.lines, ['[{"x":3},7,"none",null,null]']);
});

test("MODULE-1: of many lines so many are kept, the last ones among them, and how many are left out is said", async () => {
  const text = `export async function train(context) {
  for (let line = 1; line <= context.params.lines; line++) console.log("line " + line);
  if (context.params.dies) {
    await new Promise((written) => process.stdout.write("", written));
    process.kill(process.pid, "SIGKILL");
  }
  await context.report({ score: 1 });
}`;
  for (const dies of [false, true]) {
    const { end, lines } = await hearJob(runner, moduleJob(text, { params: { lines: 5_000, dies } }));
    assert.equal(end.kind, dies ? "failed" : "finished");
    const leftOut = lines.flatMap((line) => /^\((\d+) lines left out/.exec(line)?.[1] ?? []);
    const told = lines.filter((line) => line.startsWith("line "));
    assert.ok(leftOut.length > 0, "it is said");
    const all = told.length + leftOut.reduce((sum, count) => sum + Number(count), 0);
    assert.equal(all, 5_000);
    assert.equal(told.at(-1), "line 5000");
  }
  const few = await hearJob(runner, moduleJob(text, { params: { lines: 150, dies: false } }));
  assert.equal(few.lines.length, 150);
});

test("MODULE-2: at a rung it stops without doing anything for it, and goes on from its checkpoint", async () => {
  const text = readFileSync(join(projectFolder, "examples", "module", "train.ts"), "utf8");
  const change = { fullLength: 6, objectives: [{ metric: "accuracy", keep: "last" }] } as const;
  const params = { rate: 0.1, noise: 6 };
  const job = (more: Partial<Job>) =>
    moduleJob(text, { params, ...more }, { ...change, objectives: [...change.objectives] });
  const first = await hearJob(runner, job({ targetResource: 2 }));
  assert.ok(first.end.kind === "finished", JSON.stringify(first.end));
  assert.equal(first.end.resource, 2);
  const second = await hearJob(
    runner,
    job({ targetResource: 6, fromResource: 2, fromCheckpointPath: first.end.path }),
  );
  assert.ok(second.end.kind === "finished", JSON.stringify(second.end));
  assert.deepEqual(
    second.events.flatMap((event) => (event.kind === "epoch" ? [event.resource] : [])),
    [3, 4, 5, 6],
  );
  assert.ok((second.end.metrics["accuracy"] ?? 0) > 0.6);
});

test("MODULE-3: asked to stop it ends at its next report with what it kept; TensorFlow.js is there where it asks for it", async () => {
  const text = `export async function train(context) {
  const { tf } = context;
  for (let epoch = context.done; ; epoch++) {
    const [value] = tf.square(tf.tensor1d([epoch])).dataSync();
    context.checkpoint(Uint8Array.of(epoch));
    await context.report({ score: value });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}`;
  const job = moduleJob(text, { backend: "cpu" });
  const { end } = await hearJob(runner, job, (event) => {
    if (event.kind === "epoch" && event.resource === 3) runner.stop(job.fence, "checkpoint");
  });
  assert.ok(end.kind === "stopped" && end.path !== null, JSON.stringify(end));
});

describe("MODULE-4: each bad module gets one clear reason, and is not tried again", () => {
  for (const [name, text, reason] of [
    ["it does not parse", "export function train( {", /could not start: train\.ts does not load: /],
    [
      "it exports something else",
      "export const trian = 1;",
      /train\.ts exports no function train\(context\)$/,
    ],
    [
      "it throws",
      "export function train() { throw new RangeError('bad shape'); }",
      /^the module of trial s1-\d+ threw: bad shape$/,
    ],
    ["it reports nothing", "export function train() {}", /has no result: it reported nothing/],
    [
      "it reports NaN",
      "export async function train(c) { await c.report({ score: NaN }); }",
      /has no result: its score is NaN$/,
    ],
    [
      "it reports a text",
      "export async function train(c) { await c.report({ score: '1' }); }",
      /reported score as string, not a number$/,
    ],
  ] as const) {
    test(name, async () => {
      const { end } = await hearJob(runner, moduleJob(text));
      assert.ok(end.kind === "failed", JSON.stringify(end));
      assert.match(end.reason, reason);
      assert.equal(end.retryable, false);
    });
  }

  test(
    "it holds more memory than it may",
    { skip: process.platform !== "linux" && "only Linux says what a process holds" },
    async () => {
      const text = `export async function train() {
  const held = Buffer.alloc(400 << 20, 1);
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
  console.log(held.length);
}`;
      const { end } = await hearJob(runner, moduleJob(text, { memoryMiB: 256 }));
      assert.ok(end.kind === "failed", JSON.stringify(end));
      assert.match(end.reason, /holds \d+ MiB of memory and may hold 256 MiB$/);
    },
  );
});
