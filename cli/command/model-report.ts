/** `trialmesh model report`: what a registered model gets right and wrong, per label or by how far its numbers are off. */
import type { Command } from "commander";
import type { ModelReference } from "../../client/model/model-reference.ts";
import type { ModelReport } from "../../client/model/report-model.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { accept } from "../../protocol/refusal.ts";
import { formatBytes } from "../../text/figure.ts";
import { regressionText } from "../print/regression-text.ts";
import { reportText } from "../print/report-text.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import { newestArgument } from "../shell/model-option.ts";
import { action, asking, examples } from "../shell/option.ts";
import { pageFile, withPageFlag, type PageOptions } from "../shell/page-option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

type Options = MeshOptions & PageOptions;

export function modelReportCommand(terminal: Terminal): Command {
  return withPageFlag(
    asking(
      "report",
      "show what a model gets right and wrong: labels, confusions and confidence, or errors and the rows missed most",
    ),
    "write it as one HTML page, too",
  )
    .argument(
      "<model>",
      "name, name@version, name@alias or name@best; the newest version without one",
      newestArgument,
    )
    .addHelpText(
      "after",
      examples(
        "trialmesh model report language-id@champion",
        "trialmesh model report prices@3 --html prices.html",
        "trialmesh model report language-id --json",
      ),
    )
    .action(
      action(terminal, (reference: ModelReference, options: Options) =>
        withMesh(terminal, options, async (connected) => {
          const { reportDocument, reportModel } = await import("../../client/model/report-model.ts");
          const report = await reportModel(connected, reference, terminal.environment);
          if (!report.ok) return printRefusal(terminal, options, report.refusal);
          const code =
            options.json === true
              ? printAnswer(terminal, options, accept(reportDocument(report.value)), () => "")
              : printAnswer(terminal, options, report, modelText);
          const page = pageFile(terminal, options);
          return page === undefined ? code : writeModel(terminal, options, page, report.value);
        }),
      ),
    );
}

function modelText(report: ModelReport): string {
  return report.kind === "regression" ? regressionText(report) : reportText(report);
}

async function writeModel(
  terminal: Terminal,
  options: Options,
  file: string,
  report: ModelReport,
): Promise<ExitCode> {
  const { writeModelPage } = await import("../../client/report/model/model-page.ts");
  const written = writeModelPage(file, report);
  if (!written.ok) return printRefusal(terminal, options, written.refusal);
  terminal.note(`${written.value.file}: ${formatBytes(written.value.bytes)}, open it in a browser`);
  return exitCode.ok;
}
