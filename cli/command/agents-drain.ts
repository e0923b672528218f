/** `trialmesh agents drain`: an agent is emptied, and takes no new trials until the drain is ended. */
import type { Command } from "commander";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function agentsDrainCommand(terminal: Terminal): Command {
  return asking("drain", "empty an agent, for instance before an update of its machine")
    .argument("<agent>", "name of the agent", nameArgument)
    .option("--end", "take trials again")
    .addHelpText(
      "after",
      `\nIt takes no new trials, and what runs there stops at its next checkpoint and goes on elsewhere from it.\nA replica of a deployment leaves once another answers elsewhere, where one fits.\nTo let what runs there run to its end, use \`trialmesh agents cordon\`.\n${examples("trialmesh agents drain tower", "trialmesh agents drain tower --end")}`,
    )
    .action(
      action(terminal, (agent: string, options: MeshOptions & { readonly end?: boolean }) =>
        withMesh(terminal, options, async ({ client }) => {
          const drain = options.end !== true;
          return printAnswer(
            terminal,
            options,
            await client.command("agent-drain", { agent, drain }),
            ({ running }) => (drain ? drainingText(agent, running.length) : `${agent} takes trials again`),
          );
        }),
      ),
    );
}

function drainingText(agent: string, running: number): string {
  if (running === 0) return `${agent} takes no new trials; nothing runs there`;
  const they =
    running === 1 ? "stops at its next checkpoint and goes" : "stop at their next checkpoint and go";
  return `${agent} takes no new trials; ${plural(running, "attempt")} there ${they} on elsewhere from it`;
}
