/** Runs of tests themselves: what is left of one that is killed, and one in which nothing happens any more. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { processesUnder } from "../support/process-tree.ts";
import { until } from "../support/until.ts";

const skip = existsSync("/proc/self/environ") ? false : "needs /proc";
const moduleUrl = pathToFileURL(join(projectFolder, "scripts", "test-run.mjs")).href;

/** A test that starts what is hardest to find again: a session of its own, one that stands still, a child of each. */
const leavesMuch = `
import { spawn } from "node:child_process";
import { test } from "node:test";
test("never ends", async () => {
  const start = (text) => spawn("sh", ["-c", text], { detached: true, stdio: "ignore" }).pid;
  const stopped = start("sleep 600 & wait");
  const detached = start("sleep 600 & exec sleep 600");
  setTimeout(() => process.kill(-stopped, "SIGSTOP"), 100);
  console.log(JSON.stringify([process.pid, stopped, detached]));
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});`;

/** A run of one file, which is given as text; what it prints is JSON, a line each. */
function startRun(text: string, then: string): ChildProcess {
  const words = ["--input-type=module", "-e", text];
  const script = `
import { openRun, runFile, watchRun } from ${JSON.stringify(moduleUrl)};
const run = openRun();
console.log(JSON.stringify({ folder: run.folder }));
const ran = runFile(run, { name: "a file", node: process.execPath, env: process.env, words: ${JSON.stringify(words)} });
${then}`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return spawn(process.execPath, ["--input-type=module", "-e", script], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const printTest = `setInterval(() => { if (run.files[0].output !== "") console.log(run.files[0].output.trim()); run.files[0].output = ""; }, 50);`;

async function linesOf(child: ChildProcess, count: number): Promise<readonly unknown[]> {
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const lines = await until(`${count} lines`, () => {
    const whole = said.split("\n").slice(0, -1);
    return whole.length >= count ? whole : null;
  });
  return lines.map((line): unknown => JSON.parse(line));
}

/** Pids of whatever carries the folder in its environment. */
function carrying(folder: string, pids: readonly number[]): number[] {
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(folder);
    } catch {
      return false; // it has ended
    }
  });
}

const folderSchema = z.object({ folder: z.string() });
const pidsSchema = z.array(z.int().positive()).min(3);

for (const signal of ["SIGKILL", "SIGINT", "SIGTERM"] as const) {
  test(`a run ended by ${signal} leaves no process and no folder behind`, { skip }, async () => {
    const child = startRun(leavesMuch, printTest);
    const [first, second] = await linesOf(child, 2);
    const { folder } = folderSchema.parse(first);
    const pids = pidsSchema.parse(second);
    const whole = await until("what the test starts", () => {
      const all = pids.flatMap(processesUnder);
      return carrying(folder, all).length >= 5 ? all : null;
    });
    child.kill(signal);
    await until("the end of all of it", (note) => {
      const left = carrying(folder, whole);
      note(left);
      return left.length === 0 && !existsSync(folder) ? true : null;
    });
  });
}

test(
  "a run in which no test says anything for long is ended, with the name of the test",
  { skip },
  async () => {
    const then = `console.log(JSON.stringify(await watchRun(run, 1_500))); await run.close(); process.exit();`;
    const child = startRun(leavesMuch, then);
    const [first, second] = await linesOf(child, 2);
    const [told] = z.array(z.object({ name: z.string(), why: z.string() })).parse(second);
    assert.deepEqual(told, { name: "a file", why: "nothing was heard of it for 1.5 s: never ends" });
    const { folder } = folderSchema.parse(first);
    await until("the end of its folder", () => !existsSync(folder) || null);
  },
);
