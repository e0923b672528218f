/** `trialmesh trial export`: one trial and all that it said, as files for other programs. */
import type { Command } from "commander";
import { trialSource } from "../../client/export/export-sweep.ts";
import { runExport, withExportFlags, type ExportCommandOptions } from "../shell/export-option.ts";
import { action, asking, examples, trialArgument } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";

export function trialExportCommand(terminal: Terminal): Command {
  return withExportFlags(
    asking("export", "write a trial and every metric it reported as csv, parquet or json").argument(
      "<trial>",
      "id of the trial, such as s7-12",
      trialArgument,
    ),
  )
    .addHelpText(
      "after",
      examples(
        "trialmesh trial export s1-3 --out s1-3.json",
        "trialmesh trial export s1-3 --table history --out -",
      ),
    )
    .action(
      action(terminal, (trial: string, options: ExportCommandOptions) =>
        runExport(terminal, options, trial, (client) => trialSource(client, trial)),
      ),
    );
}
