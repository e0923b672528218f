/** `trialmesh dataset add`: builds a declared dataset, once per mesh, and puts it on record with its check. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples, fileArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import type { AddedDataset } from "../../client/dataset/add-dataset.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly here?: boolean;
}

export function datasetAddCommand(terminal: Terminal): Command {
  return asking("add", "build a dataset file on an agent, once per mesh, and put the version on record")
    .argument("<file>", "the dataset file (YAML)", fileArgument)
    .option("--here", "build it on this machine, and send only what came of it")
    .addHelpText("after", examples("trialmesh dataset add examples/datasets/ag-news.yaml"))
    .action(action(terminal, (file: string, options: Options) => addFile(terminal, file, options)));
}

async function addFile(terminal: Terminal, file: string, options: Options): Promise<ExitCode> {
  // Reading and building load DuckDB, which other commands need not wait for.
  const { readDeclared } = await import("../../client/dataset/open-version.ts");
  const declared = await readDeclared(file, terminal.environment);
  if (!declared.ok) return printRefusal(terminal, options, declared.refusal);
  const { declaration, expect } = declared.value;
  return withMesh(terminal, options, async (connected) => {
    const { addDataset } = await import("../../client/dataset/add-dataset.ts");
    const added = await addDataset(connected, {
      declaration,
      expect,
      here: options.here === true,
      environment: terminal.environment,
      say: (line) => terminal.note(line),
    });
    if (!added.ok) return printRefusal(terminal, options, added.refusal);
    const { report, ...shown } = added.value;
    printAnswer(terminal, options, accept({ ...shown, report }), addedText);
    return report.passed ? exitCode.ok : exitCode.failed;
  });
}

function addedText({
  added,
  badRows,
  bytes,
  dataset,
  digest,
  report,
  rows,
  trial,
  version,
}: AddedDataset): string {
  const { test, train, validation } = rows;
  const failed = report.checks.filter(({ passed }) => !passed);
  return [
    `${dataset}@${version} ${added ? "is on record" : "was on record already"}: ${train} train, ${validation} validation, ${test} test rows, ${formatBytes(bytes)}, ${shortDigest(digest)}${trial === null ? "" : `, built by ${trial}`}`,
    ...(badRows === 0
      ? []
      : [`${plural(badRows, "row")} rejected; \`trialmesh dataset preview\` shows them`]),
    ...(report.checks.length === 0
      ? []
      : [`${report.checks.length - failed.length} of ${plural(report.checks.length, "expectation")} hold`]),
    ...failed.map(
      ({ found, severity, title }) => `  ${severity === "refuse" ? "fails" : "warns"}: ${title}: ${found}`,
    ),
  ].join("\n");
}
