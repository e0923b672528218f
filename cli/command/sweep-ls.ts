/** `trialmesh sweep ls`: the sweeps of the mesh, newest first. */
import type { Command } from "commander";
import { sweepFields } from "../../client/list/list-field.ts";
import { isAsked } from "../../client/list/select-rows.ts";
import { everySweep, sweepsBody } from "../../client/list/sweep-list.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { sweepsShownMax } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSummary } from "../../protocol/view.ts";
import { sweepsText } from "../print/sweep-text.ts";
import { tagFlag } from "../shell/label-option.ts";
import { action, asking, eachOf, examples } from "../shell/option.ts";
import { wholeFlag } from "../shell/range.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

const shownDefault = 50;

interface Options extends MeshOptions, ListOptions {
  readonly limit: number;
  readonly tag?: string[];
  readonly all?: boolean;
}

export function sweepLsCommand(terminal: Terminal): Command {
  return withListFlags(
    asking("ls", "list sweeps, newest first")
      .option("--limit <n>", "how many to show", wholeFlag(1, sweepsShownMax), shownDefault)
      .option("--all", "also those that were removed")
      .option("--tag <tag>", "only those with this tag; several times: with all of these", eachOf(tagFlag)),
    "accuracy>=0.9",
  )
    .addHelpText(
      "after",
      examples(
        "trialmesh sweep ls --where 'state=running'",
        "trialmesh sweep ls --where 'tokens>100' --sort -tokens",
      ),
    )
    .action(
      action(terminal, (options: Options) =>
        withMesh(terminal, options, async ({ client }) =>
          printList(terminal, options, await sweepsFor(client, options), {
            fields: sweepFields,
            listOf: ({ sweeps }) => sweeps,
            withList: (value, sweeps) => ({ ...value, sweeps: [...sweeps] }),
            text: ({ sweeps }) => listText(sweeps, options),
            limit: options.limit,
          }),
        ),
      ),
    );
}

/** Conditions are asked of all sweeps, whatever is shown of them. */
async function sweepsFor(
  client: MeshClient,
  options: Options,
): Promise<Outcome<{ readonly sweeps: readonly SweepSummary[] }>> {
  const { all: removed = false, limit, tag: tags = [] } = options;
  if (!isAsked(options)) return client.query("sweeps", sweepsBody(limit, { removed, tags }));
  const all = await everySweep(client, { removed, tags });
  return all.ok ? accept({ sweeps: all.value }) : all;
}

function listText(sweeps: readonly SweepSummary[], { tag = [] }: Options): string {
  return sweeps.length === 0 && tag.length > 0
    ? `no sweep has the tag${tag.length === 1 ? "" : "s"} ${tag.join(" and ")}`
    : sweepsText(sweeps);
}
