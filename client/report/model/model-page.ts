/** What a registered model gets right and wrong as one HTML page, for models of labels and of numbers. */
import { resolve } from "node:path";
import type { Outcome } from "../../../protocol/refusal.ts";
import type { ModelReport } from "../../model/report-model.ts";
import { readPageParts, type PageParts } from "../chart-library.ts";
import { pageShell } from "../dataset/page-shell.ts";
import { writePage, type WrittenPage } from "../write-page.ts";
import { classifierFacts, classifierSections } from "./classifier-section.ts";
import { regressionFacts, regressionSections } from "./regression-section.ts";

export function modelPage(report: ModelReport, parts: PageParts): string {
  const isRegression = report.kind === "regression";
  return pageShell(
    {
      title: report.model,
      subtitle: `${report.trainedBy}, epoch ${report.epoch}, made by trialmesh`,
      facts: isRegression ? regressionFacts(report) : classifierFacts(report),
      sections: isRegression ? regressionSections(report) : classifierSections(report),
    },
    parts,
  );
}

export function writeModelPage(file: string, report: ModelReport): Outcome<WrittenPage> {
  return writePage(resolve(file), modelPage(report, readPageParts()), "--html");
}
