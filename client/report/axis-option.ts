/** A parameter's axis as the chart library wants it. */
import type { ChartAxis } from "../../coordinator/insight/chart-axis.ts";
import type { Json } from "./report-chart.ts";

export function axisOption(axis: ChartAxis): { readonly [key: string]: Json } {
  const name = { name: axis.name, nameLocation: "middle", nameGap: 28 };
  if (axis.kind === "category") return { ...name, type: "category", data: axis.categories };
  return {
    ...name,
    type: axis.log ? "log" : "value",
    ...(axis.whole ? { minInterval: 1 } : {}),
    min: rounded(axis.min, Math.floor),
    max: rounded(axis.max, Math.ceil),
    ...thinLabels,
    ...atTheEdge,
  };
}

/** Three digits are enough for the end of an axis, and more run into the next one. Rounded outwards, so that nothing falls off. */
function rounded(value: number, outwards: (value: number) => number): number {
  if (value === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 2);
  // What is only the dust of an earlier rounding does not count.
  return Number((outwards(Number((value / unit).toPrecision(9))) * unit).toPrecision(3));
}

/** The objective's axis, at the left edge wherever zero is. */
export function valueAxis(metric: string): { readonly [key: string]: Json } {
  return { type: "value", name: metric, scale: true, nameTextStyle: { align: "left" }, ...atTheEdge };
}

const atTheEdge = { axisLine: { onZero: false } } as const;

/** Labels at exact but uneven ends of a range would run into their neighbours. */
const thinLabels = { axisLabel: { hideOverlap: true } } as const;
