/** `trialmesh dataset check`: whether a dataset is as expected, with the rows that are not. Records nothing. */
import type { Command } from "commander";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples, fileArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly expect?: string;
}

export function datasetCheckCommand(terminal: Terminal): Command {
  return asking("check", "check a dataset against its expectations, and show the rows that fail")
    .argument(
      "<dataset>",
      "a dataset file (YAML), or NAME, NAME@VERSION or a version's .parquet file with --expect",
      fileArgument,
    )
    .option("--expect <file>", "the dataset file whose expectations count", fileArgument)
    .addHelpText(
      "after",
      `${examples("trialmesh dataset check examples/datasets/ag-news.yaml", "trialmesh dataset check ag-news@1 --expect stricter.yaml")}\nExits 0 where all that must hold does, 1 where something does not.\n`,
    )
    .action(action(terminal, (dataset: string, options: Options) => check(terminal, dataset, options)));
}

async function check(terminal: Terminal, dataset: string, options: Options): Promise<ExitCode> {
  const { checkDataset } = await import("../../client/dataset/check-dataset.ts");
  const { expectationText } = await import("../print/expectation-text.ts");
  const { as, expect } = options;
  const report = await checkDataset({ dataset, as, expect }, surroundingsOf(terminal));
  printAnswer(terminal, options, report, expectationText);
  return report.ok && report.value.passed ? exitCode.ok : exitCode.failed;
}
