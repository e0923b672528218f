/** `trialmesh dataset profile`: what a dataset's rows are like, what is wrong with them, and which labels look wrong. */
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Profile } from "../../data/profile/profile.ts";
import type { LabelErrors } from "../../data/quality/find-label-errors.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { glyphsFor } from "../../text/glyph.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import type { MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly html?: string;
  readonly labelErrors: boolean;
  readonly text?: string;
  readonly label?: string;
}

interface Profiled {
  readonly profile: Profile;
  /** Null for a table, and where it was not asked for. */
  readonly errors: LabelErrors | null;
  /** Of a version, what its build left out; null for a plain file. */
  readonly manifest: Manifest | null;
}

const suspectsListed = 100;

export function datasetProfileCommand(terminal: Terminal): Command {
  return asking("profile", "show what a dataset's rows are like, and what is wrong with them")
    .argument(
      "<dataset>",
      "NAME, NAME@VERSION, a dataset file (YAML), or any .csv, .tsv, .jsonl or .parquet file",
    )
    .option("--html <file>", "write it as one HTML page, too")
    .option("--no-label-errors", "do not look for labels that are likely wrong")
    .option("--text <column>", "of a plain file: the column to look into as text")
    .option("--label <column>", "of a plain file: the column of labels")
    .addHelpText(
      "after",
      examples(
        "trialmesh dataset profile ag-news@1 --html ag-news.html",
        "trialmesh dataset profile raw.csv --text review",
      ),
    )
    .action(action(terminal, (dataset: string, options: Options) => profile(terminal, dataset, options)));
}

async function profile(terminal: Terminal, dataset: string, options: Options): Promise<ExitCode> {
  const made = await profiledOf(terminal, dataset, options);
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
  if (options.html === undefined) return code;
  const { profilePage } = await import("../../client/report/dataset/profile-page.ts");
  const { readPageParts } = await import("../../client/report/chart-library.ts");
  const { writePage } = await import("../../client/report/write-page.ts");
  const page = profilePage(made.value.profile, made.value.errors, readPageParts());
  const written = writePage(resolve(options.html), page, "--html");
  if (!written.ok) return printRefusal(terminal, options, written.refusal);
  terminal.note(`${written.value.file}: ${formatBytes(written.value.bytes)}, open it in a browser`);
  return code;
}

async function profiledOf(terminal: Terminal, dataset: string, options: Options): Promise<Outcome<Profiled>> {
  const { engineHere } = await import("../../client/dataset/engine-option.ts");
  const isPlain =
    /\.(?:csv|tsv|jsonl|ndjson)$/iu.test(dataset) ||
    options.text !== undefined ||
    options.label !== undefined;
  if (isPlain) {
    const { profileFile } = await import("../../data/profile/profile-file.ts");
    const { label, text } = options;
    const found = await profileFile({ path: dataset, text, label }, engineHere);
    return found.ok ? accept({ profile: found.value, errors: null, manifest: null }) : found;
  }
  const { isDatasetFile, openVersion, readDeclared } = await import("../../client/dataset/open-version.ts");
  const opened = await openVersion(dataset, surroundingsOf(terminal), options.as);
  if (!opened.ok) return opened;
  const { digest, path } = opened.value;
  let profiled: Outcome<Profiled>;
  if (isDatasetFile(dataset)) {
    // With the rows that the build leaves out of training, since a held-out split has their text.
    const { profileDeclaration } = await import("../../data/profile/profile-declaration.ts");
    const declared = await readDeclared(dataset, terminal.environment);
    if (!declared.ok) return declared;
    const found = await profileDeclaration(declared.value.declaration, engineHere);
    profiled = found.ok ? accept({ profile: found.value, errors: null, manifest: null }) : found;
  } else {
    const { profileVersion } = await import("../../data/profile/profile-version.ts");
    const { readManifest } = await import("../../data/manifest/read-manifest.ts");
    const manifest = await readManifest(path);
    if (!manifest.ok) return manifest;
    const found = await profileVersion(path, digest, engineHere);
    profiled = found.ok ? accept({ profile: found.value, errors: null, manifest: manifest.value }) : found;
  }
  if (!profiled.ok || !options.labelErrors || profiled.value.profile.text === null) return profiled;
  terminal.note("looking for labels that are likely wrong");
  const { versionLabelErrors } = await import("../../data/quality/version-label-errors.ts");
  const errors = await versionLabelErrors(path, { ...engineHere, most: suspectsListed });
  return errors.ok ? accept({ ...profiled.value, errors: errors.value }) : errors;
}
