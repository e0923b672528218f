/** `trialmesh sweep export`: a sweep's trials and all that they said, as files for other programs. */
import type { Command } from "commander";
import { sweepSource } from "../../client/export/export-sweep.ts";
import type { RowCondition } from "../../client/list/row-condition.ts";
import { whereFlag } from "../shell/where-option.ts";
import { runExport, withExportFlags, type ExportCommandOptions } from "../shell/export-option.ts";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";

interface Options extends ExportCommandOptions {
  readonly where?: readonly RowCondition[];
}

export function sweepExportCommand(terminal: Terminal): Command {
  return withExportFlags(
    asking(
      "export",
      "write a sweep's trials and every metric they reported as csv, parquet or json",
    ).argument("<sweep>", "id of the sweep, such as s7", sweepArgument),
  )
    .option(
      "--where <condition>",
      "only trials of which this holds, such as 'lr>0.001'; may be given several times",
      whereFlag,
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh sweep export s1                       # s1-export/trials.csv and history.csv",
        "trialmesh sweep export s1 --format parquet --out results",
        "trialmesh sweep export s1 --out s1.json",
        "trialmesh sweep export s1 --table history --out - | head",
      ),
    )
    .action(
      action(terminal, (sweep: string, options: Options) =>
        runExport(terminal, options, sweep, (client) => sweepSource(client, sweep, options.where ?? [])),
      ),
    );
}
