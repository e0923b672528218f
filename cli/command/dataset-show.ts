/** `trialmesh dataset show`: the versions of a dataset, whether their expectations hold, and what was trained on each. */
import type { Command } from "commander";
import type { DatasetView } from "../../protocol/dataset-view.ts";
import { checkText } from "../print/check-text.ts";
import { action, asking, nameArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatBytes, formatTime, shortDigest } from "../../text/figure.ts";
import { table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function datasetShowCommand(terminal: Terminal): Command {
  return asking("show", "show a dataset: versions, checks, the sweeps and models that used each")
    .argument("<dataset>", "name of the dataset", nameArgument)
    .action(
      action(terminal, (dataset: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("dataset", { dataset }), datasetText),
        ),
      ),
    );
}

function datasetText(view: DatasetView): string {
  const usesOf = (version: number) =>
    view.uses
      .filter((use) => use.version === version)
      .map(({ models, sweep }) => (models.length === 0 ? sweep : `${sweep} (${models.join(", ")})`));
  const versions = table(
    view.versions.toReversed(),
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
    ],
    "no version",
  );
  const latest = view.versions.at(-1);
  const failures = latest?.check.sentences ?? [];
  return [versions, ...(failures.length === 0 ? [] : ["", ...failures.map((line) => `  ${line}`)])].join(
    "\n",
  );
}
