/** `trialmesh agents cordon`: nothing new is placed on an agent, and what runs there runs to its end. */
import type { Command } from "commander";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { plural } from "../../protocol/plural.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function agentsCordonCommand(terminal: Terminal): Command {
  return asking("cordon", "place nothing new on an agent; what runs there runs to its end")
    .argument("<agent>", "name of the agent", nameArgument)
    .option("--end", "place trials there again")
    .addHelpText("after", examples("trialmesh agents cordon tower", "trialmesh agents cordon tower --end"))
    .action(
      action(terminal, (agent: string, options: MeshOptions & { readonly end?: boolean }) =>
        withMesh(terminal, options, async ({ client }) => {
          const cordon = options.end !== true;
          const answer = await client.command("agent-cordon", { agent, cordon });
          return printAnswer(terminal, options, answer, ({ running }) =>
            cordon
              ? `${agent} takes no new trials; ${plural(running.length, "attempt")} there ${running.length === 1 ? "runs" : "run"} to the end`
              : `${agent} takes trials again`,
          );
        }),
      ),
    );
}
