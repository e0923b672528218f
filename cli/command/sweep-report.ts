/** `trialmesh sweep report`: what a sweep found, as one HTML page to look at, keep or send. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { pageFile, withPageFlag, type PageOptions } from "../shell/page-option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { writeSweepReport } from "../../client/report/sweep-report.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function sweepReportCommand(terminal: Terminal): Command {
  return withPageFlag(
    asking("report", "write a sweep's charts as one HTML page that needs no network").argument(
      "<sweep>",
      "id of the sweep, such as s7",
      sweepArgument,
    ),
    "where to write it (default: SWEEP.html)",
  )
    .addHelpText("after", examples("trialmesh sweep report s1 --html s1.html"))
    .action(
      action(terminal, (sweep: string, options: MeshOptions & PageOptions) =>
        withMesh(terminal, options, async ({ client }) => {
          const file = pageFile(terminal, options) ?? `${sweep}.html`;
          const written = await writeSweepReport(client, sweep, file);
          return printAnswer(
            terminal,
            options,
            written,
            ({ bytes, file }) => `${file}: ${formatBytes(bytes)}, open it in a browser`,
          );
        }),
      ),
    );
}
