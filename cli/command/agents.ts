/** `trialmesh agents`: every agent with what its probe and its trials measured and what its owner allows. */
import type { Command } from "commander";
import { action, asking, examples, nameArgument } from "../shell/option.ts";
import { agentFields } from "../../client/list/list-field.ts";
import { agentDetailText, agentsText } from "../print/agents-text.ts";
import { isAsked } from "../../client/list/select-rows.ts";
import { exitCode, type ExitCode } from "../../protocol/exit-code.ts";
import { refuse } from "../../protocol/refusal.ts";
import { printAnswer, printRefusal } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

type Options = MeshOptions & ListOptions;

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
      action(terminal, (agent: string | undefined, options: Options) =>
        agent === undefined ? list(terminal, options) : detail(terminal, agent, options),
      ),
    );
}

function list(terminal: Terminal, options: Options): Promise<ExitCode> {
  return withMesh(terminal, options, async ({ client }) =>
    printList(terminal, options, await client.query("mesh", {}), {
      fields: agentFields,
      listOf: ({ agents }) => agents,
      withList: (value, agents) => ({ ...value, agents: [...agents] }),
      text: agentsText,
    }),
  );
}

function detail(terminal: Terminal, agent: string, options: Options): Promise<ExitCode> {
  if (isAsked(options)) {
    const { refusal } = refuse(
      "invalid",
      `--where and --sort are for the list of agents, and ${agent} is one`,
    );
    printRefusal(terminal, options, refusal);
    return Promise.resolve(exitCode.usage);
  }
  return withMesh(terminal, options, async ({ client }) =>
    printAnswer(terminal, options, await client.query("agent", { agent }), agentDetailText),
  );
}
