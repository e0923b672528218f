/**
 * `npm run bench -- price [--json]`: what the same four trials cost on three agents of one machine, of which one was probed while
 * programs that only count took every processor twice over; and what they cost there once it is measured again. Needs a machine that has nothing else to do.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { probeBackend } from "../agent/capability/backend-probe.ts";
import { othersShareMeter } from "../agent/capability/others-share.ts";
import { childRunner } from "../agent/child/child-runner.ts";
import type { Job, Runner } from "../agent/runner/runner.ts";
import type { BackendName } from "../protocol/capability.ts";
import { clampRate, priceOf } from "../protocol/token.ts";
import { models } from "../training/catalog/model-catalog.ts";
import { wordsDataset } from "./price/words-dataset.ts";
import { median } from "./shared/median.ts";

interface Work {
  readonly backend: BackendName;
  readonly model: string;
  readonly epochs: number;
}

const task = "text-classification";
const works: readonly Work[] = [
  { backend: "sparse", model: "fasttext", epochs: 4 },
  { backend: "wasm", model: "textcnn", epochs: 2 },
];
const trials = 4;
const tries = 3;
const busyEach = 2;
const memoryMiB = 4_096;

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const folder = mkdtempSync(join(tmpdir(), "trialmesh-bench-price-"));
let fence = 0;

interface Claim {
  readonly rate: number;
  readonly load: number;
}

async function claimOf({ backend, model }: Work): Promise<Claim> {
  const kind = `${task}/${model}`;
  const { measured, reason } = await probeBackend(backend, { kinds: [kind] });
  const [found] = measured;
  const reference = models.find((one) => one.task === task && one.model === model)?.reference
    ?.examplesPerSecond;
  if (found === undefined || reference === undefined)
    throw new Error(`${kind} on ${backend}: ${reason ?? "not measured"}`);
  return { rate: clampRate(found.examplesPerSecond / reference), load: found.load };
}

async function underLoad<T>(run: () => Promise<T>): Promise<T> {
  const busy = Array.from({ length: busyEach * availableParallelism() }, () =>
    spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
  );
  try {
    return await run();
  } finally {
    for (const one of busy) one.kill("SIGKILL");
  }
}

/** What it used, ms, as its lease would be charged. */
function usedBy(runner: Runner, job: Job): Promise<number> {
  return new Promise((resolve, reject) => {
    runner.onEvent((event) => {
      if (event.fence !== job.fence) return;
      if (event.kind === "finished") resolve(event.usedMs);
      if (event.kind === "failed") reject(new Error(event.reason));
    });
    runner.start(job);
  });
}

/**
 * By agent, what its four trials used together, ms. One after the other, so that what the machine does meanwhile meets all alike; of each
 * the shortest of a few, for others make it longer and never shorter.
 */
async function usedOnEach(work: Work, datasetPath: string, agents: number): Promise<number[]> {
  const runners = Array.from({ length: agents }, () => childRunner({ slots: 1 }));
  const used = runners.map(() => Array.from({ length: trials }, () => Infinity));
  // The first round only starts their processes.
  for (let round = -1; round < tries * trials; round++) {
    for (const [agent, runner] of runners.entries()) {
      const trial = Math.max(0, round) % trials;
      const ms = await usedBy(runner, jobOf(work, trial, datasetPath));
      const best = used[agent];
      if (round >= 0 && best !== undefined) best[trial] = Math.min(best[trial] ?? Infinity, ms);
    }
  }
  for (const runner of runners) await runner.close();
  return used.map((each) => each.reduce((sum, ms) => sum + ms, 0));
}

function jobOf({ backend, epochs, model }: Work, seed: number, datasetPath: string): Job {
  fence++;
  return {
    ...{ fence, trial: `s1-${fence}`, task, model, params: {}, seed, backend, datasetPath },
    ...{ parts: {}, program: null, fromCheckpointPath: null, fromResource: 0, targetResource: epochs },
    ...{ checkpointDir: join(folder, `work-${fence}`), memoryMiB },
  };
}

async function measure(work: Work, datasetPath: string) {
  const quiet = [await claimOf(work), await claimOf(work)];
  const loaded = await underLoad(() => claimOf(work));
  const again = await claimOf(work);
  const others = othersShareMeter();
  const used = await usedOnEach(work, datasetPath, 3);
  const rates = [...quiet.map(({ rate }) => rate), loaded.rate];
  const prices = used.map((ms, agent) => priceOf(ms, rates[agent] ?? 0));
  const typical = median(prices.slice(0, quiet.length));
  const ratio = (rate: number) => Number((priceOf(used[2] ?? 0, rate) / typical).toFixed(3));
  return {
    backend: work.backend,
    model: work.model,
    load: Number(loaded.load.toFixed(2)),
    rates: [...rates, again.rate].map((rate) => Number(rate.toFixed(3))),
    usedMs: used.map(Math.round),
    /** What the agent that was probed under load takes for the same, over what the others do. */
    loadedRatio: ratio(loaded.rate),
    againRatio: ratio(again.rate),
    /** What others and the trials themselves had of the processors meanwhile. */
    busy: Number((others() ?? 0).toFixed(2)),
  };
}

try {
  const datasetPath = await wordsDataset(folder);
  const found: Awaited<ReturnType<typeof measure>>[] = [];
  for (const work of works) {
    const one = await measure(work, datasetPath);
    found.push(one);
    if (!values.json)
      console.log(
        `${one.backend} (${one.model}): probed while others used ${Math.round(100 * one.load)}%, the same ${trials} trials cost ${one.loadedRatio} of what they do elsewhere; measured again, ${one.againRatio}`,
      );
  }
  if (values.json) {
    const ratios = (pick: "againRatio" | "loadedRatio") => found.map((one) => one[pick]);
    const worst = (all: readonly number[]) => Math.max(...all.map((one) => Math.max(one, 1 / one)));
    console.log(
      JSON.stringify({
        priceLoadedWorst: Number(worst(ratios("loadedRatio")).toFixed(3)),
        priceAgainWorst: Number(worst(ratios("againRatio")).toFixed(3)),
        found,
      }),
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
