/** `trialmesh agents`: every agent with what its probe and its trials measured and what its owner allows. */
import type { Command } from "commander";
import { action, asking, examples } from "../shell/option.ts";
import { agentsText } from "../print/agents-text.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function agentsCommand(terminal: Terminal): Command {
  return asking("agents", "list the agents: state, hardware, backends that train, measured speed")
    .addHelpText("after", examples("trialmesh agents", "trialmesh agents --json"))
    .action(
      action(terminal, (options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("mesh", {}), agentsText),
        ),
      ),
    );
}
