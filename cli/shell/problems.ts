/** The problems of a file, one line each as compilers print them, so that editors can jump there. */
import { refuse } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { formatProblems, type Problem } from "../../spec/yaml/problem.ts";
import type { Terminal } from "./terminal.ts";
import type { PrintOptions } from "./answer.ts";
import { jsonText } from "../../text/printable.ts";

export function printProblems(
  terminal: Terminal,
  options: PrintOptions,
  file: string,
  problems: readonly Problem[],
): ExitCode {
  const text = formatProblems(file, problems);
  if (options.json === true) {
    const { refusal } = refuse("invalid", text);
    terminal.out(jsonText({ refusal, problems }));
  }
  terminal.note(text);
  return exitCode.failed;
}
