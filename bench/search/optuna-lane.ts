/** One Python child per function and sampler, which proposes; the values are computed here. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { valueSchema } from "../../protocol/value.ts";
import type { BenchFunction } from "./bench-function.ts";
import { Run, runTrials, type Regret } from "./run.ts";

export const peerSamplers = ["random", "tpe", "tpe-group", "gp", "cma-es"] as const;
export type PeerSampler = (typeof peerSamplers)[number];

export interface PeerJob {
  readonly seed: number;
  readonly batch: number;
}

const askSchema = z.object({
  seed: z.int(),
  batch: z.int(),
  ask: z.array(z.record(z.string(), valueSchema)),
});

/** Calls `done` with each run as it ends; throws what the child said last where it failed. */
export async function racePeer(
  python: string,
  sampler: PeerSampler,
  benchFunction: BenchFunction,
  jobs: readonly PeerJob[],
  done: (regret: Regret) => void,
): Promise<void> {
  const program = join(projectFolder, "bench", "search", "optuna_peer.py");
  // Several threads for matrices this small only wait for each other.
  const env = { ...process.env, OMP_NUM_THREADS: "1" };
  const child = spawn(python, [program], { env, stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let complaint = "";
  child.stderr.on("data", (bytes: Buffer) => (complaint = `${complaint}${bytes.toString()}`.slice(-2000)));
  child.stdin.on("error", () => child.kill());
  const write = (value: unknown) => child.stdin.write(`${JSON.stringify(value)}\n`);
  write({ sampler, space: benchFunction.space, trials: runTrials, jobs });
  let run: Run | null = null;
  let told = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { ask, batch, seed } = askSchema.parse(JSON.parse(line));
    run ??= new Run(benchFunction, seed);
    const current = run;
    write(ask.map((params) => current.evaluate(params)));
    told += ask.length;
    if (told < runTrials) continue;
    done(run.regret(batch));
    run = null;
    told = 0;
  }
  const code = await ended;
  if (code !== 0) throw new Error(`Optuna's ${sampler} on ${benchFunction.name} failed: ${complaint.trim()}`);
}
