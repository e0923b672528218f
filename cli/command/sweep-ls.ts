/** `trialmesh sweep ls`: the sweeps of the mesh, newest first. */
import type { Command } from "commander";
import { action, asking, eachOf } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { sweepsText } from "../print/sweep-text.ts";
import type { Terminal } from "../shell/terminal.ts";
import { sweepsShownMax } from "../../protocol/command.ts";
import { tagFlag } from "../shell/label-option.ts";
import { wholeFlag } from "../shell/range.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const shownDefault = 50;

interface Options extends MeshOptions {
  readonly limit: number;
  readonly tag?: string[];
  readonly all?: boolean;
}

export function sweepLsCommand(terminal: Terminal): Command {
  return asking("ls", "list sweeps, newest first")
    .option("--limit <n>", "how many to show", wholeFlag(1, sweepsShownMax), shownDefault)
    .option("--all", "also those that were removed")
    .option("--tag <tag>", "only those with this tag; several times: with all of these", eachOf(tagFlag))
    .action(
      action(terminal, (options: Options) =>
        withMesh(terminal, options, async ({ client }) => {
          const { all = false, limit, tag = [] } = options;
          // Coordinators of before know of no tags, and of no sweep that was removed.
          const body = {
            limit,
            ...(tag.length === 0 ? {} : { tags: tag }),
            ...(all ? { removed: all } : {}),
          };
          return printAnswer(terminal, options, await client.query("sweeps", body), ({ sweeps }) =>
            sweeps.length === 0 && tag.length > 0
              ? `no sweep has the tag${tag.length === 1 ? "" : "s"} ${tag.join(" and ")}`
              : sweepsText(sweeps),
          );
        }),
      ),
    );
}
