/** `trialmesh agents`: every agent with what its probe and its trials measured and what its owner allows. */
import type { Command } from "commander";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { agentDetailText, agentsText } from "../print/agents-text.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function agentsCommand(terminal: Terminal): Command {
  return asking("agents", "list the agents: state, hardware, backends that train, measured speed")
    .argument("[agent]", "one agent, with what its Python has installed", nameArgument)
    .addHelpText("after", examples("trialmesh agents", "trialmesh agents tower", "trialmesh agents --json"))
    .action(
      action(terminal, (agent: string | undefined, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          agent === undefined
            ? printAnswer(terminal, options, await client.query("mesh", {}), agentsText)
            : printAnswer(terminal, options, await client.query("agent", { agent }), agentDetailText),
        ),
      ),
    );
}
