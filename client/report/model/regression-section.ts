/** The parts of a page about a model of numbers, split by split: predicted against true, the errors, and the rows missed most. */
import type { MissedRow, RegressionReport, RegressionSplit } from "../../model/report-regressor.ts";
import { exactPercent, formatMetric } from "../../../text/figure.ts";
import { standingBars } from "../dataset/bar-chart.ts";
import { htmlTable } from "../dataset/html-table.ts";
import type { Section, SizedChart } from "../dataset/page-shell.ts";
import { valueAxis } from "../axis-option.ts";
import { dotColor, lineColor, type Json } from "../report-chart.ts";

const heightPx = 420;
const dotPx = 5;
const grid = { left: 8, right: 24, top: 36, bottom: 36, containLabel: true };

export function regressionSections({ splits, target }: RegressionReport): readonly Section[] {
  return (["validation", "test"] as const).flatMap((name) => {
    const split = splits[name];
    return split === undefined ? [] : splitSections(name, split, target);
  });
}

export function regressionFacts(report: RegressionReport): readonly (readonly [string, string])[] {
  const figures = (["validation", "test"] as const).flatMap((name) => {
    const split = report.splits[name];
    if (split === undefined) return [];
    const { bias, metrics, rows } = split;
    return [
      [
        name,
        `${rows} rows: RMSE ${formatMetric(metrics.rmse)}, MAE ${formatMetric(metrics.mae)}, R2 ${formatMetric(metrics.r2)}, mean error ${formatMetric(bias)}`,
      ] as const,
    ];
  });
  return [["Predicts", report.target], ["Dataset", report.dataset], ...figures];
}

function splitSections(name: string, split: RegressionSplit, target: string): readonly Section[] {
  return [
    { kind: "chart", chart: againstTruth(name, split, target) },
    { kind: "chart", chart: alongPredicted(name, split, target) },
    {
      kind: "small-charts",
      title: `Errors, ${name}`,
      about: "Predicted minus true, in the unit of the target: above 0 it says too much.",
      charts: [errorBars(name, split)],
    },
    { kind: "html", title: `Quantiles of the errors, ${name}`, html: quantileTable(split) },
    { kind: "html", title: `Missed most, ${name}`, html: worstTable(split) },
  ];
}

/** Dots on the line are right. */
function againstTruth(name: string, { points, rows }: RegressionSplit, target: string): SizedChart {
  const values = points.flatMap(({ predicted, truth }) => [predicted, truth]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const some =
    points.length === rows ? "" : ` ${points.length} of ${rows} rows are drawn, evenly over what is true.`;
  return {
    heightPx,
    chart: {
      id: `truth-${name}`,
      title: `Predicted against true, ${name}`,
      about: `Each dot is a row, the true ${target} across and what was predicted upwards; on the line both are the same.${some}`,
      linked: false,
      size: "wide",
      option: {
        grid,
        tooltip: { trigger: "item" },
        xAxis: axis(`true ${target}`),
        yAxis: valueAxis("predicted"),
        series: [
          dots(
            "rows",
            points.map(({ predicted, truth }) => [truth, predicted]),
          ),
          line("right", [
            [least, least],
            [most, most],
          ]),
        ],
      },
    },
  };
}

/** Residuals, and the mean of each group of rows: where that leaves 0 the model is wrong on average. */
function alongPredicted(name: string, { groups, points }: RegressionSplit, target: string): SizedChart {
  return {
    heightPx,
    chart: {
      id: `error-${name}`,
      title: `Errors along the prediction, ${name}`,
      about: `The error of each row over what was predicted for ${target}; the line is the mean error of rows with like predictions, and 0 where they are right on average.`,
      linked: false,
      size: "wide",
      option: {
        grid,
        tooltip: { trigger: "item" },
        xAxis: axis("predicted"),
        yAxis: valueAxis("predicted minus true"),
        series: [
          dots(
            "rows",
            points.map(({ predicted, truth }) => [predicted, predicted - truth]),
          ),
          line(
            "mean error",
            groups.map(({ predicted, truth }) => [predicted, predicted - truth]),
          ),
        ],
      },
    },
  };
}

function axis(name: string): Json {
  return { type: "value", scale: true, name, nameLocation: "middle", nameGap: 28 };
}

function dots(name: string, data: readonly (readonly number[])[]): Json {
  return {
    type: "scatter",
    name,
    symbolSize: dotPx,
    itemStyle: { color: dotColor, opacity: 0.5 },
    data: rounded(data),
  };
}

function line(name: string, data: readonly (readonly number[])[]): Json {
  return {
    type: "line",
    name,
    symbol: "none",
    lineStyle: { color: lineColor, width: 2 },
    itemStyle: { color: lineColor },
    data: rounded(data),
  };
}

/** What is drawn needs no more digits than single precision has; what is not finite cannot be drawn. */
function rounded(data: readonly (readonly number[])[]): Json {
  return data
    .filter((each) => each.every(Number.isFinite))
    .map((each) => each.map((value) => Number(value.toPrecision(7))));
}

function errorBars(name: string, { histogram }: RegressionSplit): SizedChart {
  return standingBars({
    id: `histogram-${name}`,
    title: `How many rows with which error, ${name}`,
    about: "Rows by their error, in bins of equal width; the outermost hold all that lies further out.",
    names: histogram.map(({ from, to }) => formatMetric((from + to) / 2)),
    series: [{ name: "rows", values: histogram.map(({ rows }) => rows) }],
  });
}

function quantileTable({ quantiles }: RegressionSplit): string {
  return htmlTable(
    "Of so many of the rows the error, and its size without its sign, is at most this",
    quantiles,
    [
      { head: "Of the rows", cell: ({ share }) => exactPercent(share) },
      { head: "Error", kind: "number", cell: ({ error }) => formatMetric(error) },
      { head: "Size of the error", kind: "number", cell: ({ size }) => formatMetric(size) },
    ],
  );
}

function worstTable({ worst }: RegressionSplit): string {
  const columns = worst[0]?.came?.values.map(([column]) => column) ?? [];
  return htmlTable(
    "The rows that were missed most, with what stood there before the plan changed it",
    worst,
    [
      { head: "Row", cell: placeOf },
      { head: "Error", kind: "number", cell: ({ error }) => formatMetric(error) },
      { head: "True", kind: "number", cell: ({ truth }) => formatMetric(truth) },
      { head: "Predicted", kind: "number", cell: ({ predicted }) => formatMetric(predicted) },
      ...columns.map((column, at) => ({
        head: column,
        kind: "text" as const,
        cell: ({ came }: MissedRow) => came?.values[at]?.[1] ?? "",
      })),
    ],
  );
}

function placeOf({ came, row }: MissedRow): string {
  return came === null ? `row ${row + 1}` : `${came.file}:${came.line}`;
}
