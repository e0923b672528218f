/** `trialmesh sweep insight`: what a sweep has taught so far, in the terminal. The page with all its charts is `sweep report`. */
import type { Command } from "commander";
import { action, asking, examples, sweepArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { insightText } from "../print/insight-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function sweepInsightCommand(terminal: Terminal): Command {
  return asking(
    "insight",
    "show what a sweep has taught: which parameters matter, the best so far, what more would gain",
  )
    .argument("<sweep>", "id of the sweep, such as s7", sweepArgument)
    .addHelpText("after", examples("trialmesh sweep insight s1"))
    .action(
      action(terminal, (sweep: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("insight", { sweep }), insightText),
        ),
      ),
    );
}
