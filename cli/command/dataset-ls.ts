/** `trialmesh dataset ls`: the datasets on record. */
import type { Command } from "commander";
import type { DatasetsView } from "../../protocol/dataset-view.ts";
import { checkText } from "../print/check-text.ts";
import { datasetFields } from "../../client/list/list-field.ts";
import { action, asking } from "../shell/option.ts";
import { formatBytes, formatTime, shortDigest } from "../../text/figure.ts";
import { table } from "../../text/table.ts";
import { withRemoved, writtenColumns } from "../print/label-text.ts";
import { withRemovedFlag, type RemovedOptions } from "../shell/label-option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function datasetLsCommand(terminal: Terminal): Command {
  return withListFlags(
    withRemovedFlag(asking("ls", "list datasets and their newest versions")),
    "train>1000",
  ).action(
    action(terminal, ({ all: removed = false, ...options }: MeshOptions & ListOptions & RemovedOptions) =>
      withMesh(terminal, options, async ({ client }) =>
        printList(terminal, options, await client.query("datasets", { removed }), {
          fields: datasetFields,
          listOf: ({ datasets }) => datasets,
          withList: (value, datasets) => ({ ...value, datasets: [...datasets] }),
          text: datasetsText,
        }),
      ),
    ),
  );
}

function datasetsText({ datasets }: DatasetsView): string {
  return table(
    datasets,
    [
      { head: "DATASET", cell: ({ dataset }) => dataset },
      { head: "VERSIONS", cell: ({ versions }) => String(versions), right: true },
      { head: "HOLDS", cell: ({ latest }) => latest.kind },
      { head: "TRAIN", cell: ({ latest }) => String(latest.rows.train), right: true },
      { head: "VALIDATION", cell: ({ latest }) => String(latest.rows.validation), right: true },
      { head: "TEST", cell: ({ latest }) => String(latest.rows.test), right: true },
      { head: "SIZE", cell: ({ latest }) => formatBytes(latest.bytes), right: true },
      { head: "CHECK", cell: ({ latest }) => checkText(latest.check) },
      { head: "DIGEST", cell: ({ latest }) => shortDigest(latest.digest) },
      { head: "AT", cell: ({ latest }) => formatTime(latest.at, Date.now()) },
      ...writtenColumns(datasets, ({ latest, ...row }) => withRemoved(row, latest)),
    ],
    "no dataset is on record; `trialmesh dataset add FILE` adds one",
  );
}
