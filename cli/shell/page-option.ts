/** `--html FILE`: where a command writes its page. All that write one have this flag; `--out`, as one was called before, is still taken. */
import { Option, type Command } from "commander";
import { fileArgument } from "./option.ts";
import type { Terminal } from "./terminal.ts";

export interface PageOptions {
  readonly html?: string;
  readonly out?: string;
}

export function withPageFlag(command: Command, about: string): Command {
  return command
    .option("--html <file>", about, fileArgument)
    .addOption(new Option("--out <file>", "as --html").argParser(fileArgument).hideHelp());
}

/** Undefined where no page is asked for. */
export function pageFile(terminal: Terminal, { html, out }: PageOptions): string | undefined {
  if (out === undefined) return html;
  terminal.note(
    html === undefined
      ? "trialmesh: --out of a page is called --html now; both are taken"
      : "trialmesh: --out is --html's former name; where both are given, --html counts",
  );
  return html ?? out;
}
