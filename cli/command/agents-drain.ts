/** `trialmesh agents drain`: an agent takes no new trials until the drain is ended. */
import type { Command } from "commander";
import { action, asking, examples, nameArgument } from "../option.ts";
import { printAnswer } from "../print/answer.ts";
import { plural } from "../print/figure.ts";
import type { Terminal } from "../terminal.ts";
import { withMesh, type MeshOptions } from "../with-mesh.ts";

export function agentsDrainCommand(terminal: Terminal): Command {
  return asking("drain", "let an agent take no new trials, for instance before an update of its machine")
    .argument("<agent>", "name of the agent", nameArgument)
    .option("--end", "take trials again")
    .addHelpText("after", examples("trialmesh agents drain tower", "trialmesh agents drain tower --end"))
    .action(
      action(terminal, (agent: string, options: MeshOptions & { readonly end?: boolean }) =>
        withMesh(terminal, options, async ({ client }) => {
          const drain = options.end !== true;
          return printAnswer(
            terminal,
            options,
            await client.command("agent-drain", { agent, drain }),
            (value) =>
              drain
                ? `${agent} takes no new trials; ${plural(value.running.length, "attempt")} still running there`
                : `${agent} takes trials again`,
          );
        }),
      ),
    );
}
