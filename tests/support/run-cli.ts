/** Runs the command line, as people do in a process of its own, or in this one. Not a mesh: see the live tests for that. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { program } from "../../cli/command-tree.ts";
import { exitCode } from "../../protocol/exit-code.ts";
import { openTerminal, type Terminal } from "../../cli/shell/terminal.ts";

/** The sources under type stripping, else what they were compiled to. */
export const mainFile = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../cli/main.ts" : "../../cli/main.js", import.meta.url),
);

export interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function runCli(
  parameters: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  within: readonly string[] = [],
): Promise<CliResult> {
  const env = { ...process.env, ...environment };
  const [program = process.execPath, ...words] = [...within, process.execPath, mainFile, ...parameters];
  return outcomeOf(spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe"] }));
}

/** A command that ends by itself, in this process, where it starts in no time. What `cli/main.ts` adds is left out. */
export async function runHere(
  parameters: readonly string[],
  environment: Terminal["environment"] = process.env,
  connect?: Terminal["connect"],
): Promise<CliResult> {
  const heard = { out: "", err: "", code: 0 };
  const terminal = openTerminal({
    environment,
    interactive: false,
    columns: 100,
    writeOut: (text) => void (heard.out += text),
    writeErr: (text) => void (heard.err += text),
    finish: (code) => void (heard.code = code),
    ...(connect === undefined ? {} : { connect }),
  });
  try {
    await program(terminal).parseAsync(["node", "trialmesh", ...parameters]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    heard.code = error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
  return heard;
}

/** Everything a child printed, once it has ended. */
export function outcomeOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
}
