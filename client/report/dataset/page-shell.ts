/**
 * A page about data that needs nothing else: the same style, script and chart library as a sweep's report. Whatever comes
 * from the data is escaped here or in `html-table.ts`; the page may load nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../../../training/version/code-version.ts";
import type { PageParts } from "../chart-library.ts";
import type { Chart } from "../report-chart.ts";
import { escapeHtml } from "../escape.ts";
import { htmlPage } from "../html-page.ts";

/** A chart with the height its content needs, in CSS pixels. */
export interface SizedChart {
  readonly chart: Chart;
  readonly heightPx: number;
}

/** HTML that is safe as it is. */
export type Section =
  | { readonly kind: "html"; readonly title: string; readonly html: string }
  | { readonly kind: "chart"; readonly chart: SizedChart }
  | {
      readonly kind: "small-charts";
      readonly title: string;
      readonly about: string;
      readonly charts: readonly SizedChart[];
    };

export interface DatasetPage {
  readonly title: string;
  readonly subtitle: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly sections: readonly Section[];
}

export function pageShell({ facts, sections, subtitle, title }: DatasetPage, parts: PageParts): string {
  const own = readFileSync(join(projectFolder, "client", "report", "dataset", "dataset.css"), "utf8");
  const charts = sections.flatMap((section) => {
    if (section.kind === "chart") return [section.chart.chart];
    return section.kind === "small-charts" ? section.charts.map(({ chart }) => chart) : [];
  });
  const data = {
    // What the script would filter; a page about data has no trials.
    rows: [],
    charts: charts.map(({ about, id, linked, option }) => ({ about, id, linked, option })),
    progressAxes: [],
    valueColumn: 0,
    lossSign: 1,
  };
  return htmlPage(
    {
      title,
      subtitle,
      facts,
      style: own,
      main: sections.map(sectionHtml).join("\n"),
      noScript: "The charts need JavaScript; the facts and the tables do not.",
      data,
    },
    parts,
  );
}

function sectionHtml(section: Section): string {
  switch (section.kind) {
    case "html":
      return `<section><h2>${escapeHtml(section.title)}</h2>${section.html}</section>`;
    case "chart": {
      const { about, title } = section.chart.chart;
      return `<section><h2>${escapeHtml(title)}</h2><p class="about">${escapeHtml(about)}</p>${place(section.chart, "wide")}</section>`;
    }
    case "small-charts": {
      const figures = section.charts.map(
        (sized) =>
          `<figure><figcaption>${escapeHtml(sized.chart.title)}</figcaption>${place(sized, "small")}</figure>`,
      );
      return `<section><h2>${escapeHtml(section.title)}</h2><p class="about">${escapeHtml(section.about)}</p><div class="small-charts">${figures.join("")}</div></section>`;
    }
    default:
      return section satisfies never;
  }
}

function place({ chart, heightPx }: SizedChart, size: "wide" | "small"): string {
  const label = escapeHtml(`${chart.title}: ${chart.about}`);
  return `<div class="chart ${size}" style="height:${heightPx}px" id="${escapeHtml(chart.id)}" role="img" aria-label="${label}"></div>`;
}
