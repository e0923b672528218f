/** `trialmesh model diff`: how two registered versions differ. */
import type { Command } from "commander";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { modelDiffText } from "../print/model-diff-text.ts";
import { printAnswer } from "../shell/answer.ts";
import { newestArgument } from "../shell/model-option.ts";
import { action, asking, examples } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelDiffCommand(terminal: Terminal): Command {
  const form = "name@version, name@alias or name@best; the newest version without one";
  return asking("diff", "show how two versions differ: metrics, parameters, data, labels, code, size, tokens")
    .argument("<a>", `the reference: ${form}`, newestArgument)
    .argument("<b>", `what is compared with it: ${form}`, newestArgument)
    .addHelpText(
      "after",
      examples(
        "trialmesh model diff language-id@champion language-id@newest",
        "trialmesh model diff language-id@1 language-id@2 --json",
      ),
    )
    .action(
      action(terminal, (a: ModelReference, b: ModelReference, options: MeshOptions) =>
        withMesh(terminal, options, async (connected) => {
          const { diffModels } = await import("../../client/model/diff-models.ts");
          return printAnswer(terminal, options, await diffModels(connected, a, b), modelDiffText);
        }),
      ),
    );
}
