/** `trialmesh sweep rm` and `sweep restore`: takes a sweep that has ended out of sight, and brings it back. Deletes no bytes. */
import type { Command } from "commander";
import type { CommandValue } from "../../protocol/command.ts";
import { plural } from "../../protocol/plural.ts";
import { formatTokens } from "../../protocol/token.ts";
import { action, asking, examples, noteFlag, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly force?: boolean;
  readonly why: string;
}

export function sweepRmCommand(terminal: Terminal): Command {
  return asking(
    "rm",
    "remove a sweep that has ended: out of the lists, and its record answers for nothing more",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--force", "also where versions or other sweeps stand on it; these stay as they are")
    .option("--why <text>", "reason, kept in the record", noteFlag, "")
    .addHelpText("after", examples("trialmesh sweep rm s7", "trialmesh sweep ls --all"))
    .addHelpText(
      "after",
      "\nThe journal stays, and so do its best and what it was run with for a while (`trialmesh gc policy`):\n`trialmesh sweep restore SWEEP` brings it back.\n",
    )
    .action(
      action(terminal, (sweep: string, { force = false, why, ...options }: Options) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-remove", { sweep, force, why }),
            removedText,
          ),
        ),
      ),
    );
}

function removedText({ dependents, spent, sweep, trials }: CommandValue<"sweep-remove">): string {
  const lost = `${plural(trials, "trial")} for ${formatTokens(spent)} tokens answer for nothing more`;
  const kept =
    dependents.length === 0 ? "" : `; ${dependents.join(", ")} ${dependents.length === 1 ? "stays" : "stay"}`;
  return `${sweep} is removed: ${lost}${kept}; its best is kept for a while, and \`trialmesh sweep restore ${sweep}\` brings it back`;
}

export function sweepRestoreCommand(terminal: Terminal): Command {
  return asking("restore", "bring a removed sweep back, with its record")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .addHelpText("after", examples("trialmesh sweep restore s7"))
    .action(
      action(terminal, (sweep: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-restore", { sweep }),
            () => `${sweep} is in the lists again, and its record answers as before`,
          ),
        ),
      ),
    );
}
