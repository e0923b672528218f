/**
 * Where a command reads its surroundings and writes its words: the process as an argument, so that
 * commands can be run in a test. Results go to `out`, everything about the way there to `note`.
 */
import type { Surroundings } from "../../system/environment.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";

export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Standard output is a terminal and no CI is at work: it is fit for a full-screen interface. */
  readonly interactive: boolean;
  readonly columns: number;
  /** A result, ended with a newline. */
  out(text: string): void;
  /** Progress, warnings, refusals: to standard error, ended with a newline. */
  note(text: string): void;
  /** The exit status so far; the last word counts. */
  finish(code: ExitCode): void;
}

/** What the rooms below the command line need of a terminal. */
export function surroundingsOf(terminal: Terminal): Surroundings {
  return { environment: terminal.environment, say: (line) => terminal.note(line) };
}

const columnsUnknown = 120;

export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) {
    // The reader went away (`| head`): there is nobody left to tell.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(exitCode.ok);
    });
  }
  const ci = process.env["CI"];
  return {
    environment: process.env,
    interactive:
      process.stdout.isTTY && process.stdin.isTTY && (ci === undefined || ci === "" || ci === "false"),
    columns: process.stdout.columns ?? columnsUnknown,
    out: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${text}\n`),
    finish: (code) => {
      process.exitCode = code;
    },
  };
}
