/** `trialmesh sweep seal`: no more trials are proposed, by anybody; what was proposed still runs. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function sweepSealCommand(terminal: Terminal): Command {
  return asking("seal", "take no more proposals: the sweep ends when the trials it has are done")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .addHelpText("after", examples("trialmesh sweep seal s7"))
    .action(
      action(terminal, (sweep: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-seal", { sweep }),
            () => `${sweep} takes no more proposals; it ends when the trials it has are done`,
          ),
        ),
      ),
    );
}
