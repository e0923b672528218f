/** `trialmesh agents`: every agent with what its probe and its trials measured and what its owner allows. */
import type { Command } from "commander";
import { action, asking, examples } from "../shell/option.ts";
import { agentFields } from "../../client/list/list-field.ts";
import { agentsText } from "../print/agents-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function agentsCommand(terminal: Terminal): Command {
  return withListFlags(
    asking("agents", "list the agents: state, hardware, backends that train, measured speed"),
    "free_gib>8",
  )
    .addHelpText(
      "after",
      examples(
        "trialmesh agents",
        "trialmesh agents --where 'gpus>0' --sort -memory_gib",
        "trialmesh agents --json",
      ),
    )
    .action(
      action(terminal, (options: MeshOptions & ListOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printList(terminal, options, await client.query("mesh", {}), {
            fields: agentFields,
            listOf: ({ agents }) => agents,
            withList: (value, agents) => ({ ...value, agents: [...agents] }),
            text: agentsText,
          }),
        ),
      ),
    );
}
