/** `trialmesh model lineage`: from a model back to the trial, agent, code and data that made it. */
import type { Command } from "commander";
import { formatTokens } from "../../protocol/token.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { ModelReference } from "../../client/model/model-reference.ts";
import { labelFields, removedText } from "../print/label-text.ts";
import { modelArgument } from "../shell/model-option.ts";
import { action, asking, examples } from "../shell/option.ts";
import { printAnswer } from "../shell/answer.ts";
import { formatBytes, formatMetrics, formatTime } from "../../text/figure.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { fields } from "../../text/table.ts";
import type { Terminal } from "../shell/terminal.ts";
import { withMesh, type MeshOptions } from "../shell/with-mesh.ts";

export function modelLineageCommand(terminal: Terminal): Command {
  return asking("lineage", "go back from a model to the sweep, trial, agent, code and data that made it")
    .argument("<model>", "name@version, name@alias or name@best", modelArgument)
    .addHelpText(
      "after",
      examples(
        "trialmesh model lineage language-id@champion",
        "trialmesh model lineage language-id@1 --json",
      ),
    )
    .action(
      action(terminal, (reference: ModelReference, options: MeshOptions) =>
        withMesh(terminal, options, async ({ client }) =>
          printAnswer(terminal, options, await client.query("lineage", reference), lineageText),
        ),
      ),
    );
}

function lineageText(view: LineageView): string {
  const { version, sweep, trial, origin } = view;
  const worked = origin ?? trial;
  const dataset = version.dataset;
  const attempts = worked.attempts.map(
    (attempt) =>
      `attempt ${attempt.fence} on ${attempt.agent} (${attempt.backend}), epochs ${attempt.fromResource} to ${attempt.target}`,
  );
  return fields([
    [
      "model",
      `${view.model}@${version.version}${view.aliases.length > 0 ? `, called ${view.aliases.join(", ")}` : ""}`,
    ],
    ...labelFields(version),
    ...(version.removed === undefined ? [] : [["removed", removedText(version.removed)] as const]),
    ["registered", `${formatTime(version.at, Date.now())} for ${version.requester}`],
    ["artifact", `${version.artifact} (${formatBytes(version.bytes)})`],
    ["metrics", formatMetrics(version.metrics, version.objective?.metric)],
    ...(version.epoch === undefined
      ? []
      : ([["epoch", `${version.epoch} of ${trial.resource}, its best`]] as const)),
    ["trained by", `${version.model} of ${version.task}, code ${version.codeVersion}`],
    ["parameters", formatParams(version.params)],
    ["trial", origin === null ? trial.trial : `${trial.trial}, answered from the record of ${origin.trial}`],
    [
      "sweep",
      `${sweep.sweep} ${sweep.name} by ${sweep.requester}, ${formatTime(sweep.submittedAt, Date.now())}`,
    ],
    ["agent", `${version.agent}, backend ${version.backend}, attempt ${version.fence}`],
    ["attempts", attempts.join("; ") || "none"],
    ["dataset", dataset === null ? "none" : `${dataset.name}, digest ${dataset.digest}`],
    [
      "rows",
      dataset === null
        ? "none"
        : `${dataset.rows.train} train, ${dataset.rows.validation} validation, ${dataset.rows.test} test`,
    ],
    ["tokens", formatTokens(version.spent)],
  ]);
}
