/**
 * What of a report goes on record with a version: how many expectations did not hold, and one sentence for each with the
 * first rows. Bounded, for it travels in a message.
 */
import { datasetCheckSchema, type DatasetCheck } from "../../protocol/dataset.ts";
import { rowText } from "./row-text.ts";
import type { Checked, ExpectationReport } from "./expectation-report.ts";

const sentencesMax = 20;
const rowsNamed = 5;
const unitsMax = 900;

export function recordedCheck(report: ExpectationReport): DatasetCheck {
  const broken = (severity: "refuse" | "warn") =>
    report.checks.filter((check) => !check.passed && check.severity === severity).length;
  return datasetCheckSchema.parse({
    failed: broken("refuse"),
    warned: broken("warn"),
    sentences: checkSentences(report),
  });
}

function checkSentences(report: ExpectationReport): string[] {
  return report.checks
    .filter(({ passed }) => !passed)
    .toSorted((a, b) => Number(a.severity === "warn") - Number(b.severity === "warn"))
    .slice(0, sentencesMax)
    .map((check) => sentenceOf(check).slice(0, unitsMax));
}

function sentenceOf({ examples, failing, found, severity, title }: Checked): string {
  const named = examples.slice(0, rowsNamed).map(rowText);
  const rest = failing - named.length;
  const rows = named.length === 0 ? "" : `: ${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  return `${severity === "warn" ? "(warning) " : ""}${title}: ${found}${rows}`;
}
