/** `trialmesh dataset show`: the versions of a dataset, whether their expectations hold, and what was trained on each. */
import type { Command } from "commander";
import type { DatasetView } from "../../protocol/dataset-view.ts";
import { datasetVersionFields } from "../../client/list/list-field.ts";
import { checkText } from "../print/check-text.ts";
import { labelFields, writtenColumns } from "../print/label-text.ts";
import { withRemovedFlag, type RemovedOptions } from "../shell/label-option.ts";
import { action, asking, nameArgument } from "../shell/option.ts";
import { formatBytes, formatTime, shortDigest } from "../../text/figure.ts";
import { fields, table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function datasetShowCommand(terminal: Terminal): Command {
  return withListFlags(
    withRemovedFlag(
      asking("show", "show a dataset: versions, checks, the sweeps and models that used each"),
    ).argument("<dataset>", "name of the dataset", nameArgument),
    "failed=0",
  ).action(
    action(
      terminal,
      (dataset: string, { all: removed = false, ...options }: MeshOptions & ListOptions & RemovedOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printList(terminal, options, await client.query("dataset", { dataset, removed }), {
            fields: datasetVersionFields,
            listOf: ({ versions }) => versions,
            withList: (value, versions) => ({ ...value, versions: [...versions] }),
            text: (view) => datasetText(view, options.sort === undefined),
          }),
        ),
    ),
  );
}

/** `newestFirst`: where no other order was asked for. */
function datasetText(view: DatasetView, newestFirst: boolean): string {
  const usesOf = (version: number) =>
    view.uses
      .filter((use) => use.version === version)
      .map(({ models, sweep }) => (models.length === 0 ? sweep : `${sweep} (${models.join(", ")})`));
  const versions = table(
    newestFirst ? view.versions.toReversed() : view.versions,
    [
      { head: "VERSION", cell: ({ version }) => `${view.dataset}@${version}` },
      { head: "TRAIN", cell: ({ rows }) => String(rows.train), right: true },
      { head: "VALIDATION", cell: ({ rows }) => String(rows.validation), right: true },
      { head: "TEST", cell: ({ rows }) => String(rows.test), right: true },
      { head: "REJECTED", cell: ({ badRows }) => String(badRows), right: true },
      { head: "SIZE", cell: ({ bytes }) => formatBytes(bytes), right: true },
      { head: "CHECK", cell: ({ check }) => checkText(check) },
      { head: "DIGEST", cell: ({ digest }) => shortDigest(digest) },
      { head: "BUILT BY", cell: ({ by, trial }) => trial ?? by },
      { head: "USED BY", cell: ({ version }) => usesOf(version).join(", ") || "-" },
      { head: "AT", cell: ({ at }) => formatTime(at, Date.now()) },
      ...writtenColumns(view.versions, (version) => version),
    ],
    "no version",
  );
  const latest = view.versions.at(-1);
  const failures = latest?.check.sentences ?? [];
  const labels = labelFields(view);
  const head = labels.length === 0 ? [] : [fields(labels), ""];
  return [
    ...head,
    versions,
    ...(failures.length === 0 ? [] : ["", ...failures.map((line) => `  ${line}`)]),
  ].join("\n");
}
