/** `trialmesh dataset check`: whether a dataset is as expected, with the rows that are not. Records nothing. */
import type { Command } from "commander";
import { refuse } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
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
    )
    .option("--expect <file>", "the dataset file whose expectations count")
    .addHelpText(
      "after",
      `${examples("trialmesh dataset check examples/datasets/ag-news.yaml", "trialmesh dataset check ag-news@1 --expect stricter.yaml")}\nExits 0 where all that must hold does, 1 where something does not.\n`,
    )
    .action(action(terminal, (dataset: string, options: Options) => check(terminal, dataset, options)));
}

async function check(terminal: Terminal, dataset: string, options: Options): Promise<ExitCode> {
  const { isDatasetFile, openVersion, readDeclared } = await import("../../client/dataset/open-version.ts");
  const { engineHere } = await import("../../client/dataset/engine-option.ts");
  const { checkExpectations } = await import("../../data/expectation/check-expectations.ts");
  const { expectationText } = await import("../print/expectation-text.ts");
  const others =
    options.expect === undefined ? null : await readDeclared(options.expect, terminal.environment);
  if (others?.ok === false) return printRefusal(terminal, options, others.refusal);
  const opened = await openVersion(dataset, surroundingsOf(terminal), options.as);
  if (!opened.ok) return printRefusal(terminal, options, opened.refusal);
  const { digest, path } = opened.value;
  const expectations = others?.value.expect ?? opened.value.expect ?? [];
  if (expectations.length === 0) {
    const message =
      options.expect === undefined && !isDatasetFile(dataset)
        ? `a version does not hold what is expected of it; name the dataset file that says it, as in --expect FILE (what came of the check at its building: \`trialmesh dataset show NAME\`)`
        : `${options.expect ?? dataset} says nothing of what is expected; add a list \`expect:\` to it, as in expect: [no-leakage]`;
    return printRefusal(terminal, options, refuse("invalid", message).refusal);
  }
  const report = await checkExpectations({ path, digest, expectations }, engineHere);
  printAnswer(terminal, options, report, expectationText);
  return report.ok && report.value.passed ? exitCode.ok : exitCode.failed;
}
