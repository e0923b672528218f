/** Five hundred trials, one after another in two slots: memory, handles and child processes stay what they were. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { heldMiB } from "../../system/held-memory.ts";
import { machineRunner } from "../../agent/child/machine-runner.ts";
import type { Job, RunnerEvent } from "../../agent/runner/runner.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { declarationOf } from "../../data/declaration/shorthand.ts";

const trials = 500;
const slots = 2;
/** Warm-up of engines and caches is over by then. */
const settledAfter = 150;
const folder = mkdtempSync(join(tmpdir(), "trialmesh-endurance-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

async function fewRows(): Promise<string> {
  for (const name of ["train", "dev"]) {
    const lines = ["even", "odd"].flatMap((label) =>
      Array.from("abcdefghijklmnop", (letter) => `${label} ${label}${letter} ${name}${letter}${label}`),
    );
    writeFileSync(join(folder, `${name}.txt`), `${lines.join("\n")}\n`);
  }
  const declaration = declarationOf({
    format: "labelled-lines",
    name: "few-rows",
    train: join(folder, "train.txt"),
    dev: join(folder, "dev.txt"),
  });
  const built = await buildDataset(declaration, { workDir: folder });
  return built.ok ? built.value.path : assert.fail(built.refusal.message);
}

function jobOf(fence: number, datasetPath: string): Job {
  return {
    fence,
    trial: `s1-${fence}`,
    task: fence % 2 === 0 ? "text-classification" : "noop",
    model: fence % 2 === 0 ? "linear" : "noop",
    params: fence % 2 === 0 ? { lr: 1 } : { x: 0.5 },
    seed: fence,
    backend: fence % 2 === 0 ? "sparse" : "none",
    datasetPath: fence % 2 === 0 ? datasetPath : null,
    parts: {},
    program: null,
    fromCheckpointPath: null,
    fromResource: 0,
    targetResource: 1,
    checkpointDir: join(folder, "work"),
    memoryMiB: 1024,
  };
}

interface Sample {
  readonly held: number;
  readonly ofChildren: number;
  readonly handles: number;
  readonly children: number;
}

test(
  `RUN-20: ${trials} trials leave memory, handles and processes as they were`,
  { skip: !existsSync("/proc/self/fd") && "needs /proc" },
  async () => {
    const datasetPath = await fewRows();
    const runner = machineRunner({
      slots,
      machine: { cores: slots, gpus: 0 },
      environment: process.env,
      interpreter: "python3",
    });
    const samples: Sample[] = [];
    const sample = (): void => {
      const pids = runner.processes();
      samples.push({
        held: process.memoryUsage().heapUsed / 2 ** 20,
        ofChildren: pids.reduce((sum, pid) => sum + (heldMiB(pid) ?? 0), 0),
        handles: readdirSync("/proc/self/fd").length,
        children: pids.length,
      });
    };
    let next = 0;
    let ended = 0;
    const failures: string[] = [];
    await new Promise<void>((resolve) => {
      const start = (): void => {
        if (next < trials) runner.start(jobOf(++next, datasetPath));
      };
      runner.onEvent((event: RunnerEvent) => {
        if (event.kind === "failed") failures.push(event.reason);
        if (event.kind !== "failed" && event.kind !== "finished") return;
        ended++;
        if (ended >= settledAfter && ended % 50 === 0) sample();
        if (ended === trials) resolve();
        else start();
      });
      for (let slot = 0; slot < slots; slot++) start();
    });
    await runner.close();
    assert.deepEqual(failures, []);
    const [first] = samples;
    const last = samples.at(-1);
    assert.ok(first !== undefined && last !== undefined && samples.length >= 7);
    const told = JSON.stringify(samples);
    assert.ok(
      samples.every(({ children }) => children <= slots),
      told,
    );
    assert.ok(last.handles <= first.handles + 4, told);
    assert.ok(last.held < first.held + 64, told);
    assert.ok(last.ofChildren < first.ofChildren * 1.5 + 64, told);
    assert.deepEqual(runner.processes(), [], "none is left after the end");
  },
);
