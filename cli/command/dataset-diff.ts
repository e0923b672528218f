/** `trialmesh dataset diff`: how two datasets, versions or splits differ, and whether that is drift. */
import { Option, type Command } from "commander";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples, fileArgument } from "../shell/option.ts";
import { pageFile, withPageFlag, type PageOptions } from "../shell/page-option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

type Split = "train" | "validation" | "test";

interface Options extends MeshOptions, PageOptions {
  readonly splitA?: Split;
  readonly splitB?: Split;
}

const splits = ["train", "validation", "test"];

export function datasetDiffCommand(terminal: Terminal): Command {
  return withPageFlag(
    asking("diff", "show how two datasets differ: rows, schema, labels, and drift of every column"),
    "write it as one HTML page, too",
  )
    .argument(
      "<a>",
      "the reference: NAME, NAME@VERSION, a dataset file or a version's .parquet file",
      fileArgument,
    )
    .argument("<b>", "what is compared with it", fileArgument)
    .addOption(new Option("--split-a <split>", "only this split of the first").choices(splits))
    .addOption(new Option("--split-b <split>", "only this split of the second").choices(splits))
    .addHelpText(
      "after",
      `${examples("trialmesh dataset diff reviews@1 reviews@2", "trialmesh dataset diff reviews reviews --split-a train --split-b test")}\nExits 0 where nothing has drifted, 1 where something has.\n`,
    )
    .action(action(terminal, (a: string, b: string, options: Options) => diff(terminal, a, b, options)));
}

async function diff(terminal: Terminal, a: string, b: string, options: Options): Promise<ExitCode> {
  const { diffVersions, writeDiffPage } = await import("../../client/dataset/diff-versions.ts");
  const { driftText } = await import("../print/drift-text.ts");
  const found = await diffVersions(
    { dataset: a, split: options.splitA },
    { dataset: b, split: options.splitB },
    surroundingsOf(terminal),
    options.as,
  );
  printAnswer(terminal, options, found, driftText);
  if (!found.ok) return exitCode.failed;
  const page = pageFile(terminal, options);
  if (page !== undefined) {
    const written = writeDiffPage(page, found.value);
    if (!written.ok) return printRefusal(terminal, options, written.refusal);
    terminal.note(`${written.value.file}: ${formatBytes(written.value.bytes)}, open it in a browser`);
  }
  return found.value.drifted ? exitCode.failed : exitCode.ok;
}
