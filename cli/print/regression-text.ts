/**
 * How far a model's numbers lie from the true ones, as text: the figures, quantiles of the errors, means along what was predicted, and the
 * rows that were missed most. ASCII only, so that it stands anywhere.
 */
import type { MissedRow, RegressionReport, RegressionSplit } from "../../client/model/report-regressor.ts";
import { plural } from "../../protocol/plural.ts";
import { bar } from "../../text/canvas/bar.ts";
import { clipped } from "../../text/clip.ts";
import { exactPercent, formatMetric } from "../../text/figure.ts";
import { asciiGlyphs } from "../../text/glyph.ts";
import { table } from "../../text/table.ts";

const barWidth = 30;
const worstShown = 10;
const valuesCells = 100;

export function regressionText({
  dataset,
  epoch,
  model,
  splits,
  target,
  trainedBy,
}: RegressionReport): string {
  const parts = (["validation", "test"] as const).flatMap((name) => {
    const split = splits[name];
    return split === undefined ? [] : [splitText(name, split)];
  });
  const about = `${model}: ${trainedBy}, epoch ${epoch}, predicts ${target} of ${dataset}`;
  return [about, "errors are predicted minus true, in the unit of the target", ...parts].join("\n\n");
}

function splitText(name: string, split: RegressionSplit): string {
  const { bias, metrics, rows } = split;
  const figures = [
    `RMSE ${formatMetric(metrics.rmse)}`,
    `MAE ${formatMetric(metrics.mae)}`,
    `R2 ${formatMetric(metrics.r2)}`,
    `mean error ${formatMetric(bias)}`,
  ];
  return [
    `${name}: ${plural(rows, "row")}, ${figures.join(", ")}`,
    quantileTable(split),
    histogram(split),
    groupTable(split),
    worstTable(split),
  ].join("\n\n");
}

function quantileTable({ quantiles }: RegressionSplit): string {
  return table(
    quantiles,
    [
      { head: "OF THE ROWS", cell: ({ share }) => exactPercent(share), right: true },
      { head: "ERROR AT MOST", cell: ({ error }) => formatMetric(error), right: true },
      { head: "SIZE AT MOST", cell: ({ size }) => formatMetric(size), right: true },
    ],
    "",
  );
}

function histogram({ histogram: bins }: RegressionSplit): string {
  const most = Math.max(...bins.map(({ rows }) => rows));
  return table(
    bins,
    [
      { head: "ERROR FROM", cell: ({ from }) => formatMetric(from), right: true },
      { head: "ROWS", cell: ({ rows }) => String(rows), right: true },
      { head: "", cell: ({ rows }) => `[${bar(rows, most, barWidth, asciiGlyphs)}]` },
    ],
    "",
  );
}

/** Of a model that is right on average wherever it is, the first two columns are the same. */
function groupTable({ groups }: RegressionSplit): string {
  return table(
    groups,
    [
      { head: "PREDICTED", cell: ({ predicted }) => formatMetric(predicted), right: true },
      { head: "TRUE", cell: ({ truth }) => formatMetric(truth), right: true },
      { head: "RMSE", cell: ({ rmse }) => formatMetric(rmse), right: true },
      { head: "ROWS", cell: ({ rows }) => String(rows), right: true },
    ],
    "",
  );
}

function worstTable({ worst }: RegressionSplit): string {
  return table(
    worst.slice(0, worstShown),
    [
      { head: "MISSED MOST", cell: placeOf },
      { head: "TRUE", cell: ({ truth }) => formatMetric(truth), right: true },
      { head: "PREDICTED", cell: ({ predicted }) => formatMetric(predicted), right: true },
      { head: "ERROR", cell: ({ error }) => formatMetric(error), right: true },
      { head: "ROW", cell: (row) => clipped(valuesOf(row), valuesCells) },
    ],
    "",
  );
}

function placeOf({ came, row }: MissedRow): string {
  return came === null ? `row ${row + 1}` : `${came.file}:${came.line}`;
}

function valuesOf({ came }: MissedRow): string {
  return (came?.values ?? []).map(([column, value]) => `${column}=${value ?? ""}`).join(" ");
}
