/** What a sweep has taught, as text: importance as bars, the best so far as a small chart, the best trials, a prediction. */
import { formatTokens } from "../../protocol/token.ts";
import type { InsightView } from "../../protocol/insight-view.ts";
import { bar } from "../../text/canvas/bar.ts";
import { lineChart } from "../../text/canvas/chart.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { plural } from "../../protocol/plural.ts";
import { formatMetric, percent } from "../../text/figure.ts";
import { table } from "../../text/table.ts";

const barWidth = 30;
const chartColumns = 64;
const chartRows = 9;
const frontRowsMost = 20;

export function insightText(view: InsightView): string {
  const note = view.note === null ? [] : [`How it searches: ${view.note}`];
  return [
    [`${view.sweep} ${view.name}: ${view.sentence}`, ...note].join("\n"),
    importanceTable(view),
    frontTable(view),
    curve(view),
    view.gainSentence,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function importanceTable({ importance }: InsightView): string {
  return table(
    importance,
    [
      { head: "PARAMETER", cell: ({ parameter }) => parameter },
      { head: "IMPORTANCE", cell: ({ share }) => percent(share), right: true },
      { head: "", cell: ({ share }) => `[${bar(share, 1, barWidth, asciiGlyphs)}]` },
    ],
    "",
  );
}

function frontTable({ front }: InsightView): string {
  if (front === null) return "";
  const rows = front.trials.slice(0, frontRowsMost);
  const listed = table(
    rows,
    [
      { head: "TRIAL", cell: ({ trial }) => trial },
      ...front.objectives.map(({ goal, metric }, at) => ({
        head: `${metric.toUpperCase()} (${goal})`,
        cell: ({ values }: (typeof rows)[number]) => formatMetric(values[at] ?? null),
        right: true,
      })),
    ],
    "no trial has a value in each of them yet",
  );
  const rest = front.count - rows.length;
  const more = rest > 0 ? `\nand ${plural(rest, "more trial")}` : "";
  return `Beaten by no other trial in all objectives:\n${listed}${more}`;
}

function curve({ bestSoFar, metric }: InsightView): string {
  const last = bestSoFar.at(-1);
  if (last === undefined) return "";
  const points = bestSoFar.map(({ trials, value }) => ({ x: trials, y: value }));
  const options = {
    width: chartColumns,
    height: chartRows,
    step: true,
    xLabel: (x: number) => `trial ${Math.round(x)}`,
  };
  const head = `best ${metric} so far: ${formatMetric(last.value)} after ${plural(last.trials, "trial")} and ${formatTokens(last.spent)} tokens`;
  return [head, ...lineChart(points, options, asciiGlyphs)].join("\n");
}
