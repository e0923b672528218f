/**
 * Many small trials on a real mesh, then nothing but time: what retention leaves of them on the disk, by place. Nobody calls `gc`. Its
 * times alone are shortened: the grace by `gc policy`, the coordinator's look by a short lease.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LiveMesh, valueOf } from "../../support/live-mesh.ts";
import { sizesOf, totalOf, type PlaceSizes } from "./place-size.ts";

export interface DiskOptions {
  /** Of all sweeps together. */
  readonly trials: number;
  readonly sweeps: number;
  /** Besides, trials that are programs and write lines. */
  readonly programs: number;
  readonly epochs: number;
  readonly slots: number;
  /** Of the grace between mark and removal. */
  readonly graceMs: number;
  /** For so long at most it is waited until nothing goes any more, which is so where for `stillMs` nothing did. */
  readonly patienceMs: number;
  readonly stillMs: number;
  readonly say: (line: string) => void;
}

export interface DiskReport {
  readonly trials: number;
  readonly seconds: Readonly<Record<"run" | "retention", number>>;
  readonly before: PlaceSizes;
  readonly after: PlaceSizes;
  readonly totalBefore: number;
  readonly totalAfter: number;
  /** What a home may have after 10,000 such trials. */
  readonly limit: number;
  readonly violations: readonly string[];
}

const leaseMs = 1_000;
const lookMs = 2_000;
const limitBytes = 5_000_000_000;
const limitTrials = 10_000;
/** Numbers of 4 bytes in a checkpoint: of one kind that goes with the report, and of one that is stored by itself. */
const numbers = [4_000, 16_000] as const;
const linesOfProgram = 20;

export async function runDisk(options: DiskOptions): Promise<DiskReport> {
  const mesh = new LiveMesh(leaseMs);
  try {
    return await watched(mesh, options);
  } finally {
    await mesh.close();
  }
}

async function watched(mesh: LiveMesh, options: DiskOptions): Promise<DiskReport> {
  const { graceMs, programs, say, slots, sweeps, trials } = options;
  await mesh.up("--port", "0", "--slots", String(slots), "--programs", "any");
  valueOf(await mesh.client.command("retention-set", { graceMs }));
  const home = mesh.homePath(LiveMesh.home);
  const began = performance.now();
  for (let index = 0; index < sweeps; index++) {
    await run(mesh, mesh.cli.write(`s${index}.yaml`, sweepText(index, options)), say);
  }
  if (programs > 0) await run(mesh, programSweep(mesh, programs), say);
  const ran = performance.now();
  const before = sizesOf(home);
  say(`${trials + programs} trials have ended; the home has ${megabytes(totalOf(before))}`);
  const after = await untilStill(home, options);
  const { violations } = await mesh.audit();
  return {
    trials: trials + programs,
    seconds: { run: secondsOf(ran - began), retention: secondsOf(performance.now() - ran) },
    before,
    after,
    totalBefore: totalOf(before),
    totalAfter: totalOf(after),
    limit: limitBytes * Math.max(1, (trials + programs) / limitTrials),
    violations,
  };
}

async function run(mesh: LiveMesh, file: string, say: (line: string) => void): Promise<void> {
  const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
  const sweep = out.trim();
  for (;;) {
    const known = valueOf(await mesh.client.query("sweeps", {})).sweeps.find((one) => one.sweep === sweep);
    if (known?.state === "done") {
      const { completed, failed } = known.counts;
      say(`${sweep}: ${completed} trials completed${failed === 0 ? "" : `, ${failed} failed`}`);
      if (failed > 0) say(await whyFailed(mesh, sweep));
      return;
    }
    assert.notEqual(known?.state, "stopped");
    await sleep(100);
  }
}

async function whyFailed(mesh: LiveMesh, sweep: string): Promise<string> {
  const { trials } = valueOf(await mesh.client.query("sweep", { sweep, limit: 1_000 }));
  const failed = trials.find(({ state }) => state === "failed");
  if (failed === undefined) return "";
  const { attempts, failure } = valueOf(await mesh.client.query("trial", { trial: failed.trial }));
  return `  ${failed.trial}: ${failure ?? ""}; ${attempts.map(({ ending }) => ending).join("; ")}`;
}

async function untilStill(home: string, { patienceMs, say, stillMs }: DiskOptions): Promise<PlaceSizes> {
  const deadline = performance.now() + patienceMs;
  let least = totalOf(sizesOf(home));
  let since = performance.now();
  while (performance.now() < deadline && performance.now() - since < stillMs) {
    await sleep(lookMs);
    const now = totalOf(sizesOf(home));
    // A database grows by a page now and then.
    if (now > least * 0.98) continue;
    say(`${megabytes(now)}`);
    least = now;
    since = performance.now();
  }
  return sizesOf(home);
}

function sweepText(index: number, { epochs, sweeps, trials }: DiskOptions): string {
  const count = Math.floor(trials / sweeps) + (index < trials % sweeps ? 1 : 0);
  return `name: small-${index}
task: noop
search: {method: random, trials: ${count}, seed: ${index + 1}}
stopping: {policy: none, max: ${epochs}}
reuse: false
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, numbers: ${numbers[index % numbers.length] ?? 0}}
`;
}

function programSweep(mesh: LiveMesh, trials: number): string {
  const folder = join(mesh.cli.folder, "program");
  mkdirSync(folder, { recursive: true });
  const line = 'echo "step $i of the run, loss 0.$i"';
  writeFileSync(
    join(folder, "train.sh"),
    `i=0\nwhile [ $i -lt ${linesOfProgram} ]; do i=$((i+1)); ${line}; done\necho "score=\${1#*=}"\n`,
  );
  const file = join(folder, "sweep.yaml");
  writeFileSync(
    file,
    `name: programs
command: [sh, train.sh, "\${args}"]
objective: {metric: score, goal: maximize}
search: {method: random, trials: ${trials}, seed: 1}
parameters: {x: {distribution: uniform, min: 0, max: 1}}
`,
  );
  return file;
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function secondsOf(ms: number): number {
  return Math.round(ms / 100) / 10;
}
