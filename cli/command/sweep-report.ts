/** `trialmesh sweep report`: what a sweep found, as one HTML page to look at, keep or send. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { sweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { formatBytes } from "../../text/figure.ts";
import { readPageParts } from "../../client/report/chart-library.ts";
import { reportPage } from "../../client/report/report-page.ts";
import { writePage } from "../../client/report/write-page.ts";
import { wholeSweep } from "../../client/report/whole-sweep.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly out?: string;
}

export function sweepReportCommand(terminal: Terminal): Command {
  return asking("report", "write a sweep's charts as one HTML page that needs no network")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--out <file>", "where to write it (default: SWEEP.html)")
    .addHelpText("after", examples("trialmesh sweep report s1 --out s1.html"))
    .action(
      action(terminal, (sweep: string, options: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const view = await wholeSweep(client, sweep);
          if (!view.ok) return printRefusal(terminal, options, view.refusal);
          // Without the spaces, the trials tell what was searched.
          const page = reportPage(view.value, sweepInsight(view.value, view.value.spaces), readPageParts());
          const written = writePage(resolve(options.out ?? `${sweep}.html`), page, "--out");
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
