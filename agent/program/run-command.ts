/**
 * One command in a process group of its own: its lines as they come, its end in one sentence, and ways to end, suspend
 * and resume the whole group. What the lines mean is not its business.
 */
import { spawn, spawnSync } from "node:child_process";
import type { Readable } from "node:stream";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { heldByTreeMiB } from "../../system/held-memory.ts";
import { memoryLookMs } from "../../system/memory-limit.ts";
import { guardGroup } from "../../system/guard-group.ts";
import { kernelKills, saysOutOfMemory } from "./out-of-memory.ts";

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

/**
 * `start`: it could not be started. `code`: it ended with a code other than 0. `signal`: somebody else killed it.
 * `memory`, `output`, `time`: it needed more than it may have.
 */
export type CommandFault = "start" | "code" | "signal" | "memory" | "output" | "time";

export type CommandEnd =
  | { readonly kind: "done" }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly fault: CommandFault;
      /** True where another machine, or another time, may bring another end. */
      readonly elsewhere: boolean;
    }
  /** Ended by `end` or `kill`. */
  | { readonly kind: "ended" };

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
const lineCharactersMax = 100_000;
const reasonCharactersMax = 300;

/** Groups that run, or wait suspended for ever: they may not outlive this process, however it ends. */
const groups = new Set<() => void>();
let watched = false;

function endWithProcess(kill: () => void): void {
  groups.add(kill);
  if (watched) return;
  watched = true;
  process.once("exit", () => {
    for (const each of groups) each();
  });
}

export function runCommand(options: CommandOptions): RunningCommand {
  const [program = "", ...rest] = options.words;
  const { graceMs = killGraceMs, memoryMaxMiB, outputMaxMiB } = options;
  const killsBefore = kernelKills();
  const child = spawn(program, rest, {
    cwd: options.folder,
    env: options.environment,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timers = new Set<NodeJS.Timeout>();
  let wanted: "run" | "end" | "time" | "memory" | "output" = "run";
  let lastError = "";
  let memoryWords = false;
  let heldMost = 0;
  let written = 0;
  let leftMs = options.timeoutMs;
  let since = performance.now();
  let ranMs = 0;
  let suspended = false;
  let clock: NodeJS.Timeout | null = null;
  const unguard =
    options.guarded === true && child.pid !== undefined ? guardGroup(child.pid) : () => undefined;

  const signal = (name: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      if (process.platform === "win32") endTree(child.pid);
      else process.kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  const killNow = () => signal("SIGKILL");
  endWithProcess(killNow);
  const ask = (why: "end" | "time") => {
    if (wanted !== "run") return;
    wanted = why;
    signal("SIGTERM");
    signal("SIGCONT"); // a suspended process does not hear anything else
    timers.add(setTimeout(killNow, graceMs));
  };
  const force = (why: "end" | "memory" | "output") => {
    if (wanted === "run") wanted = why;
    killNow();
  };
  const startClock = () => {
    since = performance.now();
    suspended = false;
    if (leftMs !== null) clock = setTimeout(() => ask("time"), leftMs);
  };
  const stopClock = () => {
    if (clock !== null) clearTimeout(clock);
    clock = null;
    if (suspended) return;
    suspended = true;
    ranMs += performance.now() - since;
    if (options.timeoutMs !== null) leftMs = Math.max(0, options.timeoutMs - ranMs);
  };
  const look =
    memoryMaxMiB === undefined
      ? null
      : setInterval(() => {
          if (child.pid === undefined || suspended) return;
          heldMost = Math.max(heldMost, heldByTreeMiB(child.pid) ?? 0);
          if (heldMost > memoryMaxMiB) force("memory");
        }, memoryLookMs);

  const count = (bytes: number) => {
    written += bytes;
    if (outputMaxMiB !== undefined && written > outputMaxMiB * bytesPerMiB) force("output");
  };
  readLines(child.stdout, (line) => options.onLine(line, "out"), count);
  readLines(
    child.stderr,
    (line) => {
      if (line.trim() !== "") lastError = line.trim();
      memoryWords ||= saysOutOfMemory(line);
      options.onLine(line, "err");
    },
    count,
  );
  startClock();

  const ended = new Promise<CommandEnd>((resolve) => {
    const finish = (end: CommandEnd) => {
      stopClock();
      for (const timer of timers) clearTimeout(timer);
      if (look !== null) clearInterval(look);
      unguard();
      groups.delete(killNow);
      resolve(end);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined)
        finish({ ...startFault(program, options.folder, error), kind: "failed", fault: "start" });
    });
    // Whatever it started goes with it, or its open output would keep the trial from ending.
    child.once("exit", () => timers.add(setTimeout(killNow, drainMs)));
    child.once("close", (code, name) => {
      if (child.pid === undefined) return; // it never began, as "error" has reported
      killNow();
      finish(endOf(code, name));
    });
  });

  function endOf(code: number | null, name: NodeJS.Signals | null): CommandEnd {
    const failed = (fault: CommandFault, reason: string, elsewhere = false) =>
      ({ kind: "failed", fault, reason, elsewhere }) as const;
    switch (wanted) {
      case "end":
        return { kind: "ended" };
      case "time":
        return failed("time", `ran longer than ${(options.timeoutMs ?? 0) / 1000} s`);
      case "memory":
        return failed(
          "memory",
          `held ${Math.round(heldMost)} MiB of memory, and may hold ${memoryMaxMiB} MiB`,
        );
      case "output":
        return failed(
          "output",
          `wrote more than ${outputMaxMiB} MiB of output; print less, or write into a file`,
        );
      case "run":
    }
    if (code === 0) return { kind: "done" };
    const why = lastError.slice(0, reasonCharactersMax);
    const said = why === "" ? "" : `: ${why}`;
    const byKernel = (kernelKills() ?? 0) > (killsBefore ?? Infinity);
    if (name === "SIGKILL") {
      return byKernel
        ? failed("memory", "was killed by the system for lack of memory", true)
        : failed("signal", "was killed by SIGKILL, by hand or by the system for lack of memory", true);
    }
    if (code === null) return failed("signal", `was killed by ${name ?? "a signal"}${said}`, true);
    if (memoryWords)
      return failed("memory", `ran out of memory and ended with code ${code}${said}`, byKernel);
    return failed("code", `ended with code ${code}${said}`);
  }

  return {
    pid: child.pid ?? null,
    ended,
    ranMs: () => (suspended ? ranMs : ranMs + performance.now() - since),
    end: () => ask("end"),
    kill: () => force("end"),
    suspend() {
      stopClock();
      signal("SIGSTOP");
    },
    resume() {
      startClock();
      signal("SIGCONT");
    },
  };
}

/** Windows knows no groups of processes, and ends a tree by a program of its own. */
function endTree(pid: number): void {
  spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
}

function startFault(
  program: string,
  folder: string,
  error: NodeJS.ErrnoException,
): { readonly reason: string; readonly elsewhere: boolean } {
  // What is looked for on the path may be on another machine's; what came with the program is missing everywhere.
  const onPath = !/[\\/]/.test(program);
  switch (error.code) {
    case "ENOENT":
      return {
        reason: onPath
          ? `there is no program "${program}" on this machine's path`
          : `there is no program "${program}" (looked for from ${folder})`,
        elsewhere: onPath,
      };
    case "EACCES":
      return { reason: `"${program}" may not be executed; \`chmod +x\` allows it`, elsewhere: onPath };
    case "E2BIG":
      return {
        reason: `the command line is too long; pass the parameters by \${args_json_file}`,
        elsewhere: false,
      };
    default:
      return {
        reason: `"${program}" could not be started (${error.code ?? error.message})`,
        elsewhere: true,
      };
  }
}

function readLines(stream: Readable, onLine: (line: string) => void, count: (bytes: number) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    count(text.length);
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "").slice(-lineCharactersMax);
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
