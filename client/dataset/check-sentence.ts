/** What of a report did not hold, one sentence each with the first rows; bounded, for it travels in a command. */
import { rowText } from "../../data/expectation/row-text.ts";
import type { Checked, ExpectationReport } from "../../data/expectation/expectation-report.ts";

const sentencesMax = 20;
const rowsNamed = 5;
const unitsMax = 900;

export function checkSentences(report: ExpectationReport): string[] {
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
