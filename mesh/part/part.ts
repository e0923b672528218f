/**
 * One part of a mesh as a child process of its own: `kill -9` of one leaves the others. A part that
 * crashes is started again, later each time; one that ends with a refusal is not, since it would
 * refuse again. A part ends by itself when its parent is gone (`until-stopped.ts`).
 */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { exitCode } from "../../protocol/exit-code.ts";
import { BackOff } from "../../system/back-off.ts";

const stopTimeoutMs = 20_000;

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

export function startPart(options: PartOptions): Part {
  const { label, log } = options;
  let child: ChildProcess;
  let stopping = false;
  let lastLine = "";
  const failed = Promise.withResolvers<string>();
  const backOff = new BackOff();
  let again: NodeJS.Timeout | null = null;
  let ended: Promise<void> = Promise.resolve();

  const start = (): void => {
    again = null;
    const startedAt = performance.now();
    child = spawn(
      process.execPath,
      [youngHeap, ...process.execArgv, options.program, ...options.parameters],
      {
        env: options.environment,
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        // A group of its own: ctrl-c reaches only the parent, which ends the parts in their order.
        detached: true,
      },
    );
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        lastLine = line.replace(/^trialmesh: /, "");
        log(`${label}: ${lastLine}`);
      });
    }
    ended = new Promise((resolve) => {
      const over = (code: number | null, signal: NodeJS.Signals | null): void => {
        resolve();
        if (stopping) return;
        if (code === exitCode.failed || code === exitCode.usage) {
          failed.resolve(`the ${label} ended: ${lastLine}`);
          return;
        }
        const waitMs = backOff.next(performance.now() - startedAt);
        log(`${label}: ended by ${signal ?? `exit code ${code}`}; starting it again in ${waitMs / 1000} s`);
        again = setTimeout(start, waitMs);
      };
      child.once("close", over);
      child.once("error", () => over(null, null));
    });
    if (child.pid !== undefined) log(`${label}: process ${child.pid}`);
  };
  start();

  return {
    pid: () => (child.exitCode === null && child.signalCode === null ? (child.pid ?? null) : null),
    failed: failed.promise,
    async stop() {
      stopping = true;
      if (again !== null) clearTimeout(again);
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
      await ended;
      clearTimeout(late);
    },
  };
}
