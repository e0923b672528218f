/** Every trial as a line across its parameters to its value; ranges brushed on the axes filter the page. */
import type { InsightParameter, InsightTrial } from "../../coordinator/insight/sweep-insight.ts";
import type { SweepSummary } from "../../protocol/view.ts";
import { axisOption } from "./axis-option.ts";
import { colorsFor, type Chart } from "./report-chart.ts";

/** More axes than these cannot be told apart on a page. */
const axesMost = 14;

/** Room around the axes, in pixels. */
export const parallelMargin = { left: 60, right: 80, top: 56, bottom: 24 } as const;

export function parallelChart(
  parameters: readonly InsightParameter[],
  trials: readonly InsightTrial[],
  { goal, metric }: Pick<SweepSummary, "goal" | "metric">,
): Chart {
  const shown = parameters.slice(0, axesMost);
  const values = trials.map(({ value }) => value);
  const named = (name: string) => ({
    name,
    nameLocation: "end",
    nameGap: 14,
    nameTextStyle: { overflow: "truncate", width: 100 },
  });
  return {
    id: "parallel",
    title: "Parallel coordinates",
    about:
      "One line per trial, the most important parameters first. Drag along an axis to keep only the trials in that range: the other charts and the table follow. Click an axis beside the range to let it go.",
    size: "wide",
    linked: false,
    option: {
      parallel: { ...parallelMargin, parallelAxisDefault: { realtime: false } },
      parallelAxis: [
        ...shown.map(({ axis }, dim) => ({ ...axisOption(axis), ...named(axis.name), dim })),
        { ...named(metric), dim: shown.length, type: "value", scale: true },
      ],
      visualMap: {
        show: false,
        dimension: shown.length,
        min: Math.min(...values),
        max: Math.max(...values),
        inRange: { color: colorsFor(goal) },
      },
      tooltip: {},
      series: [
        {
          type: "parallel",
          inactiveOpacity: 0.04,
          activeOpacity: 0.9,
          lineStyle: { width: 1.5, opacity: 0.6 },
          data: trials.map(({ at, trial, value }) => ({
            name: trial,
            // An inactive parameter leaves a gap in the line.
            value: [...at.slice(0, shown.length).map((one) => one ?? "-"), value],
          })),
        },
      ],
    },
  };
}
