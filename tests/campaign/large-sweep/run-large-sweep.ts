/**
 * A sweep of the no-op model whose trials nearly all wait at their first rung is stopped, and the mesh is taken down and brought
 * up again in the middle of that: real server, coordinator, agent and command line. What it says was measured on the way.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { LiveMesh, valueOf } from "../../support/live-mesh.ts";
import { until } from "../../support/until.ts";
import { sizeOfJournal, type JournalSize } from "./journal-size.ts";

export interface LargeSweepOptions {
  readonly trials: number;
  /** So many wait when the sweep is stopped. */
  readonly paused: number;
  readonly slots: number;
  /** One in so many goes on from the first rung. */
  readonly eta: number;
  readonly say: (line: string) => void;
}

export interface LargeSweepReport extends Omit<JournalSize, "state"> {
  readonly pausedWhenStopped: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly seconds: Readonly<Record<"run" | "stop" | "down" | "up" | "rest" | "next", number>>;
  /** Of either coordinator, resident. */
  readonly coordinatorPeakMiB: number;
}

const leaseMs = 60_000;

export async function runLargeSweep(options: LargeSweepOptions): Promise<LargeSweepReport> {
  const mesh = new LiveMesh(leaseMs);
  try {
    return await stoppedInBetween(mesh, options);
  } finally {
    await mesh.close();
  }
}

async function stoppedInBetween(mesh: LiveMesh, options: LargeSweepOptions): Promise<LargeSweepReport> {
  const { paused, say, slots } = options;
  const up = await mesh.up("--port", "0", "--slots", String(slots));
  const [sweep, run] = await timed(async () => {
    const id = await submit(mesh, "large", options);
    await pausedAtLeast(mesh, id, paused, say);
    return id;
  });
  say(`${paused} trials wait after ${run} s`);
  // From this process: a command would take a second to start, and hundreds of trials come to their rung meanwhile.
  const [, stop] = await timed(async () => valueOf(await mesh.client.command("sweep-stop", { sweep })));
  const firstPeak = peakMiB(mesh.partPid("coordinator"));
  const [, down] = await timed(async () => {
    await mesh.ok(LiveMesh.home, "down");
    await up.ended;
  });
  const [, again] = await timed(() => mesh.up("--port", "0", "--slots", String(slots)));
  const [{ summary }, rest] = await timed(() => mesh.ended(sweep));
  assert.equal(summary.state, "stopped");
  // The mesh works: another sweep comes to its end.
  const [, next] = await timed(async () => {
    const id = await submit(mesh, "next", { ...options, trials: slots });
    assert.equal((await mesh.ended(id)).summary.state, "done");
  });
  const coordinatorPeakMiB = Math.max(firstPeak, peakMiB(mesh.partPid("coordinator")));
  const { state, ...size } = await mesh.readJournal(sizeOfJournal);
  assert.equal(state.sweeps.get(sweep)?.state, "stopped");
  const counts = summary.counts;
  assert.deepEqual([counts.paused, counts.queued, counts.running], [0, 0, 0]);
  const seconds = { run, stop, down, up: again, rest, next };
  return { pausedWhenStopped: paused, counts, seconds, coordinatorPeakMiB, ...size };
}

async function submit(
  mesh: LiveMesh,
  name: string,
  options: Pick<LargeSweepOptions, "eta" | "trials">,
): Promise<string> {
  const file = mesh.cli.write(`${name}.yaml`, `${largeSweepText(name, options)}reuse: false\n`);
  const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
  return out.trim();
}

/** Of what both versions know. */
export function largeSweepText(
  name: string,
  { eta, trials }: Pick<LargeSweepOptions, "eta" | "trials">,
): string {
  return `name: ${name}
task: noop
search: {method: random, trials: ${trials}, seed: 1}
stopping: {policy: asha, min: 1, max: 2, eta: ${eta}}
models:
  noop: {x: {distribution: uniform, min: 0, max: 1}, milliseconds: 0}
`;
}

/** However long it takes: the count must only grow. */
async function pausedAtLeast(
  mesh: LiveMesh,
  sweep: string,
  paused: number,
  say: (line: string) => void,
): Promise<void> {
  let told = 0;
  for (let now = 0; now < paused;) {
    const before = now;
    now = await until(`more than ${before} paused trials`, async (note) => {
      const answer = await mesh.client.query("sweep", { sweep, limit: 1 });
      note(answer);
      if (!answer.ok) return null;
      const { counts, state } = answer.value.summary;
      assert.equal(state === "done" || state === "stopped", false, `it ended with ${JSON.stringify(counts)}`);
      return counts.paused > before ? counts.paused : null;
    });
    if (now >= told + paused / 10) say(`${(told = now)} trials wait`);
  }
}

/** Seconds, with two decimals. */
async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const from = performance.now();
  const value = await work();
  return [value, Math.round((performance.now() - from) / 10) / 100];
}

/** The most memory the process ever had; Linux only. */
function peakMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024);
}
