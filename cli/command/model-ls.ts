/** `trialmesh model ls`: the registered models. */
import type { Command } from "commander";
import type { ModelsView } from "../../protocol/view.ts";
import { modelFields } from "../../client/list/list-field.ts";
import { action, asking } from "../shell/option.ts";
import { formatMetrics, formatTime } from "../../text/figure.ts";
import { table } from "../../text/table.ts";
import { withRemoved, writtenColumns } from "../print/label-text.ts";
import { withRemovedFlag, type RemovedOptions } from "../shell/label-option.ts";
import type { Terminal } from "../shell/terminal.ts";
import { printList, withListFlags, type ListOptions } from "../shell/where-option.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelLsCommand(terminal: Terminal): Command {
  return withListFlags(withRemovedFlag(asking("ls", "list registered models")), "accuracy>=0.9").action(
    action(terminal, ({ all: removed = false, ...options }: MeshOptions & ListOptions & RemovedOptions) =>
      withMesh(terminal, options, async ({ client }) =>
        printList(terminal, options, await client.query("models", { removed }), {
          fields: modelFields,
          listOf: ({ models }) => models,
          withList: (value, models) => ({ ...value, models: [...models] }),
          text: modelsText,
        }),
      ),
    ),
  );
}

function modelsText({ models }: ModelsView): string {
  return table(
    models,
    [
      { head: "MODEL", cell: (model) => model.model },
      { head: "VERSIONS", cell: (model) => String(model.versions), right: true },
      {
        head: "ALIASES",
        cell: (model) => model.aliases.map(({ alias, version }) => `${alias}=${version}`).join(" ") || "-",
      },
      { head: "LATEST", cell: ({ latest }) => `${latest.model} of ${latest.trial}` },
      { head: "METRICS", cell: ({ latest }) => formatMetrics(latest.metrics, latest.objective?.metric) },
      { head: "AT", cell: ({ latest }) => formatTime(latest.at, Date.now()) },
      ...writtenColumns(models, ({ latest, ...row }) => withRemoved(row, latest)),
    ],
    "no model is registered; a sweep with `register` registers its best",
  );
}
