/**
 * BullMQ on a Redis that flushes every write before it answers: the durable lane of a job queue people use.
 * Its packages are installed beside the project, not into it; where they or Redis cannot be had, it says so.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { claimPort } from "../../mesh/port.ts";
import { runCommand } from "../../mesh/outside-command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { benchFolder } from "../shared/bench-folder.ts";
import { ChildProgram } from "../shared/child-program.ts";
import { findRedis } from "./find-redis.ts";

export interface PeerLane {
  /** Jobs per second, from the first added to the last completed. */
  round(jobs: number): Promise<number>;
  close(): Promise<void>;
}

/** Exact, so that a figure can be had again. */
const packages = ["bullmq@6.7.0", "ioredis@5.11.1"];
const installTimeoutMs = 180_000;
const loopback = "127.0.0.1";

export async function openPeerLane(
  folder: string,
  concurrency: number,
  say: (line: string) => void,
): Promise<Outcome<PeerLane>> {
  const redis = await findRedis(say);
  if (!redis.ok) return redis;
  const installed = await installPackages(say);
  if (!installed.ok) return installed;
  const port = await claimPort(loopback, 0);
  if (!port.ok) return port;
  const data = join(folder, "redis");
  mkdirSync(data);
  const settings = {
    bind: loopback,
    port: port.value,
    dir: data,
    appendonly: "yes",
    appendfsync: "always",
    save: "",
  };
  const server = new ChildProgram(
    redis.value.program,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    redis.value.environment,
  );
  await server.line(/Ready to accept connections/);
  // Beside the packages, for that is where an import is looked up from.
  const program = join(benchFolder, "bullmq-round.mjs");
  copyFileSync(join(projectFolder, "bench", "dispatch", "bullmq-round.mjs"), program);
  let round = 0;
  return accept({
    async round(jobs) {
      const words = [program, String(port.value), `queue-${++round}`, String(jobs), String(concurrency)];
      const run = new ChildProgram(process.execPath, words);
      const found = await run.line(/^jobs\/s ([\d.]+)$/);
      await run.ended;
      return Number(found[1]);
    },
    close: () => server.stop(),
  });
}

async function installPackages(say: (line: string) => void): Promise<Outcome<null>> {
  const mark = join(benchFolder, `installed-${packages.join("-")}`);
  if (existsSync(mark)) return accept(null);
  say(`installing ${packages.join(" and ")} into .cache/bench (once)`);
  writeFileSync(join(benchFolder, "package.json"), '{ "private": true }\n');
  const words = ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", benchFolder, ...packages];
  const done = await runCommand("npm", words, { cwd: benchFolder, timeoutMs: installTimeoutMs });
  if (!done.ok) return done;
  writeFileSync(mark, "");
  return accept(null);
}
