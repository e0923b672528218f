/**
 * One child process of a runner: forked from the entry beside this file, source or compiled alike.
 * It turns what the process does (messages, lines, its end) into calls; which job it runs is the runner's business.
 */
import { fork, type ChildProcess as NodeProcess } from "node:child_process";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setImmediate as immediate, setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { signalWithin } from "../../system/process-tree.ts";
import type { Serving } from "../../protocol/deployment.ts";
import { openGuard, type Guard } from "../../system/guard.ts";
import { withoutInherited } from "../../system/inherited-descriptor.ts";
import { endMarked, markedEnvironment, newMark, signalMarked } from "../../system/marked-process.ts";
import { exitWithin } from "../sandbox/exit-within.ts";
import { spawnConfined, type Confinement } from "../sandbox/sandbox.ts";
import { LogGate } from "../runner/log-gate.ts";
import type { Job } from "../runner/runner.ts";
import { fromChildSchema, lastKinds, type FromChild, type ToChild } from "../runner/wire.ts";

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
  /** It runs in a sandbox. */
  readonly isConfined: boolean;
  run(job: Job): void;
  /** Asks it to stop after the epoch under way. */
  askToStop(fence: number): void;
  serve(fence: number, serving: Serving, parts: Job["parts"]): void;
  /** Ends what a requester's code has started in it, between two jobs; true where there was something. */
  endStarted(): boolean;
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
  /** It runs a requester's code, which may start processes of its own. */
  readonly foreign: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The sandbox of the requester's code; left out: none. */
  readonly confinement?: Confinement | undefined;
  readonly onEvent: (event: FromChild) => void;
  readonly onEnd: (end: ChildEnd) => void;
}

/** Windows has no signal that stops a process. */
export const canSuspend = process.platform !== "win32";

/** Output that comes after the process is gone, from what it left behind. */
const drainMs = 500;

export function startChild(options: ChildOptions): Child {
  return new ChildProcess(options);
}

class ChildProcess implements Child {
  readonly kind: string;
  readonly slot: number;
  readonly pid: number | null;
  readonly ended: Promise<void>;
  readonly isConfined: boolean;
  fence: number | null = null;
  trials = 0;
  firstHeldMiB: number | null = null;
  readonly #options: ChildOptions;
  readonly #process: NodeProcess;
  /** What the environment of everything that it starts has in it. */
  readonly #mark = newMark();
  /** It cannot see that we are gone while it stands still, or computes for long. */
  readonly #guard: Guard;
  #heapExhausted = false;
  #suspended = false;
  /** Of the lines of the job that it runs. */
  #gate = new LogGate();

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#guard = openGuard({ mark: this.#mark });
    const proc = this.#fork();
    this.kind = options.kind;
    this.slot = options.slot;
    this.isConfined = options.confinement !== undefined;
    this.pid = proc.pid ?? null;
    this.#process = proc;
    if (this.pid !== null) this.#guard.lead(this.pid);
    this.#passLines(proc.stdout, "out");
    this.#passLines(proc.stderr, "err");
    proc.on("message", (message) => {
      const event = fromChildSchema.safeParse(message);
      // Lines written before it stand in another pipe: they are read by then, so no event comes before what was said before it.
      if (event.success) setImmediate(() => this.#tell(event.data));
      else proc.kill("SIGKILL"); // it speaks another language; nothing it says can be trusted
    });
    proc.once("error", () => proc.kill("SIGKILL"));
    this.ended = this.#toEnd();
  }

  #fork(): NodeProcess {
    try {
      return forkChild(this.#options, this.#mark);
    } catch (error) {
      this.#guard.callOff();
      throw error;
    }
  }

  /** It is over with its process, whoever still holds its output. */
  async #toEnd(): Promise<void> {
    const closed = Promise.withResolvers<ChildEnd["how"]>();
    const exited = Promise.withResolvers<ChildEnd["how"]>();
    const howOf = (code: number | null, signal: NodeJS.Signals | null) => {
      const isConfined = this.#options.confinement !== undefined;
      const exit = isConfined ? exitWithin({ code, signal }) : { code, signal };
      return exit.signal === null ? `exit code ${exit.code ?? "unknown"}` : `signal ${exit.signal}`;
    };
    this.#process.once("exit", (code, signal) => exited.resolve(howOf(code, signal)));
    this.#process.once("close", (code, signal) => closed.resolve(howOf(code, signal)));
    // One that could not be started closes and never exits.
    const how = await Promise.race([exited.promise, closed.promise]);
    await Promise.race([closed.promise, wait(drainMs, null, { ref: false })]);
    // What it told last is on its way.
    await immediate();
    this.#guard.callOff();
    if (this.#options.foreign) await endMarked(this.#mark);
    this.#process.stdout?.destroy();
    this.#process.stderr?.destroy();
    this.#tellLast();
    this.#options.onEnd({ how, outOfMemory: this.#heapExhausted });
  }

  run(job: Job): void {
    this.fence = job.fence;
    this.trials++;
    this.#gate = new LogGate();
    this.#send({ kind: "run", job: { ...job, params: { ...job.params } } });
  }

  askToStop(fence: number): void {
    this.#send({ kind: "stop", fence });
  }

  serve(fence: number, serving: Serving, parts: Job["parts"]): void {
    this.#send({ kind: "serve", fence, serving, parts: { ...parts } });
  }

  endStarted(): boolean {
    return this.#options.foreign && signalMarked(this.#mark, "SIGKILL", this.pid) > 0;
  }

  end(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  suspend(): void {
    const { exitCode, pid } = this.#process;
    if (!canSuspend || this.#suspended || pid === undefined || exitCode !== null) return;
    this.#suspended = true;
    this.#signal("SIGSTOP");
  }

  resume(): void {
    if (!this.#suspended) return;
    this.#suspended = false;
    this.#signal("SIGCONT");
  }

  /** Where it is confined, its process is the sandbox, and itself in there. */
  #signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
    if (this.#options.confinement !== undefined && this.pid !== null) signalWithin(this.pid, name);
  }

  #send(message: ToChild): void {
    // A child that just died hears nothing; its end is reported by "close".
    if (this.#process.connected) this.#process.send(message, () => undefined);
  }

  #passLines(from: Readable | null, stream: "out" | "err"): void {
    if (from === null) return;
    createInterface({ input: from }).on("line", (line) => {
      if (line.includes("heap out of memory")) this.#heapExhausted = true;
      if (this.fence === null) return;
      for (const kept of this.#gate.admit(line, performance.now())) this.#tellLine(stream, kept);
    });
  }

  #tell(event: FromChild): void {
    if (lastKinds.has(event.kind)) this.#tellLast();
    this.#options.onEvent(event);
  }

  /** No more lines of its job come: how many were left out, and the last of them. */
  #tellLast(): void {
    for (const line of this.#gate.end()) this.#tellLine("out", line);
  }

  #tellLine(stream: "out" | "err", line: string): void {
    if (this.fence !== null) this.#options.onEvent({ kind: "log", fence: this.fence, stream, line });
  }
}

function forkChild({ confinement, environment, memoryMiB }: ChildOptions, mark: string): NodeProcess {
  const here = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./child${extname(here)}`, import.meta.url));
  const heap = `--max-old-space-size=${Math.max(64, Math.floor(memoryMiB))}`;
  if (confinement !== undefined) {
    const words = [process.execPath, heap, entry];
    return spawnConfined(confinement, {
      words,
      folder: "/",
      environment: markedEnvironment(environment, mark),
    });
  }
  return fork(entry, [], {
    serialization: "advanced",
    stdio: withoutInherited(["ignore", "pipe", "pipe", "ipc"] as const),
    env: markedEnvironment(environment, mark),
    // A group of its own: ctrl-c is for the agent, and whatever the child starts ends with it.
    detached: canSuspend,
    execArgv: [heap],
  });
}
