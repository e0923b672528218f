/** `trialmesh model lineage`: from a model back to the trial, agent, code and data that made it. */
import type { Command } from "commander";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { lineageText } from "../print/lineage-text.ts";
import { modelArgument } from "../shell/model-option.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelLineageCommand(terminal: Terminal): Command {
  return asking("lineage", "go back from a model to the sweep, trial, agent, code and data that made it")
    .argument("<model>", "name@version, name@alias or name@best", modelArgument)
    .addHelpText(
      "after",
      examples(
        "trialmesh model lineage language-id@champion",
        "trialmesh model lineage language-id@1 --json",
      ),
    )
    .action(
      action(terminal, (reference: ModelReference, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("lineage", reference), lineageText),
        ),
      ),
    );
}
