/** What a sweep will probably cost, as text: the sentence, and for each model what is expected and how sure that is. */
import { formatTokens } from "../../protocol/token.ts";
import type { EstimateView } from "../../protocol/estimate-view.ts";
import { rangeBar } from "../../text/canvas/range-bar.ts";
import { plural } from "../../protocol/plural.ts";
import { table } from "../../text/table.ts";

const barWidth = 30;

type Row = EstimateView["models"][number];

export function estimateText(estimate: EstimateView): string {
  const { available, expected, high, low, models, sentence, trials } = estimate;
  const most = Math.max(high, ...models.map(({ range }) => range?.high ?? 0));
  const known = models.every(({ range }) => range !== null);
  const all: Row = {
    model: "all",
    attempts: models.reduce((sum, row) => sum + row.attempts, 0),
    range: { low, expected, high },
  };
  const rows = models.length > 1 && known ? [...models, all] : models;
  const figures = table(
    rows,
    [
      { head: "MODEL", cell: (row) => row.model },
      { head: "LEAST", cell: (row) => amount(row.range?.low), right: true },
      { head: "EXPECTED", cell: (row) => amount(row.range?.expected), right: true },
      { head: "MOST", cell: (row) => amount(row.range?.high), right: true },
      { head: "", cell: (row) => (row.range === null ? "" : rangeBar(row.range, most, barWidth)) },
      { head: "FROM", cell: basisOf },
    ],
    "no model",
  );
  const money = `${plural(trials, "trial")}; ${formatTokens(available)} tokens to spend`;
  return `${sentence}\n\n${figures}\n\n${money}`;
}

function amount(of: number | undefined): string {
  return of === undefined ? "unknown" : formatTokens(of);
}

function basisOf({ attempts, range }: Row): string {
  if (range === null) return "nothing known yet";
  return attempts > 0 ? plural(attempts, "past attempt") : "the agents' probes";
}
