/**
 * How a command ended, in one sentence: from what it was asked, what it did, and what the system did to it. It looks at
 * nothing itself.
 */
import { constants } from "node:os";

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

export interface CommandOutcome {
  /** What it was made to end for; `run`: nobody did. */
  readonly wanted: "run" | "end" | "time" | "memory" | "output";
  /** What it was allowed. */
  readonly limits: {
    readonly timeoutMs: number | null;
    readonly memoryMaxMiB?: number;
    readonly outputMaxMiB?: number;
  };
  readonly heldMostMiB: number;
  /** What of its output says why it ended; empty where nothing does. */
  readonly lastWords: string;
  /** What its file adds to that, in brackets. */
  readonly startNote: string;
  /** Its error output spoke of memory that ran out. */
  readonly memoryWords: boolean;
  /** The kernel killed something for lack of memory while it ran. */
  readonly killedByKernel: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const reasonCharactersMax = 300;
const signalCodesFrom = 128;
const killing: ReadonlySet<string> = new Set([
  "SIGKILL",
  "SIGSEGV",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGILL",
  "SIGSYS",
  "SIGTRAP",
  "SIGXCPU",
  "SIGTERM",
  "SIGHUP",
]);

export function commandEnd(outcome: CommandOutcome): CommandEnd {
  const { heldMostMiB, limits, wanted } = outcome;
  switch (wanted) {
    case "end":
      return { kind: "ended" };
    case "time":
      return failed("time", `ran longer than ${(limits.timeoutMs ?? 0) / 1000} s`);
    case "memory":
      return failed(
        "memory",
        `held ${Math.round(heldMostMiB)} MiB of memory, and may hold ${limits.memoryMaxMiB} MiB`,
      );
    case "output":
      return failed(
        "output",
        `wrote more than ${limits.outputMaxMiB} MiB of output; print less, or write into a file`,
      );
    case "run":
      return endByItself(outcome);
  }
}

function endByItself(outcome: CommandOutcome): CommandEnd {
  const { code, killedByKernel, lastWords, memoryWords, signal, startNote } = outcome;
  if (code === 0) return { kind: "done" };
  const why =
    lastWords.length > reasonCharactersMax ? `${lastWords.slice(0, reasonCharactersMax)}…` : lastWords;
  const said = why === "" ? "" : `: ${why}`;
  if (signal === "SIGKILL") {
    return killedByKernel
      ? failed("memory", "was killed by the system for lack of memory", true)
      : failed("signal", "was killed by SIGKILL, by hand or by the system for lack of memory", true);
  }
  if (code === null) return failed("signal", `was killed by ${signal ?? "a signal"}${said}`, true);
  if (memoryWords)
    return failed("memory", `ran out of memory and ended with code ${code}${said}`, killedByKernel);
  const within = signalWithin(code);
  if (within === "SIGKILL" && killedByKernel)
    return failed(
      "memory",
      `ended with code ${code}: the system killed a part of it for lack of memory`,
      true,
    );
  if (within !== null)
    return failed(
      "signal",
      `ended with code ${code}, as where a part of it was killed by ${within}${said}`,
      true,
    );
  return failed("code", `ended with code ${code}${said}${startNote}`);
}

/** A shell ends with 128 and the number of the signal that killed what it ran; null where that is none that kills. */
function signalWithin(code: number): string | null {
  const number = code - signalCodesFrom;
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found === undefined || !killing.has(found[0]) ? null : found[0];
}

function failed(fault: CommandFault, reason: string, elsewhere = false): CommandEnd {
  return { kind: "failed", fault, reason, elsewhere };
}
