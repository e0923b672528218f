/**
 * One child process of a runner: forked from the entry beside this file, source or compiled alike.
 * It turns what the process does (messages, lines, its end) into calls; which job it runs is the runner's business.
 */
import { fork } from "node:child_process";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Job } from "../runner/runner.ts";
import { wakeWhenOrphaned } from "./wake-when-orphaned.ts";
import { fromChildSchema, type FromChild, type ToChild } from "../runner/wire.ts";

export interface ChildEnd {
  /** "signal SIGKILL" or "exit code 1". */
  readonly how: string;
  readonly outOfMemory: boolean;
}

export interface Child {
  /** Jobs of one kind can follow each other in it: the same backend, memory and, for a requester's code, files. */
  readonly kind: string;
  /** The slot whose threads and GPU it uses. */
  readonly slot: number;
  /** The job it runs, or null while idle. */
  fence: number | null;
  trials: number;
  /** What it held after its first job, MiB; null before, and where the system does not say. */
  firstHeldMiB: number | null;
  readonly ended: Promise<void>;
  run(job: Job): void;
  /** Asks it to stop after the epoch under way. */
  askToStop(fence: number): void;
  /** Lets an idle child go. */
  end(): void;
  /** Ends it as it stands, suspended or not. */
  kill(): void;
  readonly pid: number | null;
  /** Stops and continues the process by signal; not where there are none (`canSuspend`). */
  suspend(): void;
  resume(): void;
}

export interface ChildOptions {
  readonly kind: string;
  readonly slot: number;
  readonly memoryMiB: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onEvent: (event: FromChild) => void;
  readonly onEnd: (end: ChildEnd) => void;
}

/** Windows has no signal that stops a process. */
export const canSuspend = process.platform !== "win32";

const lineMaxChars = 2_000;
/** Lines passed on per job; what comes after is counted, not kept. */
const linesPerJobMax = 2_000;

export function startChild(options: ChildOptions): Child {
  const { environment, kind, memoryMiB, onEnd, onEvent, slot } = options;
  const here = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./child${extname(here)}`, import.meta.url));
  const proc = fork(entry, [], {
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: environment,
    execArgv: [`--max-old-space-size=${Math.max(64, Math.floor(memoryMiB))}`],
  });
  let heapExhausted = false;
  let callOff: (() => void) | null = null;
  let lines = 0;
  const ended = new Promise<void>((resolve) => proc.once("close", () => resolve()));

  const send = (message: ToChild): void => {
    // A child that just died cannot be told anything; its end is reported by "close".
    if (proc.connected) proc.send(message, () => undefined);
  };
  const child: Child = {
    kind,
    slot,
    fence: null,
    trials: 0,
    firstHeldMiB: null,
    ended,
    run: (job) => {
      child.fence = job.fence;
      child.trials++;
      lines = 0;
      send({ kind: "run", job: { ...job, params: { ...job.params } } });
    },
    askToStop: (fence) => send({ kind: "stop", fence }),
    end: () => {
      if (proc.connected) proc.disconnect();
    },
    kill: () => {
      proc.kill("SIGKILL");
    },
    pid: proc.pid ?? null,
    suspend: () => {
      if (!canSuspend || callOff !== null || proc.pid === undefined || proc.exitCode !== null) return;
      proc.kill("SIGSTOP");
      callOff = wakeWhenOrphaned(proc.pid);
    },
    resume: () => {
      if (callOff === null) return;
      callOff();
      callOff = null;
      proc.kill("SIGCONT");
    },
  };

  const passLines = (from: Readable | null, stream: "out" | "err"): void => {
    if (from === null) return;
    createInterface({ input: from }).on("line", (line) => {
      if (line.includes("heap out of memory")) heapExhausted = true;
      if (child.fence === null || ++lines > linesPerJobMax) return;
      onEvent({ kind: "log", fence: child.fence, stream, line: line.slice(0, lineMaxChars) });
    });
  };
  passLines(proc.stdout, "out");
  passLines(proc.stderr, "err");
  proc.on("message", (message) => {
    const event = fromChildSchema.safeParse(message);
    if (event.success) onEvent(event.data);
    else proc.kill("SIGKILL"); // it speaks another language; nothing it says can be trusted
  });
  proc.once("error", () => proc.kill("SIGKILL"));
  proc.once("exit", () => callOff?.());
  proc.once("close", (code, signal) => {
    onEnd({
      how: signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`,
      outOfMemory: heapExhausted,
    });
  });
  return child;
}
