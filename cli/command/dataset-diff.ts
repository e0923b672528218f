/** `trialmesh dataset diff`: how two datasets, versions or splits differ, and whether that is drift. */
import { resolve } from "node:path";
import { Option, type Command } from "commander";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

type Split = "train" | "validation" | "test";

interface Options extends MeshOptions {
  readonly html?: string;
  readonly splitA?: Split;
  readonly splitB?: Split;
}

const splits = ["train", "validation", "test"];

export function datasetDiffCommand(terminal: Terminal): Command {
  return asking("diff", "show how two datasets differ: rows, schema, labels, and drift of every column")
    .argument("<a>", "the reference: NAME, NAME@VERSION, a dataset file or a version's .parquet file")
    .argument("<b>", "what is compared with it")
    .option("--html <file>", "write it as one HTML page, too")
    .addOption(new Option("--split-a <split>", "only this split of the first").choices(splits))
    .addOption(new Option("--split-b <split>", "only this split of the second").choices(splits))
    .addHelpText(
      "after",
      `${examples("trialmesh dataset diff reviews@1 reviews@2", "trialmesh dataset diff reviews reviews --split-a train --split-b test")}\nExits 0 where nothing has drifted, 1 where something has.\n`,
    )
    .action(action(terminal, (a: string, b: string, options: Options) => diff(terminal, a, b, options)));
}

async function diff(terminal: Terminal, a: string, b: string, options: Options): Promise<ExitCode> {
  const { openVersion } = await import("../../client/dataset/open-version.ts");
  const { engineHere } = await import("../../client/dataset/engine-option.ts");
  const { diffDatasets } = await import("../../data/drift/diff-datasets.ts");
  const { driftText } = await import("../print/drift-text.ts");
  const first = await openVersion(a, surroundingsOf(terminal), options.as);
  if (!first.ok) return printRefusal(terminal, options, first.refusal);
  const second = await openVersion(b, surroundingsOf(terminal), options.as);
  if (!second.ok) return printRefusal(terminal, options, second.refusal);
  const found = await diffDatasets(
    { path: first.value.path, digest: first.value.digest, split: options.splitA },
    { path: second.value.path, digest: second.value.digest, split: options.splitB },
    engineHere,
  );
  printAnswer(terminal, options, found, driftText);
  if (!found.ok) return exitCode.failed;
  if (options.html !== undefined) {
    const { diffPage } = await import("../../client/report/dataset/diff-page.ts");
    const { readPageParts } = await import("../../client/report/chart-library.ts");
    const { writePage } = await import("../../client/report/write-page.ts");
    const written = writePage(resolve(options.html), diffPage(found.value, readPageParts()), "--html");
    if (!written.ok) return printRefusal(terminal, options, written.refusal);
    terminal.note(`${written.value.file}: ${formatBytes(written.value.bytes)}, open it in a browser`);
  }
  return found.value.drifted ? exitCode.failed : exitCode.ok;
}
