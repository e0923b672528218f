/** `trialmesh sweep watch`: follows a sweep that is there already, as `sweep run` follows its own. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";
import { followToEnd } from "./follow-to-end.ts";

export function sweepWatchCommand(terminal: Terminal): Command {
  return asking(
    "watch",
    "follow a sweep to its end and show the best trials, as `sweep run` does; ctrl-c detaches",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .addHelpText("after", examples("trialmesh sweep watch s7"))
    .addHelpText(
      "after",
      "\nExits 0 when the sweep is done, 1 when it was stopped, 3 when it waits for tokens.\n",
    )
    .action(
      action(terminal, (sweep: string, options: MeshOptions) =>
        withMesh(terminal, options, (connected) => followToEnd(terminal, connected, sweep, options)),
      ),
    );
}
