/** The objective over the two most important parameters, as the forest sees it, with the trials on top. */
import type { ChartAxis } from "../../coordinator/insight/chart-axis.ts";
import type { SweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import type { SweepSummary } from "../../protocol/view.ts";
import { formatMetric } from "../../text/figure.ts";
import { axisOption } from "./axis-option.ts";
import { rowColumn, colorsFor, type Chart, type Json } from "./report-chart.ts";

/** Null where there is no plane to draw. */
export function planeChart(
  { parameters, plane }: SweepInsight,
  metric: string,
  goal: SweepSummary["goal"],
): Chart | null {
  if (plane === null) return null;
  const indexOf = (name: string) => parameters.findIndex(({ axis }) => axis.name === name);
  const [xIndex, yIndex] = [indexOf(plane.x), indexOf(plane.y)];
  const [x, y] = [parameters[xIndex]?.axis, parameters[yIndex]?.axis];
  if (x === undefined || y === undefined) return null;
  const values = plane.grid.map(({ value }) => value);
  const columns = stations(plane.grid.map((point) => point.x));
  const rows = stations(plane.grid.map((point) => point.y));
  return {
    id: "plane",
    title: `${plane.x} and ${plane.y}`,
    about: `Colour: the ${metric} to expect for the two most important parameters together, the others averaged out. Dots: trials.`,
    size: "wide",
    linked: true,
    option: {
      grid: { left: 70, right: 110, top: 28, bottom: 48 },
      tooltip: { trigger: "item" },
      // Cells stand on axes of their own that nobody sees: one place per cell, in step with the visible ones.
      xAxis: [cellAxis(columns), { ...visible(x), position: "bottom" }],
      yAxis: [cellAxis(rows), { ...visible(y), nameGap: 48, position: "left" }],
      visualMap: {
        seriesIndex: 0,
        dimension: 2,
        min: Math.min(...values),
        max: Math.max(...values),
        calculable: false,
        text: [formatMetric(Math.max(...values)), formatMetric(Math.min(...values))],
        right: 8,
        top: "middle",
        inRange: { color: colorsFor(goal) },
      },
      series: [
        {
          type: "heatmap",
          name: "expected",
          xAxisIndex: 0,
          yAxisIndex: 0,
          silent: true,
          data: plane.grid.map((point) => [columns.indexOf(point.x), rows.indexOf(point.y), point.value]),
        },
        {
          type: "scatter",
          name: "trials",
          xAxisIndex: 1,
          yAxisIndex: 1,
          symbolSize: 7,
          itemStyle: { color: "#ffffff", borderColor: "#111111", borderWidth: 1 },
          encode: {
            x: rowColumn.parameters + xIndex,
            y: rowColumn.parameters + yIndex,
            itemName: rowColumn.trial,
            tooltip: [rowColumn.value],
          },
        },
      ],
    },
  };
}

function stations(of: readonly (number | string)[]): readonly (number | string)[] {
  return [...new Set(of)];
}

function cellAxis(data: readonly (number | string)[]): { readonly [key: string]: Json } {
  return { type: "category", show: false, data: data.map(String) };
}

function visible(axis: ChartAxis): { readonly [key: string]: Json } {
  return { ...axisOption(axis), splitLine: { show: false } };
}
