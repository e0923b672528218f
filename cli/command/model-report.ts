/** `trialmesh model report`: per label what a registered classifier got right and wrong, from its checkpoint. */
import type { Command } from "commander";
import { accept } from "../../protocol/refusal.ts";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { newestArgument } from "../shell/model-option.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { reportText } from "../print/report-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelReportCommand(terminal: Terminal): Command {
  return asking(
    "report",
    "show what a classifier gets right and wrong: per label, as a matrix, by confidence",
  )
    .argument(
      "<model>",
      "name, name@version, name@alias or name@best; the newest version without one",
      newestArgument,
    )
    .addHelpText(
      "after",
      examples("trialmesh model report language-id@champion", "trialmesh model report language-id --json"),
    )
    .action(
      action(terminal, (reference: ModelReference, options: MeshOptions) =>
        withMesh(terminal, options, async (connected) => {
          const { reportDocument, reportModel } = await import("../../client/model/report-model.ts");
          const report = await reportModel(connected, reference);
          if (!report.ok || options.json !== true) return printAnswer(terminal, options, report, reportText);
          return printAnswer(terminal, options, accept(reportDocument(report.value)), () => "");
        }),
      ),
    );
}
