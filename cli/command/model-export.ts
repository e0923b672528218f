/** `trialmesh model export`: a model as a folder that works without trialmesh. */
import type { Command } from "commander";
import * as z from "zod";
import type { ExportedVersion } from "../../client/model/export-version.ts";
import { plural } from "../../protocol/plural.ts";
import { modelFormats, type ModelFormat } from "../../serving/export/model-format.ts";
import { formatBytes } from "../../text/figure.ts";
import { printAnswer } from "../shell/answer.ts";
import { action, asking, examples, fileArgument, flag } from "../shell/option.ts";
import { namedModelArgument } from "../shell/model-option.ts";
import { surroundingsOf, type Terminal } from "../shell/terminal.ts";
import { progressOf } from "../shell/with-artifacts.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly to: string;
  readonly format?: ModelFormat;
  readonly force?: boolean;
}

const formatFlag = flag(z.enum(modelFormats), modelFormats.join(", "));

export function modelExportCommand(terminal: Terminal): Command {
  return asking("export", "write a model as a folder that works without trialmesh, with programs that ask it")
    .argument(
      "<model>",
      "name, name@version, name@alias or name@best; a name alone is its champion",
      namedModelArgument,
    )
    .requiredOption("--to <folder>", "a folder that is not there yet, or is empty", fileArgument)
    .option(
      "--format <format>",
      `what it is written as: ${modelFormats.join(", ")}; none for a model that a program made, which is copied as it is`,
      formatFlag,
    )
    .option("--force", "replace an earlier export in that folder")
    .addHelpText(
      "after",
      examples(
        "trialmesh model export language-id --to language-id --format onnx",
        "trialmesh model export prices@3 --to prices --format mlflow --force",
        "trialmesh model export detector@best --to detector       # what a script made",
      ),
    )
    .action(
      action(terminal, (reference: string, options: Options) =>
        withMesh(terminal, options, async (connected) => {
          const { exportVersion } = await import("../../client/model/export-version.ts");
          const { force = false, format = null, to } = options;
          const progress = progressOf(terminal, reference);
          const asked = { folder: to, format, force, progress };
          const made = await exportVersion(connected, reference, asked, surroundingsOf(terminal));
          return printAnswer(terminal, options, made, exportedText);
        }),
      ),
    );
}

function exportedText({ bytes, files, folder, format, model }: ExportedVersion): string {
  const what =
    format === "as it is" ? "as the program left it" : `as ${format}; its README.md says how to ask it`;
  return `${model} is in ${folder}: ${plural(files, "file")}, ${formatBytes(bytes)}, ${what}`;
}
