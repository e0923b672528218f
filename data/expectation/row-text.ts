/** A row that fails an expectation, as it is named to people. */
import type { FailingRow } from "./expectation-report.ts";

const valueUnits = 60;

export function rowText({ file, line, split, value }: FailingRow): string {
  const place = file === "" ? split : file;
  const shown =
    value === null
      ? "missing"
      : JSON.stringify(value.length > valueUnits ? `${value.slice(0, valueUnits)}...` : value);
  return `${place}${line === null ? "" : `:${line}`} ${shown}`;
}
