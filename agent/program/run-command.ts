/**
 * One command in a process group of its own: its lines as they come, its end in one sentence, and ways to end, suspend
 * and resume the whole group. It ends with its process, whoever still holds its output. What the lines mean is not its
 * business; it never throws for what a command can do wrong.
 */
import { setTimeout as wait } from "node:timers/promises";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Environment } from "../../system/environment.ts";
import { heldByTreeMiB } from "../../system/held-memory.ts";
import { openGuard } from "../../system/guard.ts";
import { markedEnvironment, newMark } from "../../system/marked-process.ts";
import { memoryLookMs } from "../../system/memory-limit.ts";
import { commandEnd, type CommandEnd } from "./command-end.ts";
import { LastWords } from "./last-words.ts";
import { kernelKills } from "./out-of-memory.ts";
import { ProcessGroup } from "./process-group.ts";
import { QuotedSource } from "./quoted-source.ts";
import type { LineCut } from "./line-screen.ts";
import { LineReader } from "./read-lines.ts";
import { exitWithin, type Exit } from "../sandbox/exit-within.ts";
import type { Confinement } from "../sandbox/sandbox.ts";
import { RunClock } from "./run-clock.ts";
import type { StartFault } from "./script-fault.ts";
import { faultBehind, sandboxFault, shellNote } from "./start-fault.ts";
import { startProcess, type StartedProcess } from "./start-process.ts";

export interface CommandOptions {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Environment;
  /** The sandbox it runs in; left out: none. */
  readonly confinement?: Confinement | undefined;
  /** Time it may run, suspensions not counted; null: as long as it likes. */
  readonly timeoutMs: number | null;
  /** Its process is gone; what it wrote may be read for a while yet. */
  readonly onExit?: () => void;
  /** A line of its output; of one that was written over and over the last state. */
  readonly onLine: (line: string, stream: "out" | "err") => void;
  /** Whatever it wrote into a line, also what was written over later, but for the source that Python quotes in a trace. */
  readonly onText: (text: string, cut: LineCut | null) => void;
  /** Waited for before more of its output is read; null: go on. */
  readonly ready: () => Promise<void> | null;
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
/** Once those are killed too, what is left of the output is read for so long; nobody is waited for who cannot be killed. */
const outputEndMaxMs = 10_000;

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
 * From every state: its process exits, what it left behind is killed after a moment, what it wrote is read, and it is over.
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
  readonly #lastWords = new LastWords();
  #wanted: "run" | "end" | "time" | "memory" | "output" = "run";
  #heldMost = 0;
  #written = 0;
  #heardAt = 0;
  #exited = false;
  /** All that it wrote, where that was one line. */
  #onlyLine: string | null | undefined = undefined;

  constructor(options: CommandOptions) {
    const mark = newMark();
    // Before the process: killed in between, we would leave it to nobody.
    const guard = options.guarded === true ? openGuard({ mark }) : null;
    const start = { ...options, environment: markedEnvironment(options.environment, mark) };
    const started = startProcess(start, (fault) =>
      this.#finish({ ...fault, kind: "failed", fault: "start" }),
    );
    this.#options = options;
    this.pid = started?.pid ?? null;
    this.ended = this.#over.promise;
    this.#group = new ProcessGroup({
      pid: this.pid,
      mark,
      guard,
      isConfined: options.confinement !== undefined,
    });
    this.#looks =
      options.memoryMaxMiB === undefined ? null : setInterval(() => this.#lookAtMemory(), memoryLookMs);
    this.#clock = new RunClock(options.timeoutMs, () => this.#ask("time"));
    if (started !== null) this.#listen(started);
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
    if (this.#exited) return;
    this.#clock.stop();
    this.#group.signalAll("SIGSTOP");
  }

  resume(): void {
    if (this.#exited) return;
    this.#clock.goOn();
    this.#group.signalAll("SIGCONT");
  }

  #listen(process: StartedProcess): void {
    const readers = [this.#reader(process, "out"), this.#reader(process, "err")];
    process.once("exit", (code, signal) => void this.#endAfter(process, readers, { code, signal }));
  }

  #reader(process: StartedProcess, stream: "out" | "err"): LineReader {
    const { onLine, onText, ready } = this.#options;
    const source = new QuotedSource();
    return new LineReader(stream === "out" ? process.stdout : process.stderr, {
      onText: (text, cut) => {
        if (!source.hear(text)) onText(text, cut);
      },
      onLine: (line) => {
        this.#lastWords.hear(line, stream);
        this.#notice(line);
        onLine(line, stream);
      },
      onCount: (characters) => this.#count(characters),
      ready,
    });
  }

  /** Bubblewrap says why it could not start the program, and nothing else. */
  #notice(line: string): void {
    this.#onlyLine = this.#onlyLine === undefined ? line : null;
  }

  #count(characters: number): void {
    const { outputMaxMiB } = this.#options;
    this.#heardAt = performance.now();
    this.#written += characters;
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

  /** Its process is gone; what it started may still speak for a moment. */
  async #endAfter(process: StartedProcess, readers: readonly LineReader[], exit: Exit): Promise<void> {
    this.#exited = true;
    this.#clock.stop();
    this.#options.onExit?.();
    const closed = new Promise<"closed">((resolve) => process.once("close", () => resolve("closed")));
    let output = await Promise.race([closed, wait(drainMs, "open" as const, { ref: false })]);
    await this.#group.end();
    // Most often it is closed now. Somebody who could not be found may hold it open, and be silent or not.
    const until = performance.now() + outputEndMaxMs;
    while (output === "open" && performance.now() < until) {
      output = await Promise.race([closed, wait(drainMs, "open" as const, { ref: false })]);
      const isSilent = performance.now() - this.#heardAt >= drainMs && !readers.some(({ waits }) => waits);
      if (isSilent) break;
    }
    for (const reader of readers) reader.end();
    this.#finish(this.#endOf(exit));
  }

  #finish(end: CommandEnd): void {
    this.#clock.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    if (this.#looks !== null) clearInterval(this.#looks);
    this.#group.forget();
    this.#over.resolve(end);
  }

  #unstarted(code: number | null): StartFault | null {
    const { confinement } = this.#options;
    const line = this.#onlyLine ?? "";
    return confinement !== undefined && code === 1 && line.startsWith("bwrap: ")
      ? sandboxFault(this.#options, line)
      : null;
  }

  #endOf(exit: Exit): CommandEnd {
    const { code, signal } = this.#options.confinement === undefined ? exit : exitWithin(exit);
    const fault = this.#wanted === "run" ? (this.#unstarted(code) ?? faultBehind(this.#options, code)) : null;
    if (fault !== null) return { ...fault, kind: "failed", fault: "start" };
    return commandEnd({
      wanted: this.#wanted,
      limits: this.#options,
      heldMostMiB: this.#heldMost,
      lastWords: this.#lastWords.why(),
      startNote: shellNote(this.#options, code),
      memoryWords: this.#lastWords.ofMemory,
      killedByKernel: (kernelKills() ?? 0) > (this.#killsBefore ?? Infinity),
      code,
      signal,
    });
  }
}
