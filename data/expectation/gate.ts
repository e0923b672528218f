/** Whether a report lets pass. What stands behind the gate (a sweep, a promotion) is not known here. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Checked, ExpectationReport, FailingRow } from "./expectation-report.ts";

const rowsNamed = 3;
const valueUnits = 60;

/** A refusal names every expectation that failed, and the first rows of each. */
export function gateOf(report: ExpectationReport): Outcome<ExpectationReport> {
  const failed = report.checks.filter(({ passed, severity }) => !passed && severity === "refuse");
  if (failed.length === 0) return accept(report);
  const sentences = failed.map((check) => `${check.title}: ${check.found}${rowsOf(check)}`);
  const what = failed.length === 1 ? "an expectation" : `${failed.length} expectations`;
  return refuse("invalid", `dataset ${report.name} fails ${what}: ${sentences.join("; ")}`, ["expect"]);
}

function rowsOf({ examples, failing }: Checked): string {
  if (examples.length === 0) return "";
  const named = examples.slice(0, rowsNamed).map(rowText);
  const rest = failing - named.length;
  return ` (${named.join(", ")}${rest > 0 ? ` and ${rest} more` : ""})`;
}

export function rowText({ file, line, split, value }: FailingRow): string {
  const place = file === "" ? split : file;
  const shown =
    value === null
      ? "missing"
      : JSON.stringify(value.length > valueUnits ? `${value.slice(0, valueUnits)}...` : value);
  return `${place}${line === null ? "" : `:${line}`} ${shown}`;
}
