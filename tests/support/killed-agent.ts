/** A runner in a process of its own that is killed with SIGKILL while its job runs: for what such a kill may leave behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Job } from "../../agent/runner/runner.ts";
import { isAlive } from "./living-process.ts";

/** The process that the job names as `pid=N` in its output; it was alive when the runner was killed. */
export async function pidOfKilledAgent(job: Job): Promise<number> {
  const here = fileURLToPath(import.meta.url);
  const url = new URL(`../../agent/child/machine-runner${extname(here)}`, import.meta.url).href;
  const program = `
    import { machineRunner } from ${JSON.stringify(url)};
    const runner = machineRunner({ slots: 1, machine: { cores: 1, gpus: 0 }, environment: process.env, interpreter: "python3" });
    runner.onEvent((event) => { if (event.kind === "log") console.log(event.line); });
    runner.start(${JSON.stringify(job)});`;
  const agent = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await new Promise<string>((resolve) =>
    agent.stdout.once("data", (text) => resolve(String(text))),
  );
  const pid = Number(/pid=(\d+)/.exec(said)?.[1]);
  assert.ok(isAlive(pid));
  agent.kill("SIGKILL");
  return pid;
}
