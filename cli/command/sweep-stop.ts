/** `trialmesh sweep stop`: no further trial starts, and running ones are cancelled. */
import type { Command } from "commander";
import { action, asking, noteFlag, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function sweepStopCommand(terminal: Terminal): Command {
  return asking("stop", "stop a sweep: running trials are cancelled, results so far are kept")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .action(
      action(terminal, (sweep: string, options: MeshOptions & { readonly why: string }) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-stop", { sweep, why: options.why }),
            () => `${sweep} is stopped; its results so far are kept`,
          ),
        ),
      ),
    );
}
