/**
 * One part of a mesh as a child process of its own: `kill -9` of one leaves the others. A part that
 * crashes is started again, later each time; one that ends with a refusal is not, since it would
 * refuse again. A part ends by itself when its parent is gone (`until-stopped.ts`).
 */
import { BackOff } from "../../system/back-off.ts";
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCode } from "../../protocol/exit-code.ts";

const stopTimeoutMs = 20_000;
/** After SIGKILL: what the system cannot end just now is not waited for any longer. */
const killTimeoutMs = 2_000;
/** Lines that come after its process is gone, while somebody else still holds its output. */
const drainMs = 500;

export interface PartOptions {
  /** Its name in messages to people, such as `agent`. */
  readonly label: string;
  /** The file that runs `trialmesh`'s command line. */
  readonly program: string;
  /** The command line after `trialmesh`. */
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: (line: string) => void;
}

export interface Part {
  readonly pid: () => number | null;
  /** Resolves with its last line once it has ended with a refusal and will not be started again. */
  readonly failed: Promise<string>;
  stop(): Promise<void>;
}

/** Messages live for a moment: with room for more of them fewer are copied, for some 50 MB more memory at most. */
const youngHeap = "--max-semi-space-size=32";

/** Tells a part from what a person started. */
const partVariable = "TRIALMESH_PART";

/** Whether this process was started as one. */
export function isPart(): boolean {
  return process.env[partVariable] === "1";
}

export function startPart(options: PartOptions): Part {
  return new ProcessPart(options);
}

type State =
  | {
      readonly kind: "running";
      readonly child: ChildProcess;
      /** Monotonic ms. */
      readonly startedAt: number;
      readonly ended: Promise<void>;
    }
  | { readonly kind: "waiting"; readonly timer: NodeJS.Timeout }
  | { readonly kind: "failed" | "stopped" };

/**
 * | state   | what it does                         | what moves it on                                                     |
 * | ------- | ------------------------------------ | -------------------------------------------------------------------- |
 * | running | passes on its process's lines        | it ends with a refusal: failed; otherwise: waiting; `stop`: stopped  |
 * | waiting | nothing, twice as long after each    | the time: running; `stop`: stopped                                   |
 * |         | crash that follows another closely   |                                                                      |
 * | failed  | nothing: `failed` is resolved        | `stop`: stopped                                                      |
 * | stopped | ends its process, by force if need   | nothing                                                              |
 * |         | be                                   |                                                                      |
 */
class ProcessPart implements Part {
  readonly failed: Promise<string>;
  readonly #options: PartOptions;
  readonly #failed = Promise.withResolvers<string>();
  #state: State;
  readonly #backOff = new BackOff();
  #lastLine = "";

  constructor(options: PartOptions) {
    this.#options = options;
    this.failed = this.#failed.promise;
    this.#state = this.#start();
  }

  pid(): number | null {
    if (this.#state.kind !== "running") return null;
    const { child } = this.#state;
    return isOver(child) ? null : (child.pid ?? null);
  }

  async stop(): Promise<void> {
    const before = this.#state;
    this.#state = { kind: "stopped" };
    if (before.kind === "waiting") clearTimeout(before.timer);
    if (before.kind !== "running" || isOver(before.child) || before.child.pid === undefined) return;
    before.child.kill("SIGTERM");
    // One that stands still hears nothing else.
    before.child.kill("SIGCONT");
    const patience = new AbortController();
    const { signal } = patience;
    const late = sleep(stopTimeoutMs, null, { signal })
      .then(() => before.child.kill("SIGKILL"))
      .then(() => sleep(killTimeoutMs, null, { signal }))
      .catch(() => undefined);
    await Promise.race([before.ended, late]);
    patience.abort();
  }

  #start(): State {
    const { environment, label, log, parameters, program } = this.#options;
    const child = spawn(process.execPath, [youngHeap, ...process.execArgv, program, ...parameters], {
      env: { ...environment, [partVariable]: "1" },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      // A group of its own: ctrl-c reaches only the parent, which ends the parts in their order.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.#lastLine = line.replace(/^trialmesh: /, "");
        log(`${label}: ${this.#lastLine}`);
      });
    }
    const ended = new Promise<void>((resolve) => {
      const over = (code: number | null, signal: NodeJS.Signals | null): void => {
        resolve();
        this.#over(child, code, signal);
      };
      child.once("close", over);
      // What it has left behind may hold its output open for ever.
      child.once("exit", (code, signal) => setTimeout(() => over(code, signal), drainMs).unref());
      child.once("error", () => over(null, null));
    });
    if (child.pid !== undefined) log(`${label}: process ${child.pid}`);
    return { kind: "running", child, startedAt: performance.now(), ended };
  }

  #over(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#state.kind !== "running" || this.#state.child !== child) return;
    const { label, log } = this.#options;
    if (code === exitCode.failed || code === exitCode.usage) {
      this.#state = { kind: "failed" };
      this.#failed.resolve(`the ${label} ended: ${this.#lastLine}`);
      return;
    }
    const waitMs = this.#backOff.next(performance.now() - this.#state.startedAt);
    log(`${label}: ended by ${signal ?? `exit code ${code}`}; starting it again in ${waitMs / 1000} s`);
    const timer = setTimeout(() => {
      this.#state = this.#start();
    }, waitMs);
    this.#state = { kind: "waiting", timer };
  }
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
