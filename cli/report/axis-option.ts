/** A parameter's axis as the chart library wants it. */
import type { ChartAxis } from "../../coordinator/insight/chart-axis.ts";
import type { Json } from "./chart.ts";

export function axisOption(axis: ChartAxis): { readonly [key: string]: Json } {
  const name = { name: axis.name, nameLocation: "middle", nameGap: 28 };
  if (axis.kind === "category") return { ...name, type: "category", data: axis.categories };
  return {
    ...name,
    type: axis.log ? "log" : "value",
    ...(axis.whole ? { minInterval: 1 } : {}),
    min: axis.min,
    max: axis.max,
    ...thinLabels,
    ...atTheEdge,
  };
}

/** The objective's axis, at the left edge wherever zero is. */
export function valueAxis(metric: string): { readonly [key: string]: Json } {
  return { type: "value", name: metric, scale: true, nameTextStyle: { align: "left" }, ...atTheEdge };
}

const atTheEdge = { axisLine: { onZero: false } } as const;

/** Labels at exact but uneven ends of a range would run into their neighbours. */
const thinLabels = { axisLabel: { hideOverlap: true } } as const;
