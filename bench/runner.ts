/**
 * `npm run bench -- runner [--starts N] [--json]`: how long a trial waits for its process, from `runner.start` to the moment
 * before its first step, in a child that is warm and in one that has to be started, on each backend that works here.
 */
import { cpus, tmpdir } from "node:os";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { probeBackend } from "../agent/capability/backend-probe.ts";
import { childRunner } from "../agent/child/child-runner.ts";
import type { Job, Runner } from "../agent/runner/runner.ts";
import { backendPreference } from "../training/runtime/open.ts";
import { models } from "../training/catalog/model-catalog.ts";
import { buildDataset } from "../data/version/build-dataset.ts";
import { declarationOf } from "../data/declaration/shorthand.ts";
import type { BackendName } from "../protocol/capability.ts";
import { quantile } from "../numeric/quantile.ts";
import { median } from "./shared/median.ts";
import { valueOf } from "./shared/value-of.ts";

const coldRounds = 3;
const rows = 64;
const memoryMiB = 4_096;

interface Started {
  readonly backend: string;
  readonly model: string;
  readonly coldMs: number;
  readonly warmMs: number;
  readonly warmMs99: number;
}

const { values } = parseArgs({
  options: { json: { type: "boolean", default: false }, starts: { type: "string", default: "100" } },
});
const starts = Math.max(2, Math.round(Number(values.starts)) || 100);
const folder = mkdtempSync(join(tmpdir(), "trialmesh-bench-runner-"));
// Few rows: what a trial waits for is measured, not how long it trains.
// In letters: texts that differ only in digits count as one.
const word = (row: number) => [...String(row)].map((digit) => "abcdefghij"[Number(digit)]).join("");
for (const [index, name] of ["train", "dev"].entries()) {
  const lines = Array.from(
    { length: rows },
    (_, row) => `${row % 2 === 0 ? "even" : "odd"} ${word(row)} ${name} ${word(row * 7 + index)}`,
  );
  writeFileSync(join(folder, `${name}.txt`), `${lines.join("\n")}\n`);
}
const declaration = declarationOf({
  format: "labelled-lines",
  name: "few-rows",
  train: join(folder, "train.txt"),
  dev: join(folder, "dev.txt"),
  test: undefined,
  labels: undefined,
});
const datasetPath = valueOf(await buildDataset(declaration, { workDir: folder })).path;
let fence = 0;

function jobOf(backend: BackendName, model: string): Job {
  return {
    fence: ++fence,
    trial: `s1-${fence}`,
    task: "text-classification",
    model,
    params: {},
    seed: 1,
    backend,
    datasetPath,
    parts: {},
    program: null,
    fromCheckpointPath: null,
    fromResource: 0,
    targetResource: 1,
    checkpointDir: join(folder, "work"),
    memoryMiB,
  };
}

/** Runs the job to its end; ms until it was ready for its first step. */
function startOf(runner: Runner, job: Job): Promise<number> {
  return new Promise((resolve, reject) => {
    let startedMs = Number.NaN;
    const from = performance.now();
    runner.onEvent((event) => {
      if (event.fence !== job.fence) return;
      if (event.kind === "started") startedMs = performance.now() - from;
      if (event.kind === "finished") resolve(startedMs);
      if (event.kind === "failed") reject(new Error(event.reason));
    });
    runner.start(job);
  });
}

async function measure(backend: BackendName, model: string): Promise<Started> {
  const cold: number[] = [];
  const warm: number[] = [];
  for (let round = 1; round <= coldRounds; round++) {
    const runner = childRunner({ slots: 1, trialsPerChild: starts + 1 });
    cold.push(await startOf(runner, jobOf(backend, model)));
    const more = round === coldRounds ? starts : 0;
    for (let count = 0; count < more; count++) warm.push(await startOf(runner, jobOf(backend, model)));
    await runner.close();
  }
  return {
    backend,
    model,
    coldMs: rounded(median(cold)),
    warmMs: rounded(median(warm)),
    warmMs99: rounded(quantile(warm, 0.99)),
  };
}

function rounded(ms: number): number {
  return Number(ms.toFixed(2));
}

/** The first text model that runs on it. */
function modelOn(backend: BackendName): string | null {
  const found = models.find(({ backends, data }) => data === "text" && backends.includes(backend));
  return found?.model ?? null;
}

try {
  const done: Started[] = [];
  for (const backend of backendPreference) {
    const model = modelOn(backend);
    if (model === null || backend === "none") continue;
    const { reason, works } = await probeBackend(backend);
    if (!works) {
      if (!values.json) console.log(`${backend}: left out (${reason ?? "it does not work here"})`);
      continue;
    }
    const measured = await measure(backend, model);
    done.push(measured);
    if (!values.json)
      console.log(
        `${backend} (${model}): cold ${measured.coldMs} ms, warm ${measured.warmMs} ms (99th percentile ${measured.warmMs99} ms of ${starts})`,
      );
  }
  // Of all backends the slowest: what is promised holds for each.
  const warmMs = Math.max(...done.map((one) => one.warmMs));
  const coldMs = Math.max(...done.map((one) => one.coldMs));
  const cpuModel = cpus()[0]?.model ?? "unknown";
  if (values.json) console.log(JSON.stringify({ warmMs, coldMs, starts, backends: done, cpuModel }));
  else console.log(`from lease to first step: warm ${warmMs} ms, cold ${coldMs} ms, on the slowest backend`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
