/** How a process ended that ran in a sandbox, as the sandbox tells it by a code of its own. */
import { constants } from "node:os";

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const signalCodesFrom = 128;
/** Those that end a program by themselves. */
const signalNames: readonly NodeJS.Signals[] = [
  ...(["SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE"] as const),
  ...(["SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGXCPU"] as const),
  ...(["SIGXFSZ", "SIGSYS"] as const),
];

/** SANDBOX-4. Bubblewrap ends with 128 and the number of the signal that ended the program, as shells do. */
export function exitWithin(exit: Exit): Exit {
  const number = (exit.code ?? 0) - signalCodesFrom;
  const found = signalNames.find((name) => constants.signals[name] === number);
  return found === undefined ? exit : { code: null, signal: found };
}
