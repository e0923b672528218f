/**
 * One command in a process group of its own: its lines as they come, its end in one sentence, and ways to end, suspend
 * and resume the whole group. What the lines mean is not its business.
 */
import { spawn } from "node:child_process";
import type { Readable } from "node:stream";

export interface CommandOptions {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Time it may run, suspensions not counted; null: as long as it likes. */
  readonly timeoutMs: number | null;
  readonly onLine: (line: string) => void;
}

export type CommandEnd =
  | { readonly kind: "done" }
  /** It could not be started, failed, was killed by somebody else, or ran too long. */
  | { readonly kind: "failed"; readonly reason: string }
  /** Ended by `end`. */
  | { readonly kind: "ended" };

export interface RunningCommand {
  readonly ended: Promise<CommandEnd>;
  /** Time it has run, suspensions not counted. */
  ranMs(): number;
  /** Asks the group to end, and makes it end a little later. */
  end(): void;
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
  const child = spawn(program, rest, {
    cwd: options.folder,
    env: options.environment,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timers = new Set<NodeJS.Timeout>();
  let wanted: "run" | "end" | "timeout" = "run";
  let lastError = "";
  let leftMs = options.timeoutMs;
  let since = performance.now();
  let ranMs = 0;
  let suspended = false;
  let clock: NodeJS.Timeout | null = null;

  const signal = (name: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      if (process.platform === "win32") child.kill(name);
      else process.kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  const killNow = () => signal("SIGKILL");
  endWithProcess(killNow);
  const kill = (why: "end" | "timeout") => {
    if (wanted !== "run") return;
    wanted = why;
    signal("SIGTERM");
    signal("SIGCONT"); // a suspended process does not hear anything else
    timers.add(setTimeout(killNow, killGraceMs));
  };
  const startClock = () => {
    since = performance.now();
    suspended = false;
    if (leftMs !== null) clock = setTimeout(() => kill("timeout"), leftMs);
  };
  const stopClock = () => {
    if (clock !== null) clearTimeout(clock);
    clock = null;
    if (suspended) return;
    suspended = true;
    ranMs += performance.now() - since;
    if (options.timeoutMs !== null) leftMs = Math.max(0, options.timeoutMs - ranMs);
  };

  readLines(child.stdout, options.onLine);
  readLines(child.stderr, (line) => {
    if (line.trim() !== "") lastError = line.trim();
    options.onLine(line);
  });
  startClock();

  const ended = new Promise<CommandEnd>((resolve) => {
    const finish = (end: CommandEnd) => {
      stopClock();
      for (const timer of timers) clearTimeout(timer);
      groups.delete(killNow);
      resolve(end);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined)
        finish({ kind: "failed", reason: startFault(program, options.folder, error) });
    });
    // Whatever it started goes with it, or its open output would keep the trial from ending.
    child.once("exit", () => timers.add(setTimeout(killNow, drainMs)));
    child.once("close", (code, name) => {
      killNow();
      finish(endOf(code, name));
    });
  });

  function endOf(code: number | null, name: NodeJS.Signals | null): CommandEnd {
    if (wanted === "timeout")
      return { kind: "failed", reason: `ran longer than ${(options.timeoutMs ?? 0) / 1000} s` };
    if (wanted === "end") return { kind: "ended" };
    if (code === 0) return { kind: "done" };
    const how = code === null ? `was killed by ${name ?? "a signal"}` : `ended with code ${code}`;
    const why = lastError.slice(0, reasonCharactersMax);
    return { kind: "failed", reason: why === "" ? how : `${how}: ${why}` };
  }

  return {
    ended,
    ranMs: () => (suspended ? ranMs : ranMs + performance.now() - since),
    end: () => kill("end"),
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

function startFault(program: string, folder: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return `there is no program "${program}" (looked for from ${folder})`;
    case "EACCES":
      return `"${program}" may not be executed; \`chmod +x\` allows it`;
    case "E2BIG":
      return `the command line is too long; pass the parameters by \${args_json_file}`;
    default:
      return `"${program}" could not be started (${error.code ?? error.message})`;
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "").slice(-lineCharactersMax);
    for (const line of lines) onLine(line);
  });
  stream.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}
