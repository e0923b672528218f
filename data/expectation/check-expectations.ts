/** Whether a dataset version is as expected, expectation by expectation. An expectation that cannot be asked is refused. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LabelledRow } from "../quality/labelled-row.ts";
import { labelledRows, withRawVersion, type RawOptions, type RawVersion } from "../quality/raw-version.ts";
import { expectationTitle, type Expectation } from "./expectation.ts";
import type { Checked, ExpectationReport } from "./expectation-report.ts";
import {
  checkBalance,
  checkDistinct,
  checkRowCount,
  checkRows,
  checkUnique,
  type Found,
} from "./row-check.ts";
import { checkConflicts, checkLabelErrors, checkLeakage } from "./text-check.ts";

export interface ExpectationInput {
  /** Of the version's Parquet file. */
  readonly path: string;
  /** SHA-256 of the file, where the caller knows it. */
  readonly digest: string | null;
  readonly expectations: readonly Expectation[];
}

export async function checkExpectations(
  { digest, expectations, path }: ExpectationInput,
  options: RawOptions,
): Promise<Outcome<ExpectationReport>> {
  return withRawVersion(path, options, async (version) => {
    const texts = textRows(version);
    const checks: Checked[] = [];
    for (const [index, expectation] of expectations.entries()) {
      const found = await check(version, expectation, texts);
      if (!found.ok) {
        const { code, message } = found.refusal;
        return refuse(code, `dataset ${version.manifest.name}, expectation ${index + 1}: ${message}`, [
          "expect",
          index,
        ]);
      }
      checks.push({
        expectation,
        title: expectationTitle(expectation),
        severity: expectation.severity,
        ...found.value,
      });
    }
    return accept({
      format: "trialmesh-expectations",
      version: 1,
      name: version.manifest.name,
      digest,
      passed: checks.every(({ passed, severity }) => passed || severity === "warn"),
      checks,
    });
  });
}

type TextRows = () => Promise<readonly LabelledRow[]>;

/** Read once, and only where an expectation needs them. */
function textRows(version: RawVersion): TextRows {
  let rows: Promise<readonly LabelledRow[]> | null = null;
  return () => (rows ??= labelledRows(version));
}

async function check(
  version: RawVersion,
  expectation: Expectation,
  texts: TextRows,
): Promise<Outcome<Found>> {
  switch (expectation.kind) {
    case "not-null":
    case "range":
    case "regex":
    case "one-of":
    case "length":
      return checkRows(version, expectation);
    case "unique":
      return checkUnique(version, expectation);
    case "distinct":
      return checkDistinct(version, expectation);
    case "balance":
      return checkBalance(version, expectation);
    case "rows":
      return accept(checkRowCount(version, expectation));
    case "no-leakage":
    case "no-conflicts":
    case "label-errors": {
      if (version.text === null)
        return refuse("invalid", `${expectation.kind} is about texts, and this dataset is a table`);
      const rows = await texts();
      const labels = version.manifest.labels ?? [];
      if (expectation.kind === "no-leakage") return accept(checkLeakage(rows, expectation));
      if (expectation.kind === "no-conflicts") return accept(checkConflicts(rows, labels, expectation));
      return accept(checkLabelErrors(rows, labels, expectation));
    }
    default:
      return expectation satisfies never;
  }
}
