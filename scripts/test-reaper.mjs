/**
 * Started by `test.mjs` in a session of its own with the folder of its run: waits at the end of a pipe, and when the run is
 * over, however it ended, ends every process that carries the folder in its environment or its words, then removes the
 * folder. All that tests start has it as TMPDIR, programs of requesters too. Needs /proc; elsewhere only the folder goes.
 * Prints one line for each process it had to end.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const [folder] = process.argv.slice(2);
const pauseMs = 100;
/** Processes that were just being started show up a moment later. */
const quietLooks = 3;
const looksMax = 100;
/** Of a process's words, in the line that tells of it. */
const shownCharacters = 160;

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return ""; // It has ended, or is somebody else's.
  }
}

function marked() {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => read(pid, "environ").includes(folder) || read(pid, "cmdline").includes(folder))
      .map(Number);
  } catch {
    return [];
  }
}

function end(pid) {
  const words = read(pid, "cmdline")
    .replaceAll(/[\0\s]+/gu, " ")
    .trim()
    .slice(0, shownCharacters);
  try {
    process.kill(pid, "SIGKILL");
    process.stdout.write(`${pid} ${words}\n`);
  } catch {
    // It has ended by itself.
  }
}

// Whoever reads us may be gone.
process.stdout.on("error", () => undefined);
// Unlike the others it stays when the terminal's ctrl-c or a closed window ends them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
process.stdin.resume();
await new Promise((resolve) => process.stdin.once("close", resolve));
for (let looks = 0, quiet = 0; looks < looksMax && quiet < quietLooks; looks++) {
  const found = marked();
  quiet = found.length === 0 ? quiet + 1 : 0;
  found.forEach(end);
  await sleep(pauseMs);
}
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
