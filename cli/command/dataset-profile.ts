/** `trialmesh dataset profile`: what a dataset's rows are like, what is wrong with them, and which labels look wrong. */
import type { Command } from "commander";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, eachOf, examples, fileArgument, textFlag } from "../shell/option.ts";
import { pageFile, withPageFlag, type PageOptions } from "../shell/page-option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { glyphsFor } from "../../text/glyph.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import { nameCharactersMax } from "../../protocol/bound.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

const columnFlag = textFlag("a column of the file", nameCharactersMax);

interface Options extends MeshOptions, PageOptions {
  readonly labelErrors: boolean;
  readonly text?: string;
  readonly label?: string;
}

export function datasetProfileCommand(terminal: Terminal): Command {
  return withPageFlag(
    asking("profile", "show what a dataset's rows are like, and what is wrong with them"),
    "write it as one HTML page, too",
  )
    .argument(
      "<dataset>",
      "NAME, NAME@VERSION, a dataset file (YAML), any .csv, .tsv, .jsonl or .parquet file, or a .json of this command's --json",
      fileArgument,
    )
    .argument(
      "[parts...]",
      "more of these: parts of one set, each profiled and then merged into one profile",
      eachOf(fileArgument),
    )
    .option("--no-label-errors", "do not look for labels that are likely wrong (of parts it never does)")
    .option("--text <column>", "of a plain file: the column to look into as text", columnFlag)
    .option("--label <column>", "of a plain file: the column of labels", columnFlag)
    .addHelpText(
      "after",
      examples(
        "trialmesh dataset profile ag-news@1 --html ag-news.html",
        "trialmesh dataset profile raw.csv --text review",
        "trialmesh dataset profile here.csv there.csv --html both.html",
        "trialmesh dataset profile machine-1.json machine-2.json",
      ),
    )
    .action(
      action(terminal, (dataset: string, parts: readonly string[], options: Options) =>
        profile(terminal, [dataset, ...parts], options),
      ),
    );
}

async function profile(
  terminal: Terminal,
  parts: readonly [string, ...string[]],
  options: Options,
): Promise<ExitCode> {
  // It loads DuckDB, which other commands need not wait for.
  const { profileDataset, writeProfilePage } = await import("../../client/dataset/profile-dataset.ts");
  const made = await profileDataset({ ...options, parts }, surroundingsOf(terminal));
  if (!made.ok) return printRefusal(terminal, options, made.refusal);
  const { profileText } = await import("../print/profile-text.ts");
  const { leftOutText } = await import("../print/left-out-text.ts");
  const { labelErrorText } = await import("../print/label-error-text.ts");
  const layout = terminal.interactive
    ? { glyphs: glyphsFor(terminal.environment), width: terminal.columns }
    : {};
  const code = printAnswer(terminal, options, made, ({ errors, manifest, profile: found }) =>
    [
      profileText(found, layout),
      ...(manifest === null ? [] : [leftOutText(manifest)]),
      ...(errors === null ? [] : [labelErrorText(errors)]),
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
  );
  const page = pageFile(terminal, options);
  if (page === undefined) return code;
  const written = writeProfilePage(page, made.value);
  if (!written.ok) return printRefusal(terminal, options, written.refusal);
  terminal.note(`${written.value.file}: ${formatBytes(written.value.bytes)}, open it in a browser`);
  return code;
}
