/**
 * `npm run bench -- dispatch [--json]`: durable no-op trials per second through the whole of trialmesh, beside BullMQ on a Redis that flushes
 * every write, and trials that leave a checkpoint of their own each, in turns on the same machine. Not a test: it holds to no figure.
 */
import { mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { benchFolder } from "./shared/bench-folder.ts";
import { median } from "./shared/median.ts";
import { openMeshLane, type MeshRound } from "./dispatch/mesh-lane.ts";
import { openPeerLane, type PeerLane } from "./dispatch/peer-lane.ts";

interface Round extends MeshRound {
  /** Trials with a checkpoint of their own. */
  readonly kept: MeshRound | null;
  readonly peerPerSecond: number | null;
}

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    trials: { type: "string", default: "10000" },
    rounds: { type: "string", default: "5" },
    /** Trials the agent runs at a time. */
    slots: { type: "string", default: "400" },
    /** Jobs the peer runs at a time. */
    concurrency: { type: "string", default: "400" },
    /** How many numbers of its own a trial's checkpoint has, 4 bytes each beside 500 of its head; 0 leaves these rounds out. */
    numbers: { type: "string", default: "64" },
    /** Folder for CPU profiles of coordinator and agent. */
    profile: { type: "string" },
    peer: { type: "boolean", default: true },
    /** `--no-tls`: what encryption costs, beside a run with it. */
    tls: { type: "boolean", default: true },
  },
  allowNegative: true,
});
const trials = wholeNumber("trials", values.trials);
const rounds = wholeNumber("rounds", values.rounds);
const slots = wholeNumber("slots", values.slots);
const numbers = values.numbers === "0" ? 0 : wholeNumber("numbers", values.numbers);
const peerConcurrency = wholeNumber("concurrency", values.concurrency);
/** Enough for the engines' compilers to have seen the whole path. */
const warmUpTrials = Math.min(trials, 5_000);

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} takes a whole number above 0, not "${text}"`);
  process.exit(2);
}

function say(line: string): void {
  console.error(line);
}

mkdirSync(benchFolder, { recursive: true });
const folder = mkdtempSync(join(benchFolder, "run-"));
let peer: PeerLane | null = null;
const closing: (() => Promise<void>)[] = [];
try {
  if (values.peer) {
    const opened = await openPeerLane(folder, peerConcurrency, say);
    if (opened.ok) {
      peer = opened.value;
      closing.push(() => opened.value.close());
    } else {
      say(`the peer is left out: ${opened.refusal.message}`);
    }
  }
  const mesh = await openMeshLane({ folder, slots, tls: values.tls, profile: values.profile ?? null, say });
  closing.push(() => mesh.close());
  await mesh.round(warmUpTrials);
  if (numbers > 0) await mesh.round(warmUpTrials, numbers);
  await peer?.round(warmUpTrials);
  const done: Round[] = [];
  for (let round = 1; round <= rounds; round++) {
    const ours = await mesh.round(trials);
    const kept = numbers === 0 ? null : await mesh.round(trials, numbers);
    const theirs = (await peer?.round(trials)) ?? null;
    done.push({ ...ours, kept, peerPerSecond: theirs });
    say(
      `round ${round}: trialmesh ${Math.round(ours.trialsPerSecond)} trials/s (p50 ${ours.p50Ms.toFixed(0)} ms from offer to settled)` +
        (kept === null ? "" : `, ${Math.round(kept.trialsPerSecond)} with a checkpoint each`) +
        (theirs === null ? "" : `, BullMQ ${Math.round(theirs)} jobs/s`),
    );
    sayProcessorTime("processor time per trial", ours);
    if (kept !== null) sayProcessorTime("with a checkpoint each", kept);
  }
  report(done);
} finally {
  for (const close of closing.toReversed()) await close();
  rmSync(folder, { recursive: true, force: true });
}

function sayProcessorTime(what: string, { processorUs }: MeshRound): void {
  const parts = Object.entries(processorUs).map(([part, us]) => `${part} ${us}`);
  if (parts.length > 0) say(`  ${what} in µs: ${parts.join(", ")}`);
}

function report(done: readonly Round[]): void {
  const trialsPerSecond = median(done.map((round) => round.trialsPerSecond));
  const theirs = done.flatMap((round) => (round.peerPerSecond === null ? [] : [round.peerPerSecond]));
  const peerPerSecond = theirs.length === 0 ? null : median(theirs);
  const kept = done.flatMap((round) => round.kept ?? []);
  const checkpointsPerSecond = kept.length === 0 ? null : median(kept.map((round) => round.trialsPerSecond));
  const ratio = peerPerSecond === null ? null : trialsPerSecond / peerPerSecond;
  const result = {
    trialsPerSecond: rounded(trialsPerSecond, 1),
    checkpointsPerSecond: checkpointsPerSecond === null ? null : rounded(checkpointsPerSecond, 1),
    peerPerSecond: peerPerSecond === null ? null : rounded(peerPerSecond, 1),
    ratio: ratio === null ? null : rounded(ratio, 3),
    p50Ms: rounded(median(done.map((round) => round.p50Ms)), 1),
    trials,
    rounds: done.map((round) => ({
      trialsPerSecond: rounded(round.trialsPerSecond, 1),
      seconds: rounded(trials / round.trialsPerSecond, 3),
      checkpointsPerSecond: round.kept === null ? null : rounded(round.kept.trialsPerSecond, 1),
      checkpointProcessorUs: round.kept?.processorUs ?? null,
      peerPerSecond: round.peerPerSecond === null ? null : rounded(round.peerPerSecond, 1),
      ratio: round.peerPerSecond === null ? null : rounded(round.trialsPerSecond / round.peerPerSecond, 3),
      p50Ms: rounded(round.p50Ms, 1),
      processorUs: round.processorUs,
    })),
    slots,
    numbers,
    peerConcurrency,
    cores: cpus().length,
    cpuModel: cpus()[0]?.model ?? "unknown",
  };
  if (values.json) {
    console.log(JSON.stringify(result));
    return;
  }
  console.log(
    `trialmesh  ${Math.round(trialsPerSecond)} durable no-op trials/s (median of ${done.length} rounds of ${trials}, ${slots} slots)`,
  );
  if (checkpointsPerSecond !== null)
    console.log(
      `           ${Math.round(checkpointsPerSecond)} a second where each leaves a checkpoint of its own`,
    );
  if (peerPerSecond !== null && ratio !== null)
    console.log(
      `BullMQ     ${Math.round(peerPerSecond)} durable no-op jobs/s (appendfsync always, concurrency ${peerConcurrency}); ratio ${ratio.toFixed(2)}`,
    );
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
