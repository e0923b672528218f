/** The best value so far over finished trials, tokens or time; which of them, the page's switch says. */
import type { BestPoint } from "../../coordinator/insight/best-so-far.ts";
import { valueAxis } from "./axis-option.ts";
import { lineColor, type Chart } from "./report-chart.ts";

const msPerMinute = 60_000;
const milliTokensPerToken = 1000;

/** Columns of the chart's own rows by the name of the switch, with the axis's title. */
export const progressAxes = [
  { key: "trials", column: 0, title: "finished trials" },
  { key: "tokens", column: 1, title: "tokens spent" },
  { key: "time", column: 2, title: "minutes since the start" },
] as const;

export function progressChart(points: readonly BestPoint[], metric: string): Chart {
  const [first] = progressAxes;
  return {
    id: "progress",
    title: "Best so far",
    about: `The best ${metric} the sweep had found by then. A line that has long been flat says that more of the same will not help.`,
    size: "wide",
    linked: false,
    option: {
      dataset: {
        source: points.map(({ elapsed, spent, trials, value }) => [
          trials,
          spent / milliTokensPerToken,
          elapsed / msPerMinute,
          value,
        ]),
      },
      grid: { left: 70, right: 24, top: 32, bottom: 48 },
      tooltip: { trigger: "axis" },
      xAxis: { type: "value", name: first.title, nameLocation: "middle", nameGap: 28, min: "dataMin" },
      yAxis: valueAxis(metric),
      series: [
        {
          type: "line",
          name: metric,
          step: "end",
          encode: { x: first.column, y: progressAxes.length },
          lineStyle: { color: lineColor, width: 2 },
          itemStyle: { color: lineColor },
        },
      ],
    },
  };
}
