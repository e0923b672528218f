/** `trialmesh model show`: the versions of a model and every move of its aliases. */
import type { Command } from "commander";
import { formatTokens } from "../../protocol/token.ts";
import { showModel, type ShownModel } from "../../client/model/show-model.ts";
import { action, asking, nameArgument } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatBytes, formatMetrics, formatTime } from "../../text/figure.ts";
import { table } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelShowCommand(terminal: Terminal): Command {
  return asking("show", "show a model: versions, aliases, who moved an alias, when and from where")
    .argument("<model>", "name of the model", nameArgument)
    .action(
      action(terminal, (model: string, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await showModel(client, model), modelText),
        ),
      ),
    );
}

function modelText(view: ShownModel): string {
  const aliasesOf = (version: number) =>
    view.aliases.filter((alias) => alias.version === version).map((alias) => alias.alias);
  const versions = table(
    view.versions,
    [
      { head: "VERSION", cell: (version) => `${view.model}@${version.version}` },
      { head: "ALIASES", cell: (version) => aliasesOf(version.version).join(" ") || "-" },
      { head: "MODEL", cell: (version) => version.model },
      { head: "METRICS", cell: (version) => formatMetrics(version.metrics, version.objective?.metric) },
      {
        head: "TRIAL",
        cell: ({ epoch, trial }) => (epoch === undefined ? trial : `${trial} at epoch ${epoch}`),
      },
      { head: "SIZE", cell: (version) => formatBytes(version.bytes), right: true },
      { head: "TOKENS", cell: (version) => formatTokens(version.spent), right: true },
      { head: "AT", cell: (version) => formatTime(version.at, Date.now()) },
    ],
    "no version",
  );
  const moves = table(
    view.ledger,
    [
      { head: "AT", cell: (move) => formatTime(move.at, Date.now()) },
      { head: "ALIAS", cell: (move) => move.alias },
      { head: "MOVE", cell: (move) => `${move.from ?? "new"} -> ${move.to}` },
      { head: "KIND", cell: (move) => move.kind },
      { head: "BY", cell: (move) => move.who },
      { head: "WHY", cell: (move) => move.why || "-" },
    ],
    "no alias was ever set",
  );
  return [versions, ...nextLines(view), moves].join("\n\n");
}

/** What `--best` and `rollback` would do now. */
function nextLines({ best, model, rollbacks }: ShownModel): readonly string[] {
  const lines = [
    ...(best === null ? [] : [`best is ${model}@${best.version}: ${best.why}`]),
    ...rollbacks.map(({ alias, version, why }) => `${alias} would roll back to ${model}@${version}: ${why}`),
  ];
  return lines.length === 0 ? [] : [lines.join("\n")];
}
