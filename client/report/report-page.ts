/**
 * A sweep as one HTML page that needs nothing else: no network, no files beside it, no trialmesh. It holds the chart library, the
 * trials as data, and a script that draws and filters. What it says comes from the insight; nothing is computed in the page.
 */
import type { SweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import type { SweepSummary, SweepView } from "../../protocol/view.ts";
import { bestTable } from "./best-table.ts";
import type { PageParts } from "./chart-library.ts";
import { rowColumn, type Chart } from "./report-chart.ts";
import { drawnTrials } from "./drawn-trials.ts";
import { escapeHtml } from "./escape.ts";
import { factsOf } from "./facts.ts";
import { htmlPage } from "./html-page.ts";
import { importanceChart } from "./importance-chart.ts";
import { parallelChart } from "./parallel-chart.ts";
import { planeChart } from "./plane-chart.ts";
import { progressAxes, progressChart } from "./progress-chart.ts";
import { orderChart, sliceCharts } from "./trial-charts.ts";

export function reportPage(view: SweepView, whole: SweepInsight, parts: PageParts): string {
  const insight = { ...whole, trials: drawnTrials(whole.trials, view.summary.goal) };
  const { name, requester, sweep } = view.summary;
  const title = `Sweep ${sweep} ${name}`;
  const { charts, slices } = chartsOf(insight, view.summary);
  const data = {
    rows: insight.trials.map(({ at, number, trial, value }) => [trial, number, value, ...at]),
    charts: [...charts, ...slices].map(({ about, id, linked, option }) => ({ about, id, linked, option })),
    progressAxes,
    valueColumn: rowColumn.value,
    lossSign: view.summary.goal === "minimize" ? 1 : -1,
  };
  const small =
    slices.length === 0
      ? ""
      : `<section><h2>Slices</h2><div class="small-charts">${slices.map(smallChart).join("")}</div></section>`;
  const main = `${charts.map(chartSection).join("\n")}
${small}
<section><h2>Trials</h2>${drawnNote(insight, whole.trials.length)}<div class="scroll">${bestTable(view)}</div></section>`;
  return htmlPage(
    {
      title,
      subtitle: `by ${requester}, made by trialmesh`,
      facts: factsOf(view, insight.gain),
      main,
      after: '<div id="selection" role="status"></div>\n',
      noScript: "The charts need JavaScript; the facts and the table do not.",
      data,
    },
    parts,
  );
}

function chartsOf(
  insight: SweepInsight,
  { goal, metric }: SweepSummary,
): { readonly charts: readonly Chart[]; readonly slices: readonly Chart[] } {
  const { bestSoFar, parameters, trials } = insight;
  if (trials.length === 0) return { charts: [], slices: [] };
  const plane = planeChart(insight, metric, goal);
  const ofParameters =
    parameters.length === 0
      ? []
      : [importanceChart(parameters), parallelChart(parameters, trials, { goal, metric })];
  return {
    charts: [
      progressChart(bestSoFar, metric),
      ...ofParameters,
      orderChart(metric),
      ...(plane === null ? [] : [plane]),
    ],
    slices: sliceCharts(parameters, metric),
  };
}

function drawnNote({ resource, trials }: SweepInsight, all: number): string {
  const drawn = trials.length;
  const compared = `The charts compare trials as they were judged at epoch ${resource}; this table has each trial by the value that counts.`;
  const some =
    drawn === all
      ? ""
      : ` The charts hold ${drawn} of ${all} trials: the best, and others evenly spread. Importance, expectations and the best so far rest on all of them.`;
  return `<p class="about">${all === 0 ? "" : `${compared}${some}`}</p>`;
}

function chartSection(chart: Chart): string {
  const controls = chart.id === "progress" ? progressSwitch() : chart.id === "parallel" ? keepSwitch() : "";
  return `<section><h2>${escapeHtml(chart.title)}</h2>${controls}<p class="about">${escapeHtml(chart.about)}</p><div class="chart wide" id="${chart.id}" role="img" aria-label="${escapeHtml(`${chart.title}: ${chart.about}`)}"></div></section>`;
}

function smallChart({ about, id, title }: Chart): string {
  return `<figure><figcaption>${escapeHtml(title)}</figcaption><div class="chart small" id="${id}" role="img" aria-label="${escapeHtml(about)}"></div></figure>`;
}

/** The same filter without a mouse. */
function keepSwitch(): string {
  return `<label>Show <select id="keep"><option value="1">all trials</option><option value="0.5">the best half</option><option value="0.1">the best tenth</option></select></label>`;
}

function progressSwitch(): string {
  const choices = progressAxes.map(
    ({ key, title }, at) =>
      `<label><input type="radio" name="progress-axis" value="${key}"${at === 0 ? " checked" : ""}> ${title}</label>`,
  );
  return `<fieldset class="switch"><legend>Over</legend>${choices.join("")}</fieldset>`;
}
