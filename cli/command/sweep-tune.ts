/** `trialmesh sweep tune`: how a running sweep stands beside the other sweeps of its requester. */
import type { Command } from "commander";
import { action, asking, examples, priorityFlag, sweepArgument, weightFlag } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

interface Options extends MeshOptions {
  readonly priority?: number;
  readonly weight?: number;
}

export function sweepTuneCommand(terminal: Terminal): Command {
  return asking("tune", "change a running sweep's place beside the other sweeps of its requester")
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .option("--priority <p>", "before sweeps of lower priority; 0 is usual, -100 to 100", priorityFlag)
    .option("--weight <w>", "its share beside sweeps of the same priority; 1 is usual", weightFlag)
    .addHelpText(
      "after",
      examples("trialmesh sweep tune s7 --priority 10", "trialmesh sweep tune s7 --weight 3"),
    )
    .action(
      action(terminal, (sweep: string, options: Options, command: Command) => {
        const { priority, weight } = options;
        if (priority === undefined && weight === undefined) {
          command.error("error: there is nothing to change; give --priority or --weight");
        }
        const body = {
          sweep,
          ...(priority === undefined ? {} : { priority }),
          ...(weight === undefined ? {} : { weight }),
        };
        return withMesh(terminal, options, async ({ client }) =>
          printAnswer(
            terminal,
            options,
            await client.command("sweep-tune", body),
            (value) => `${value.sweep} has priority ${value.priority} and weight ${value.weight}`,
          ),
        );
      }),
    );
}
