/** `trialmesh trial why`: why a trial does not run, or that it does, and when it probably will. */
import type { Command } from "commander";
import { action, asking, examples, trialArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { trialWhyText } from "../print/why-text.ts";
import { presentOf } from "../../client/follow/present-of.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function trialWhyCommand(terminal: Terminal): Command {
  return asking("why", "say why a trial is not running: agents that do not fit, tokens short, who is ahead")
    .argument("<trial>", "id of the trial, such as s7-12", trialArgument)
    .addHelpText("after", examples("trialmesh trial why s7-12"))
    .action(
      action(terminal, (trial: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) => {
          const why = await client.query("why", { trial });
          const now = await presentOf(client);
          return printAnswer(terminal, options, why, (value) => trialWhyText(value, now));
        }),
      ),
    );
}
