/** `trialmesh model export`: a model as a folder that works without trialmesh. */
import type { Command } from "commander";
import * as z from "zod";
import type { ExportedVersion } from "../../client/model/export-version.ts";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { plural } from "../../protocol/plural.ts";
import { modelFormats, type ModelFormat } from "../../serving/export/model-format.ts";
import { formatBytes } from "../../text/figure.ts";
import { printAnswer } from "../shell/answer.ts";
import { modelArgument } from "../shell/model-option.ts";
import { action, asking, examples, fileArgument, flag } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
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
    .argument("<model>", "name@version, name@alias or name@best", modelArgument)
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
        "trialmesh model export language-id@champion --to language-id --format onnx",
        "trialmesh model export prices@3 --to prices --format mlflow --force",
        "trialmesh model export detector@best --to detector       # what a script made",
      ),
    )
    .action(
      action(terminal, (reference: ModelReference, options: Options) =>
        withMesh(terminal, options, async (connected) => {
          const { exportVersion } = await import("../../client/model/export-version.ts");
          const { force = false, format = null, to } = options;
          const progress = progressOf(terminal, reference.model);
          const asked = { folder: to, format, force, progress };
          const surroundings = {
            environment: terminal.environment,
            say: (line: string) => terminal.note(line),
          };
          const made = await exportVersion(connected, reference, asked, surroundings);
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
