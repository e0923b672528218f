/** `trialmesh sweep ls`: the sweeps of the mesh, newest first. */
import type { Command } from "commander";
import { action, asking } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { sweepsText } from "../print/sweep-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { sweepsShownMax } from "../../protocol/command.ts";
import { wholeFlag } from "../shell/range.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const shownDefault = 50;

export function sweepLsCommand(terminal: Terminal): Command {
  return asking("ls", "list sweeps, newest first")
    .option("--limit <n>", "how many to show", wholeFlag(1, sweepsShownMax), shownDefault)
    .action(
      action(terminal, (options: MeshOptions & { readonly limit: number }) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("sweeps", { limit: options.limit }), (value) =>
            sweepsText(value.sweeps),
          ),
        ),
      ),
    );
}
