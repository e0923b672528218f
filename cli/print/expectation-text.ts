/** Whether a dataset is as expected, as text: failures with their first rows, then what holds. */
import { rowText } from "../../data/expectation/row-text.ts";
import type { Checked, ExpectationReport } from "../../data/expectation/expectation-report.ts";
import { clipped } from "../../text/clip.ts";
import { plural } from "../../protocol/plural.ts";

const rowsShown = 5;
const rowCells = 100;

export function expectationText(report: ExpectationReport): string {
  const { checks, name, passed } = report;
  if (checks.length === 0) return `${name} declares no expectations`;
  const ranked = checks.toSorted((a, b) => rank(a) - rank(b));
  const failed = checks.filter((check) => !check.passed).length;
  const said =
    failed === 0
      ? "all hold"
      : `${failed} of ${plural(checks.length, "expectation")} fail${failed === 1 ? "s" : ""}`;
  const verdict = passed
    ? failed === 0
      ? ""
      : "; the gate is open, for these only warn"
    : "; the gate is closed";
  return [`${name}: ${said}${verdict}`, ...ranked.map(checkText)].join("\n");
}

function rank({ passed, severity }: Checked): number {
  if (passed) return 2;
  return severity === "refuse" ? 0 : 1;
}

function checkText(check: Checked): string {
  const { examples, failing, found, passed, severity, title } = check;
  const mark = passed ? "ok  " : severity === "refuse" ? "FAIL" : "warn";
  const head = `${mark}  ${clipped(title, rowCells)}: ${found}`;
  if (passed) return head;
  const rows = examples.slice(0, rowsShown).map((row) => `        ${clipped(rowText(row), rowCells)}`);
  const rest = failing - rows.length;
  return [
    head,
    ...rows,
    ...(rows.length > 0 && rest > 0 ? [`        and ${plural(rest, "more row")}`] : []),
  ].join("\n");
}
