/**
 * The best trials as an HTML table: BEST-1, in the order of the list and with the values that the head line counts by, whatever
 * the charts compare.
 */
import { formatTokens } from "../../protocol/token.ts";
import type { Params } from "../../protocol/value.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";
import { formatMetric } from "../../text/figure.ts";
import { paramsFormat } from "../../text/shown-parameter.ts";
import { drawnMost } from "./drawn-trials.ts";
import { escapeHtml } from "./escape.ts";

const heads = ["Trial", "Model", "", "At epoch", "State", "Epochs", "Tokens", "Parameters"];
const numeric = new Set([2, 3, 5, 6]);

export function bestTable(view: SweepView): string {
  const { metric } = view.summary;
  const params = paramsFormat(view.trials);
  const rows = bestFirst(view)
    .slice(0, drawnMost)
    .map((trial) => rowOf(trial, params));
  return `<table id="best"><caption>Trials, best first</caption><thead><tr>${heads
    .map((head) => `<th scope="col">${escapeHtml(head === "" ? metric : head)}</th>`)
    .join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/** As the sweep's own list: of equal values the sweep's best stands first, then the lower number. */
function bestFirst({ summary, trials }: SweepView): readonly TrialView[] {
  const sign = summary.goal === "minimize" ? 1 : -1;
  const valued = trials.flatMap((trial) => (trial.value === null ? [] : [{ trial, value: trial.value }]));
  const isBest = ({ trial }: TrialView) => (trial === summary.best?.trial ? 1 : 0);
  return valued
    .toSorted(
      (a, b) =>
        sign * (a.value - b.value) || isBest(b.trial) - isBest(a.trial) || a.trial.number - b.trial.number,
    )
    .map(({ trial }) => trial);
}

function rowOf(trial: TrialView, params: (params: Params) => string): string {
  const cells = [
    trial.trial,
    trial.model,
    formatMetric(trial.value),
    String(trial.best?.resource ?? trial.rungs.at(-1)?.resource ?? trial.resource),
    trial.reusedFrom === null ? trial.state : `${trial.state} (from ${trial.reusedFrom})`,
    String(trial.resource),
    formatTokens(trial.spent),
    params(trial.params),
  ];
  const tags = cells.map((text, at) =>
    at === 0
      ? `<th scope="row">${escapeHtml(text)}</th>`
      : `<td${numeric.has(at) ? ' class="number"' : ""}>${escapeHtml(text)}</td>`,
  );
  return `<tr data-trial="${escapeHtml(trial.trial)}">${tags.join("")}</tr>`;
}
