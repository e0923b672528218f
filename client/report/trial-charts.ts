/** Charts with a dot per trial: in their order, and along each parameter. Their dots are the page's rows. */
import type { InsightParameter } from "../../coordinator/insight/sweep-insight.ts";
import { axisOption, valueAxis } from "./axis-option.ts";
import { dotColor, lineColor, rowColumn, type Chart } from "./report-chart.ts";

const slicesMost = 12;
const grid = { left: 64, right: 20, top: 28, bottom: 44 } as const;

export function orderChart(metric: string): Chart {
  return {
    id: "order",
    title: "Every trial",
    about: `The ${metric} of each trial in the order they were proposed. A search that learns drifts towards the better end.`,
    size: "wide",
    linked: true,
    option: {
      grid: { ...grid, left: 70 },
      tooltip: { trigger: "item" },
      xAxis: {
        type: "value",
        name: "trial",
        nameLocation: "middle",
        nameGap: 26,
        minInterval: 1,
        min: "dataMin",
      },
      yAxis: valueAxis(metric),
      series: [dots(rowColumn.number)],
    },
  };
}

export function sliceCharts(parameters: readonly InsightParameter[], metric: string): readonly Chart[] {
  return parameters.slice(0, slicesMost).map(({ axis, line }, index) => ({
    id: `slice-${index}`,
    title: axis.name,
    about: `${metric} against ${axis.name}. Orange: what to expect with all other parameters averaged out.`,
    size: "small" as const,
    linked: true,
    option: {
      grid,
      tooltip: { trigger: "item" },
      xAxis: axisOption(axis),
      yAxis: valueAxis(metric),
      series: [
        dots(rowColumn.parameters + index),
        {
          type: axis.kind === "category" ? "scatter" : "line",
          name: "expected",
          symbol: axis.kind === "category" ? "diamond" : "none",
          symbolSize: 14,
          silent: true,
          z: 3,
          lineStyle: { color: lineColor, width: 2 },
          itemStyle: { color: lineColor },
          data: line.map(({ at, value }) => [at, value]),
        },
      ],
    },
  }));
}

function dots(column: number) {
  return {
    type: "scatter",
    name: "trials",
    symbolSize: 7,
    itemStyle: { color: dotColor, opacity: 0.65 },
    encode: { x: column, y: rowColumn.value, itemName: rowColumn.trial, tooltip: [column, rowColumn.value] },
  } as const;
}
