/** Which parameters mattered, by two measures side by side. */
import { percentOf } from "../../text/figure.ts";
import type { InsightParameter } from "../../coordinator/insight/sweep-insight.ts";
import { dotColor, lineColor, type Chart } from "./report-chart.ts";

const shownMost = 20;

export function importanceChart(parameters: readonly InsightParameter[]): Chart {
  const shown = parameters.slice(0, shownMost);
  const label = { show: true, position: "right", formatter: "{c} %" };
  return {
    id: "importance",
    title: "Parameter importance",
    about:
      "Blue: how much a parameter decided whether a trial was among the best tenth (PED-ANOVA). Orange: how much of all differences between trials it explains by itself (fANOVA). Brushing does not change it.",
    size: "wide",
    linked: false,
    option: {
      grid: { left: 8, right: 56, top: 32, bottom: 8, containLabel: true },
      legend: { top: 0 },
      tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
      xAxis: { type: "value", axisLabel: { formatter: "{value} %" } },
      yAxis: { type: "category", inverse: true, data: shown.map(({ axis }) => axis.name) },
      series: [
        {
          type: "bar",
          name: "being among the best (PED-ANOVA)",
          itemStyle: { color: dotColor },
          label,
          data: shown.map(({ importance }) => percentOf(importance ?? 0, 1)),
        },
        {
          type: "bar",
          name: "all differences (fANOVA)",
          itemStyle: { color: lineColor },
          label,
          data: shown.map(({ varianceShare }) => percentOf(varianceShare ?? 0, 1)),
        },
      ],
    },
  };
}
