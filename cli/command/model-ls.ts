/** `trialmesh model ls`: the registered models. */
import type { Command } from "commander";
import type { ModelsView } from "../../protocol/view.ts";
import { action, asking } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatMetrics, formatTime } from "../../text/figure.ts";
import { table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelLsCommand(terminal: Terminal): Command {
  return asking("ls", "list registered models").action(
    action(terminal, (options: MeshOptions) =>
      withMesh(terminal, options, async ({ client }) =>
        printAnswer(terminal, options, await client.query("models", {}), modelsText),
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
    ],
    "no model is registered; a sweep with `register` registers its best",
  );
}
