/** From a version back to what made it, as lines: for `model lineage` and for the answers of a server. */
import { formatTokens } from "../../protocol/token.ts";
import type { LineageView } from "../../protocol/view.ts";
import { formatBytes, formatMetrics, formatTime } from "../../text/figure.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { labelFields, removedText } from "./label-text.ts";
import { fields } from "../../text/table.ts";

export function lineageText(view: LineageView): string {
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
