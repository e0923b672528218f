/** Bars for shares, counts and histograms, as data for the chart library. */
import { dotColor, lineColor, type Chart, type Json } from "../report-chart.ts";
import type { SizedChart } from "./page-shell.ts";

export interface BarSeries {
  readonly name: string;
  readonly values: readonly number[];
}

export interface BarInput {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly names: readonly string[];
  readonly series: readonly BarSeries[];
  /** Written behind the numbers of the axis. */
  readonly unit?: string;
  /** Upright lines at these values, with what they say. */
  readonly lines?: readonly { readonly at: number; readonly name: string }[];
}

const thresholdColor = "#d9453d";
const seriesColors = [dotColor, lineColor, "#1fa187", "#8e5bb5"] as const;
const barPx = 16;
const aroundPx = 84;
/** A longer name is cut; the tip shows it whole. */
const namePx = 150;
const smallNamePx = 90;

/** Bars that lie, one group per name, names from top to bottom. */
export function lyingBars(input: BarInput, size: Chart["size"] = "wide"): SizedChart {
  const { about, id, lines = [], names, series, title, unit = "" } = input;
  const groupPx = barPx * Math.max(1, series.length) + 8;
  return {
    heightPx: Math.max(size === "small" ? 160 : 180, aroundPx + names.length * groupPx),
    chart: {
      id,
      title,
      about,
      size,
      linked: false,
      option: {
        grid: {
          left: 8,
          right: 40,
          top: series.length > 1 ? 36 : lines.length > 0 ? 28 : 12,
          bottom: 12,
          containLabel: true,
        },
        ...(series.length > 1 ? { legend: { top: 0, type: "scroll" } } : {}),
        tooltip,
        xAxis: {
          type: "value",
          axisLabel: { formatter: `{value}${unit}`, hideOverlap: true },
          splitNumber: 4,
        },
        yAxis: {
          type: "category",
          inverse: true,
          data: names,
          axisLabel: { width: size === "small" ? smallNamePx : namePx, overflow: "truncate", interval: 0 },
        },
        series: series.map(({ name, values }, at) => ({
          type: "bar",
          name,
          barMaxWidth: barPx,
          itemStyle: { color: seriesColors[at % seriesColors.length] ?? dotColor },
          data: values,
          ...(at === 0 && lines.length > 0 ? { markLine: markLines(lines) } : {}),
        })),
      },
    },
  };
}

/** Bars that stand side by side: a histogram. */
export function standingBars(input: BarInput): SizedChart {
  const { about, id, names, series, title, unit = "" } = input;
  return {
    heightPx: 220,
    chart: {
      id,
      title,
      about,
      size: "small",
      linked: false,
      option: {
        grid: { left: 8, right: 12, top: series.length > 1 ? 32 : 12, bottom: 8, containLabel: true },
        ...(series.length > 1 ? { legend: { top: 0, type: "scroll" } } : {}),
        tooltip,
        xAxis: {
          type: "category",
          data: names,
          axisLabel: { hideOverlap: true, alignMinLabel: "left", alignMaxLabel: "right" },
        },
        yAxis: { type: "value", axisLabel: { formatter: `{value}${unit}` }, splitNumber: 3 },
        series: series.map(({ name, values }, at) => ({
          type: "bar",
          name,
          barCategoryGap: "8%",
          itemStyle: { color: seriesColors[at % seriesColors.length] ?? dotColor },
          data: values,
        })),
      },
    },
  };
}

const tooltip = { trigger: "axis", axisPointer: { type: "shadow" }, confine: true } as const;

function markLines(lines: NonNullable<BarInput["lines"]>): Json {
  return {
    symbol: "none",
    silent: true,
    lineStyle: { color: thresholdColor, type: "dashed", width: 2 },
    data: lines.map(({ at, name }) => ({
      xAxis: at,
      name,
      label: { formatter: name, position: "start", color: thresholdColor },
    })),
  };
}
