/**
 * What every script here shares: where the project is, one line per long step, and failures that
 * end in a sentence. Plain JavaScript for the host's Node (18 or newer), with nothing installed.
 */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** A step that failed for a reason a person can act on: what was tried and what to do by hand. */
export class StepFailed extends Error {}

/** Progress goes to stderr: stdout belongs to the command that was asked for. */
export function say(line) {
  process.stderr.write(`· ${line}\n`);
}

/** Runs a script's main function; its number is the exit code, a failed step exits 1 with its sentence. */
export async function runScript(main) {
  try {
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof StepFailed ? error.message : defect(error)}\n`);
    process.exitCode = 1;
  }
}

/** A failure that no step foresaw is a defect of these scripts; its stack is for whoever mends them. */
function defect(error) {
  if (process.env.TRIALMESH_DEBUG === "1") return error?.stack ?? String(error);
  return `${error?.message ?? error} (a defect of trialmesh's scripts: TRIALMESH_DEBUG=1 shows where)`;
}

/**
 * Runs a program quietly. Never throws: gives its code (null where it could not start or ran out
 * of time) and all it said. `stderr: "inherit"` shows its progress as it comes.
 */
export function capture(
  program,
  parameters,
  { cwd = root, env = process.env, timeoutMs = 600_000, stderr = "pipe" } = {},
) {
  return new Promise((done) => {
    const child = spawn(program, parameters, { cwd, env, stdio: ["ignore", "pipe", stderr] });
    let stdout = "";
    let output = "";
    // Its own children may hold the pipes open after it is gone: they are let go of as well.
    const late = setTimeout(() => {
      output += `\nstopped after ${timeoutMs / 1000} s`;
      child.kill("SIGKILL");
      child.stdout.destroy();
      child.stderr?.destroy();
    }, timeoutMs);
    child.stdout.on("data", (bytes) => {
      stdout += bytes;
      output += bytes;
    });
    child.stderr?.on("data", (bytes) => {
      output += bytes;
    });
    const finish = (outcome) => {
      clearTimeout(late);
      done(outcome);
    };
    child.once("error", (error) => finish({ code: null, stdout, output: error.message }));
    child.once("close", (code, signal) => {
      finish({ code, stdout, output: signal === null ? output : `${output}\nended by ${signal}` });
    });
  });
}

/**
 * Runs a program in the foreground, passes signals on, and gives its exit code as a shell would. One that watches the channel
 * to its parent (`system/parent.ts`) ends where this process is killed.
 */
export function foreground(program, parameters, { cwd = process.cwd(), env = process.env } = {}) {
  return new Promise((done) => {
    const child = spawn(program, parameters, { cwd, env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    // From a terminal the child has the signal already; what matters is that we outlive it.
    const pass = (signal) => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    const finish = (code) => {
      for (const signal of signals) process.off(signal, pass);
      done(code);
    };
    child.once("error", (error) => {
      process.stderr.write(`${program} could not be started: ${error.message}\n`);
      finish(1);
    });
    child.once("exit", (code, signal) => finish(code ?? 128 + (signalNumbers[signal] ?? 0)));
  });
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** The last lines of a program's output, indented, for the end of a failure's message. */
export function tail(output, lines = 12) {
  const kept = output.trim().split("\n").slice(-lines);
  return kept.map((line) => `    ${line}`).join("\n");
}
