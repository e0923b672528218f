/** `trialmesh agents`: every agent with what its probe and its trials measured and what its owner allows. */
import type { Command } from "commander";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { agentFields } from "../../client/list/list-field.ts";
import { agentDetailText, agentsText } from "../print/agents-text.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function agentsCommand(terminal: Terminal): Command {
  return withListFlags(
    asking("agents", "list the agents: state, hardware, backends that train, measured speed").argument(
      "[agent]",
      "one agent, with what its Python has installed",
      nameArgument,
    ),
    "free_gib>8",
  )
    .addHelpText(
      "after",
      examples(
        "trialmesh agents",
        "trialmesh agents tower",
        "trialmesh agents --where 'gpus>0' --sort -memory_gib",
        "trialmesh agents --json",
      ),
    )
    .action(
      action(terminal, (agent: string | undefined, options: MeshOptions & ListOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          agent === undefined
            ? printList(terminal, options, await client.query("mesh", {}), {
                fields: agentFields,
                listOf: ({ agents }) => agents,
                withList: (value, agents) => ({ ...value, agents: [...agents] }),
                text: agentsText,
              })
            : printAnswer(terminal, options, await client.query("agent", { agent }), agentDetailText),
        ),
      ),
    );
}
