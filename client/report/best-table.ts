/** The best trials as an HTML table, best first. */
import type { SweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { SweepView } from "../../protocol/view.ts";
import { formatMetric } from "../../text/figure.ts";
import { paramsFormat } from "../../text/shown-parameter.ts";
import { escapeHtml } from "./escape.ts";

export function bestTable(view: SweepView, insight: SweepInsight): string {
  const { goal, metric } = view.summary;
  const params = paramsFormat(view.trials);
  const sign = goal === "minimize" ? 1 : -1;
  const byId = new Map(view.trials.map((trial) => [trial.trial, trial]));
  const rows = insight.trials
    .toSorted((a, b) => sign * (a.value - b.value) || a.number - b.number)
    .flatMap(({ trial, value }) => {
      const seen = byId.get(trial);
      if (seen === undefined) return [];
      const cells = [
        seen.trial,
        seen.model,
        formatMetric(value),
        seen.reusedFrom === null ? seen.state : `${seen.state} (from ${seen.reusedFrom})`,
        String(seen.resource),
        formatTokens(seen.spent),
        params(seen.params),
      ];
      const numeric = new Set([2, 4, 5]);
      const tags = cells.map((text, at) =>
        at === 0
          ? `<th scope="row">${escapeHtml(text)}</th>`
          : `<td${numeric.has(at) ? ' class="number"' : ""}>${escapeHtml(text)}</td>`,
      );
      return [`<tr data-trial="${escapeHtml(trial)}">${tags.join("")}</tr>`];
    });
  const heads = ["Trial", "Model", metric, "State", "Epochs", "Tokens", "Parameters"];
  return `<table id="best"><caption>Trials, best first, judged at ${insight.resource} epochs</caption><thead><tr>${heads
    .map((head) => `<th scope="col">${escapeHtml(head)}</th>`)
    .join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
