/** `trialmesh sweep why`: why a sweep does not get on faster, model by model. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { sweepWhyText } from "../print/why-text.ts";
import { presentOf } from "../../client/follow/present-of.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function sweepWhyCommand(terminal: Terminal): Command {
  return asking("why", "say why a sweep waits: for each model what fits it, tokens short, who is ahead")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .addHelpText("after", examples("trialmesh sweep why s7"))
    .action(
      action(terminal, (sweep: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) => {
          const why = await client.query("sweep-why", { sweep });
          const now = await presentOf(client);
          return printAnswer(terminal, options, why, (value) => sweepWhyText(value, now));
        }),
      ),
    );
}
