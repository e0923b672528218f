/** `trialmesh dataset diff`: how two datasets, versions or splits differ, and whether that is drift. */
import { Option, type Command } from "commander";
import { accept, refuse } from "../../protocol/refusal.ts";
import { readPrivateFile } from "../../system/private-file.ts";
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
  readonly serving?: string;
  readonly key?: string;
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
    .argument("[b]", "what is compared with it", fileArgument)
    .option(
      "--serving <profile>",
      "compare with what a server was asked: the address of its /profile/NAME, or a file that has it",
      fileArgument,
    )
    .option("--key <file>", "with --serving: a file with the server's key", fileArgument)
    .addOption(new Option("--split-a <split>", "only this split of the first").choices(splits))
    .addOption(new Option("--split-b <split>", "only this split of the second").choices(splits))
    .addHelpText(
      "after",
      `${examples("trialmesh dataset diff reviews@1 reviews@2", "trialmesh dataset diff reviews reviews --split-a train --split-b test", "trialmesh dataset diff reviews@2 --serving http://127.0.0.1:8080/profile/mood")}\nExits 0 where nothing has drifted, 1 where something has.\n`,
    )
    .action(
      action(terminal, (a: string, b: string | undefined, options: Options) => {
        const wrong = wrongUsage(terminal, b, options);
        if (wrong !== null) {
          printRefusal(terminal, options, refuse("invalid", wrong).refusal);
          return Promise.resolve(exitCode.usage);
        }
        return b === undefined ? diffServed(terminal, a, options) : diff(terminal, a, b, options);
      }),
    );
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

function wrongUsage(terminal: Terminal, b: string | undefined, options: Options): string | null {
  const { key, serving, splitA, splitB } = options;
  if (serving === undefined && b === undefined)
    return "two things are compared: name another data set, or what is served with --serving";
  if (serving !== undefined && b !== undefined)
    return "another data set and --serving are two questions; ask one at a time";
  if (serving === undefined) return key === undefined ? null : "--key is a server's, which --serving names";
  if (splitA !== undefined || splitB !== undefined)
    return "what is served has no splits, and is compared with the training split";
  return pageFile(terminal, options) === undefined
    ? null
    : "there is no page of --serving; --json has all of it";
}

async function diffServed(terminal: Terminal, dataset: string, options: Options): Promise<ExitCode> {
  const { diffServing } = await import("../../client/model/diff-serving.ts");
  const { servingDriftText } = await import("../print/drift-text.ts");
  const { as, key: keyFile, serving = "" } = options;
  const key = keyFile === undefined ? accept(undefined) : readPrivateFile(keyFile);
  if (!key.ok) return printRefusal(terminal, options, key.refusal);
  const found = await diffServing({ dataset, serving, as, key: key.value?.trim() }, surroundingsOf(terminal));
  printAnswer(terminal, options, found, servingDriftText);
  return found.ok && !found.value.drifted ? exitCode.ok : exitCode.failed;
}
