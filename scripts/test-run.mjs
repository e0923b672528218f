/**
 * One run of tests: a folder for all that it writes, a reaper that clears up after it however it ends (`test-reaper.mjs`),
 * and a watch that ends it when no test has begun or ended for long. It starts processes and reads what they report; what
 * that means `test-outcome.mjs` says.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./step.mjs";

const lookMs = 1_000;
/** Without a word from any test, at the pace of the tests' own processes. */
const silenceMaxMs = 240_000;
const keptCharacters = 20_000;
/** After its end, until what it printed has arrived. */
const lastWordsMs = 500;

/** From here on whatever this process starts is of the run, and ends with it. */
export function openRun() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "trialmesh-test-")));
  const reaper = spawn(process.execPath, [join(root, "scripts", "test-reaper.mjs"), folder], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
  });
  let reaped = "";
  reaper.stdout.setEncoding("utf8").on("data", (text) => (reaped += text));
  const gone = new Promise((resolve) => reaper.once("close", resolve));
  mkdirSync(join(folder, "tmp"));
  mkdirSync(join(folder, "results"));
  process.env.TMPDIR = join(folder, "tmp");
  endWithNpm();
  return {
    folder,
    files: [],
    isOver: false,
    /** Ends what is left and removes the folder; the processes that were left, one a line. */
    async close() {
      this.isOver = true;
      reaper.stdin.end();
      await gone;
      return reaped.trim() === "" ? [] : reaped.trim().split("\n");
    },
  };
}

/** A killed npm tells nobody; but who it had started, us or the shell between, has another parent then. */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parents = () => `${process.ppid} ${parentOf(process.ppid)}`;
  const before = parents();
  setInterval(() => {
    if (parents() !== before) process.exit(1);
  }, lookMs).unref();
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
  } catch {
    return null; // Not a system with /proc.
  }
}

/**
 * Runs `words` with that Node as one process with the reporter; gives its lines (`test-reporter.mjs`), its exit code, the
 * signal that ended it (one of the two is null) and the last of what it printed.
 */
export function runFile(run, { env, name, node, words }) {
  const file = {
    name,
    results: join(run.folder, "results", `${run.files.length}.ndjson`),
    child: null,
    output: "",
  };
  run.files.push(file);
  const reporter = join(root, "scripts", "test-reporter.mjs");
  const flags = [`--test-reporter=${reporter}`, `--test-reporter-destination=${file.results}`];
  return new Promise((done) => {
    const child = spawn(node, [...flags, ...words], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    file.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (bytes) => (file.output = (file.output + bytes).slice(-keptCharacters)));
    const finish = (code, signal = null) => {
      file.child = null;
      done({ name, code, signal, lines: linesOf(file), output: file.output });
    };
    child.once("error", (error) => {
      file.output += error.message;
      finish(null);
    });
    child.once("close", finish);
    // What a test left running may hold its pipes open.
    child.once("exit", (code, signal) => setTimeout(() => finish(code, signal), lastWordsMs));
  });
}

/**
 * Resolves with a sentence for each file under way when nothing was heard of any test for long, counted in the time that
 * their processes had (`tests/support/pace.ts`). Needs the compiled code.
 */
export async function watchRun(run, silenceMs = silenceMaxMs) {
  const { Pace } = await import("../dist/tests/support/pace.js");
  const pace = new Pace();
  let heard = "";
  let silentMs = 0;
  return new Promise((resolve) => {
    setInterval(() => {
      silentMs += pace.elapsed();
      const size = run.files
        .map(({ results }) => statSync(results, { throwIfNoEntry: false })?.size ?? 0)
        .join();
      if (size !== heard) [heard, silentMs] = [size, 0];
      if (silentMs > silenceMs)
        resolve(run.files.filter(({ child }) => child !== null).map((file) => told(file, silenceMs)));
    }, lookMs).unref();
  });
}

function told(file, silenceMs) {
  const open = new Set();
  for (const { name, type } of linesOf(file)) {
    if (type === "begin") open.add(name);
    else if (name !== undefined) open.delete(name);
  }
  const tests = open.size === 0 ? "no test of it is under way" : [...open].join("; ");
  return {
    name: file.name,
    why: `nothing was heard of it for ${silenceMs / 1000} s: ${tests}`,
    output: file.output,
  };
}

function linesOf({ results }) {
  try {
    const whole = readFileSync(results, "utf8").split("\n").slice(0, -1);
    return whole.filter((text) => text !== "").map((text) => JSON.parse(text));
  } catch {
    return [];
  }
}

/** Runs each of `jobs` (functions), so many at a time, in their order, until the run is over. */
export async function inParallel(run, jobs, width) {
  const waiting = [...jobs];
  const worker = async () => {
    while (!run.isOver && waiting.length > 0) await waiting.shift()();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
