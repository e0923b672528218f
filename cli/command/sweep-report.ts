/** `trialmesh sweep report`: what a sweep found, as one HTML page to look at, keep or send. */
import type { Command } from "commander";
import { action, asking, examples, fileArgument, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { writeSweepReport } from "../../client/report/sweep-report.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly out?: string;
}

export function sweepReportCommand(terminal: Terminal): Command {
  return asking("report", "write a sweep's charts as one HTML page that needs no network")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--out <file>", "where to write it (default: SWEEP.html)", fileArgument)
    .addHelpText("after", examples("trialmesh sweep report s1 --out s1.html"))
    .action(
      action(terminal, (sweep: string, options: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const written = await writeSweepReport(client, sweep, options.out ?? `${sweep}.html`);
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
