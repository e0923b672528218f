/**
 * One command in a process group of its own: its lines as they come, its end in one sentence, and ways to end, suspend
 * and resume the whole group. What the lines mean is not its business.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { heldByTreeMiB } from "../../system/held-memory.ts";
import { memoryLookMs } from "../../system/memory-limit.ts";
import { commandEnd, startFault, type CommandEnd } from "./command-end.ts";
import { kernelKills, saysOutOfMemory } from "./out-of-memory.ts";
import { ProcessGroup } from "./process-group.ts";
import { readLines } from "./read-lines.ts";
import { RunClock } from "./run-clock.ts";

export interface CommandOptions {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Time it may run, suspensions not counted; null: as long as it likes. */
  readonly timeoutMs: number | null;
  readonly onLine: (line: string, stream: "out" | "err") => void;
  /** What it may write to its output altogether, MiB; left out: as much as it likes. */
  readonly outputMaxMiB?: number;
  /** What the group may hold of memory, MiB; left out: as much as there is. */
  readonly memoryMaxMiB?: number;
  /** Ends the group even where this process is killed and can do nothing any more. */
  readonly guarded?: boolean;
  /** How long it may take over its end once it is asked to. */
  readonly graceMs?: number;
}

export interface RunningCommand {
  readonly pid: number | null;
  readonly ended: Promise<CommandEnd>;
  /** Time it has run, suspensions not counted. */
  ranMs(): number;
  /** Asks the group to end, and makes it end a little later. */
  end(): void;
  /** Ends the group as it stands. */
  kill(): void;
  suspend(): void;
  resume(): void;
}

const killGraceMs = 3_000;
/** Output that comes after the process itself is gone, from children it left behind. */
const drainMs = 500;

export function runCommand(options: CommandOptions): RunningCommand {
  return new GroupCommand(options);
}

/**
 * | state  | `#wanted`           | what happens                                   | what moves it on                             |
 * | ------ | ------------------- | ---------------------------------------------- | -------------------------------------------- |
 * | runs   | `run`               | its lines are passed on; it may stand still,   | `end`, or its time is up: asked; `kill`, too |
 * |        |                     | and its clock with it                          | much memory or output: forced                |
 * | asked  | `end`, `time`       | the group has SIGTERM, and SIGKILL after grace | `kill` or too much of something kills it at  |
 * |        |                     |                                                | once, but why it ended stays what it was     |
 * | forced | `end`, `memory`,    | the group has SIGKILL                          |                                              |
 * |        | `output`            |                                                |                                              |
 * | over   | any                 | `ended` is resolved, all timers are off        | nothing                                      |
 *
 * From every state: its process exits, what it left behind is killed, and once its output is closed too it is over.
 */
class GroupCommand implements RunningCommand {
  readonly pid: number | null;
  readonly ended: Promise<CommandEnd>;
  readonly #options: CommandOptions;
  readonly #group: ProcessGroup;
  readonly #clock: RunClock;
  readonly #killsBefore = kernelKills();
  readonly #over = Promise.withResolvers<CommandEnd>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #looks: NodeJS.Timeout | null;
  #wanted: "run" | "end" | "time" | "memory" | "output" = "run";
  #lastError = "";
  #memoryWords = false;
  #heldMost = 0;
  #written = 0;

  constructor(options: CommandOptions) {
    const [program = "", ...rest] = options.words;
    this.#options = options;
    const child = spawn(program, rest, {
      cwd: options.folder,
      env: options.environment,
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.pid = child.pid ?? null;
    this.ended = this.#over.promise;
    this.#group = new ProcessGroup(this.pid, options.guarded === true);
    this.#looks =
      options.memoryMaxMiB === undefined ? null : setInterval(() => this.#lookAtMemory(), memoryLookMs);
    this.#listen(child, program);
    this.#clock = new RunClock(options.timeoutMs, () => this.#ask("time"));
  }

  ranMs(): number {
    return this.#clock.ranMs;
  }

  end(): void {
    this.#ask("end");
  }

  kill(): void {
    this.#force("end");
  }

  suspend(): void {
    this.#clock.stop();
    this.#group.signal("SIGSTOP");
  }

  resume(): void {
    this.#clock.goOn();
    this.#group.signal("SIGCONT");
  }

  #listen(child: ChildProcessByStdio<null, Readable, Readable>, program: string): void {
    const { folder, onLine } = this.#options;
    const count = (bytes: number) => this.#count(bytes);
    readLines(child.stdout, (line) => onLine(line, "out"), count);
    readLines(child.stderr, (line) => this.#hearError(line), count);
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined)
        this.#finish({ ...startFault(program, folder, error), kind: "failed", fault: "start" });
    });
    // Whatever it started goes with it, or its open output would keep the trial from ending.
    child.once("exit", () => this.#killAfter(drainMs));
    child.once("close", (code, signal) => {
      if (child.pid === undefined) return; // it never began; "error" has told
      this.#group.kill();
      this.#finish(this.#endOf(code, signal));
    });
  }

  #hearError(line: string): void {
    if (line.trim() !== "") this.#lastError = line.trim();
    this.#memoryWords ||= saysOutOfMemory(line);
    this.#options.onLine(line, "err");
  }

  #count(bytes: number): void {
    const { outputMaxMiB } = this.#options;
    this.#written += bytes;
    if (outputMaxMiB !== undefined && this.#written > outputMaxMiB * bytesPerMiB) this.#force("output");
  }

  #lookAtMemory(): void {
    const { memoryMaxMiB = Infinity } = this.#options;
    if (this.pid === null || this.#clock.stands) return;
    this.#heldMost = Math.max(this.#heldMost, heldByTreeMiB(this.pid) ?? 0);
    if (this.#heldMost > memoryMaxMiB) this.#force("memory");
  }

  #ask(why: "end" | "time"): void {
    if (this.#wanted !== "run") return;
    this.#wanted = why;
    this.#group.signal("SIGTERM");
    this.#group.signal("SIGCONT"); // a suspended process does not hear anything else
    this.#killAfter(this.#options.graceMs ?? killGraceMs);
  }

  #force(why: "end" | "memory" | "output"): void {
    if (this.#wanted === "run") this.#wanted = why;
    this.#group.kill();
  }

  #killAfter(ms: number): void {
    this.#timers.add(setTimeout(() => this.#group.kill(), ms));
  }

  #finish(end: CommandEnd): void {
    this.#clock.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#group.forget();
    this.#over.resolve(end);
  }

  #endOf(code: number | null, signal: NodeJS.Signals | null): CommandEnd {
    return commandEnd({
      wanted: this.#wanted,
      limits: this.#options,
      heldMostMiB: this.#heldMost,
      lastError: this.#lastError,
      memoryWords: this.#memoryWords,
      killedByKernel: (kernelKills() ?? 0) > (this.#killsBefore ?? Infinity),
      code,
      signal,
    });
  }
}
