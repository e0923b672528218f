/**
 * The two ways any answer leaves a command: as text for people, or as one JSON document (`--json`).
 * A refusal is a sentence on standard error either way.
 */
import type { Outcome, Refusal } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import type { Terminal } from "./terminal.ts";
import { jsonText } from "../../text/printable.ts";

export interface PrintOptions {
  readonly json?: boolean;
}

export function printAnswer<T>(
  terminal: Terminal,
  options: PrintOptions,
  answer: Outcome<T>,
  text: (value: T) => string,
): ExitCode {
  if (!answer.ok) return printRefusal(terminal, options, answer.refusal);
  terminal.out(options.json === true ? jsonText(answer.value) : text(answer.value));
  for (const { left, list } of answer.cut ?? [])
    terminal.note(`trialmesh: ${left} more of "${list}" are left out: all of them do not fit one answer`);
  return exitCode.ok;
}

export function printRefusal(terminal: Terminal, options: PrintOptions, refusal: Refusal): ExitCode {
  if (options.json === true) terminal.out(jsonText({ refusal }));
  terminal.note(sayRefusal(refusal));
  return exitCode.failed;
}

const ownPlace = /^\S+\.ya?ml:/iu;

/** Lines that name a file themselves stand as they are, as compilers print them, so that editors can jump there. */
export function sayRefusal({ message }: Refusal): string {
  return ownPlace.test(message) ? message : `trialmesh: ${message}`;
}
