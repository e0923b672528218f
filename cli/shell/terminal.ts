/**
 * Where a command reads its surroundings and writes its words: the process as an argument, so that
 * commands can be run in a test. Results go to `out`, everything about the way there to `note`. It is the one door to a
 * terminal that shows lines: what others wrote passes it without anything that a terminal would obey. The full-screen
 * interface cleans its own lines.
 */
import { connectMesh, type Connected } from "../../client/connect/connect-mesh.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Environment, Surroundings } from "../../system/environment.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { printableLines } from "../../text/printable.ts";
import { processOutput } from "./output.ts";

export interface Terminal {
  readonly environment: Environment;
  /** Standard output is a terminal and no CI is at work: it is fit for a full-screen interface. */
  readonly interactive: boolean;
  readonly columns: number;
  /** A result, ended with a newline. */
  out(text: string): void;
  /** Text that is for another program: as it is, unless a terminal would show it. Resolves once there is room for more. */
  pour(text: string): Promise<void>;
  /** Progress, warnings, refusals: to standard error, ended with a newline. */
  note(text: string): void;
  /** The exit status so far; the last word counts. */
  finish(code: ExitCode): void;
  /** This command lasts: it neither ends nor waits because nobody reads what it says. */
  last(): void;
  /** The mesh of this home, as this person. */
  connect(as?: string): Promise<Outcome<Connected>>;
}

/** What a terminal is made over. */
export interface TerminalOptions {
  readonly environment: Environment;
  readonly interactive: boolean;
  readonly columns: number;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Left out where nobody waits for a reader. */
  readonly pour?: Terminal["pour"];
  readonly finish: Terminal["finish"];
  readonly last?: Terminal["last"];
  readonly connect?: Terminal["connect"];
}

export function openTerminal(options: TerminalOptions): Terminal {
  const { columns, connect, environment, finish, interactive, last, writeErr, writeOut } = options;
  return {
    environment,
    interactive,
    columns,
    out: (text) => writeOut(`${printableLines(text)}\n`),
    pour:
      options.pour ??
      ((text) => {
        writeOut(text);
        return Promise.resolve();
      }),
    note: (text) => writeErr(`${printableLines(text)}\n`),
    finish,
    last: last ?? (() => undefined),
    connect: connect ?? ((as) => connectMesh(environment, as)),
  };
}

/** What the rooms below the command line need of a terminal. */
export function surroundingsOf(terminal: Terminal): Surroundings {
  return { environment: terminal.environment, say: (line) => terminal.note(line) };
}

const columnsUnknown = 120;

export function processTerminal(): Terminal {
  const { last, pourOut, writeErr, writeOut } = processOutput();
  const ci = process.env["CI"];
  return openTerminal({
    environment: process.env,
    interactive:
      process.stdout.isTTY && process.stdin.isTTY && (ci === undefined || ci === "" || ci === "false"),
    columns: process.stdout.columns ?? columnsUnknown,
    writeOut,
    writeErr,
    pour: (text) => pourOut(process.stdout.isTTY ? printableLines(text) : text),
    last,
    finish: (code) => {
      process.exitCode = code;
    },
  });
}
