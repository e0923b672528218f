/** `trialmesh sweep lint`: what a sweep file means and whether it can be run, without running it. */
import type { Command } from "commander";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, examples, fileArgument, printing } from "../shell/option.ts";
import { printRefusal, type PrintOptions } from "../shell/answer.ts";
import { printProblems } from "../shell/problems.ts";
import type { Terminal } from "../shell/terminal.ts";
import { jsonText } from "../../text/printable.ts";

interface Options extends PrintOptions {
  readonly convert?: boolean;
}

export function sweepLintCommand(terminal: Terminal): Command {
  return printing("lint", "check a sweep file and say how it is understood; runs nothing")
    .argument("<file>", "a sweep file, a W&B sweep file, or a Katib Experiment", fileArgument)
    .option("--convert", "print it as a sweep file of trialmesh")
    .addHelpText(
      "after",
      examples(
        "trialmesh sweep lint wandb-sweep.yaml",
        "trialmesh sweep lint katib.yaml --convert > mine.yaml",
      ),
    )
    .action(action(terminal, (file: string, options: Options) => lint(terminal, file, options)));
}

async function lint(terminal: Terminal, file: string, options: Options): Promise<ExitCode> {
  const { readSweepAt } = await import("../../client/sweep/plan-sweep.ts");
  const { describeSweep } = await import("../../spec/file/describe-sweep.ts");
  const { writeSweepFile } = await import("../../spec/file/write-sweep-file.ts");
  const { formatProblems } = await import("../../spec/yaml/problem.ts");
  const read = await readSweepAt(file, {}, terminal.environment);
  if (!read.ok) return printRefusal(terminal, options, read.refusal);
  if (!read.value.ok) return printProblems(terminal, options, file, read.value.problems);
  const found = read.value.file;
  const notes = found.kind === "command" ? found.notes : [];
  if (options.convert === true) {
    if (notes.length > 0) terminal.note(formatProblems(file, notes));
    terminal.out(writeSweepFile(found).trimEnd());
    return exitCode.ok;
  }
  const summary = describeSweep(found);
  if (options.json === true) {
    const specs =
      found.kind === "models"
        ? { specs: found.plans.map((plan) => plan.spec(null)) }
        : { sweep: found.sweep };
    terminal.out(jsonText({ kind: found.kind, summary, notes, ...specs }));
  } else {
    terminal.out(`${file}: ${summary}`);
    if (notes.length > 0) terminal.out(formatProblems(file, notes));
  }
  return exitCode.ok;
}
