/** `trialmesh sweep resume`: a paused sweep goes on. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function sweepResumeCommand(terminal: Terminal): Command {
  return asking("resume", "let a paused sweep go on where it is")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .addHelpText("after", examples("trialmesh sweep resume s7"))
    .action(
      action(terminal, (sweep: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-resume", { sweep }),
            ({ queued }) =>
              `${sweep} goes on; ${plural(queued, "trial")} of it ${queued === 1 ? "waits" : "wait"} for a slot`,
          ),
        ),
      ),
    );
}
