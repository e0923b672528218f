/** `trialmesh dataset preview`: what each step of a plan makes of the first rows, so that a plan is written by looking. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, examples, fileArgument, printing } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import { printAnswer, printRefusal, type PrintOptions } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";

interface Options extends PrintOptions {
  readonly rows: number;
}

const usualRows = 3;
const rowsMax = 1000;

export function datasetPreviewCommand(terminal: Terminal): Command {
  return printing("preview", "show the first rows after each step of a dataset file's plan; sends nothing")
    .argument("<file>", "the dataset file (YAML)", fileArgument)
    .option("--rows <n>", "rows to show after each step", wholeFlag(1, rowsMax), usualRows)
    .addHelpText("after", examples("trialmesh dataset preview examples/datasets/ag-news.yaml --rows 2"))
    .action(action(terminal, (file: string, options: Options) => preview(terminal, file, options)));
}

async function preview(terminal: Terminal, file: string, options: Options): Promise<ExitCode> {
  const { readDeclared } = await import("../../client/dataset/open-version.ts");
  const { engineHere } = await import("../../client/dataset/engine-option.ts");
  const { previewPlan } = await import("../../data/version/preview.ts");
  const { previewText } = await import("../print/preview-text.ts");
  const declared = await readDeclared(file, terminal.environment);
  if (!declared.ok) return printRefusal(terminal, options, declared.refusal);
  const shown = await previewPlan(declared.value.declaration, options.rows, engineHere);
  if (!shown.ok) return printRefusal(terminal, options, shown.refusal);
  printAnswer(terminal, options, accept(shown.value), previewText);
  if (shown.value.refusal === null) return exitCode.ok;
  terminal.note(`trialmesh: ${shown.value.refusal.message}`);
  return exitCode.failed;
}
