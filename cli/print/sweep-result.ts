/** What a finished sweep has to say: its best trials with their cost, what it registered, the best model last. */
import { formatTokens } from "../../protocol/token.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";
import { plural } from "../../protocol/plural.ts";
import { formatMetric, formatMetrics } from "../../text/figure.ts";
import { paramsFormat } from "../../text/shown-parameter.ts";
import { registeredText } from "../../text/sweep-phrase.ts";
import { tokensText } from "./sweep-text.ts";
import { table } from "../../text/table.ts";

const bestShown = 10;

export function sweepResult(view: SweepView): string {
  const { summary } = view;
  const { counts } = summary;
  const judged = view.trials.filter((trial) => trial.value !== null).slice(0, bestShown);
  const parts = [
    bestTable(judged, summary.metric),
    [
      `${plural(counts.proposed, "trial")}: ${counts.completed} completed, ${counts.stopped} stopped early, ${counts.failed} failed, ${counts.cancelled} cancelled`,
      ...(counts.reused > 0
        ? [
            `${plural(counts.reused, "trial")} answered from the record: the same work was done before and was not paid for again`,
          ]
        : []),
      `tokens: ${tokensText(summary)}`,
    ].join("\n"),
    lastWords(view),
  ];
  return parts.join("\n\n");
}

function bestTable(trials: readonly TrialView[], metric: string): string {
  const params = paramsFormat(trials);
  return table(
    trials.map((trial, index) => ({ trial, place: index + 1 })),
    [
      { head: "BEST", cell: ({ place }) => String(place), right: true },
      { head: "TRIAL", cell: ({ trial }) => trial.trial },
      { head: "MODEL", cell: ({ trial }) => trial.model },
      { head: metric.toUpperCase(), cell: ({ trial }) => formatMetric(trial.value), right: true },
      { head: "EPOCHS", cell: ({ trial }) => String(trial.resource), right: true },
      { head: "TOKENS", cell: ({ trial }) => formatTokens(trial.spent), right: true },
      {
        head: "STATE",
        cell: ({ trial }) => (trial.reusedFrom === null ? trial.state : `from ${trial.reusedFrom}`),
      },
      { head: "PARAMETERS", cell: ({ trial }) => params(trial.params) },
    ],
    "no trial has a result",
  );
}

function lastWords({ summary, trials }: SweepView): string {
  const best = trials.find((trial) => trial.trial === summary.best?.trial);
  if (summary.best === null || best === undefined)
    return `${summary.sweep} ${summary.name} has no best model`;
  const lines = [
    `best model: ${best.model} of ${best.trial}, ${summary.metric} ${formatMetric(summary.best.value)} (${formatMetrics(best.metrics)})`,
  ];
  if (summary.registered !== null) lines.push(`registered: ${registeredText(summary)}`);
  return lines.join("\n");
}
