/**
 * A chart as data: what the page's script hands to the chart library. Everything that can be decided before the page is
 * opened is decided here, so that the script only draws and filters.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Chart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  /** What it shows and how to read it; also its description for screen readers. */
  readonly about: string;
  /** An ECharts option. */
  readonly option: { readonly [key: string]: Json };
  /** True where its dots come from the page's rows of trials, which brushing filters. */
  readonly linked: boolean;
  readonly size: "wide" | "small";
}

/** Columns of the page's rows of trials; parameters follow, in the insight's order. */
export const rowColumn = { trial: 0, number: 1, value: 2, parameters: 3 } as const;

/** Dark to light, told apart by all kinds of eyes, and on light and dark ground (viridis, without its ends). */
const valueColors = ["#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39"] as const;
/** The light end is the better one. */
export function colorsFor(goal: "minimize" | "maximize"): readonly string[] {
  return goal === "maximize" ? valueColors : valueColors.toReversed();
}

export const lineColor = "#e07b00";
export const dotColor = "#2a7fb8";
