/**
 * The rows as training could have them: those that lack what it cannot do without are bad, and so are those with a number
 * that a version cannot hold; labels are without white space at their ends. SQL over the plan's last relation.
 */
import { id, lit, markColumns, type Mark } from "../engine/sql.ts";
import { trimmed } from "../engine/text-function.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { Column } from "./compile-step.ts";
import { numberMost } from "./column-number.ts";
import { featureKind } from "./fit-features.ts";
import { requiredMarks, tooLarge, type ResolvedForm } from "./resolve-form.ts";

/** `__trimmed` tells where white space was taken off the label (LABEL-1). */
export function requiredRows({ form, plan }: Declaration, resolved: ResolvedForm, from: string): string {
  const options = plan.find((step) => step.step === "features");
  const wide = resolved.features.filter(
    (column) =>
      column.type === "DOUBLE" && featureKind(column, options?.columns[column.name]) !== "categories",
  );
  const marks = markColumns([...requiredMarks(form, resolved), ...largeMarks(wide)], true);
  const { isClass, targetColumn } = resolved;
  const value = id(targetColumn.name);
  const isLabel = isClass && targetColumn.type === "VARCHAR";
  const label = trimmed(value);
  const trim = isLabel ? `, ${label} AS ${value}` : "";
  const rows = wide.length === 0 ? from : `(SELECT *, ${largePosition(wide)} AS __large FROM ${from})`;
  const without = wide.length === 0 ? "" : " EXCLUDE (__large)";
  return `SELECT *${without} REPLACE (${marks}${trim}), ${isLabel ? `${value} <> ${label}` : "false"} AS __trimmed FROM ${rows}`;
}

/** Looked for once for all columns, so that the query grows with them and not with their square. */
export function largePosition(columns: readonly Column[]): string {
  const large = columns.map(({ name }) => `isfinite(${id(name)}) AND abs(${id(name)}) > ${numberMost}`);
  return `list_position([${large.join(", ")}], true)`;
}

function largeMarks(columns: readonly Column[]): readonly Mark[] {
  if (columns.length === 0) return [];
  const pick = (parts: readonly string[]) => `([${parts.join(", ")}])[__large]`;
  return [
    {
      when: "__large IS NOT NULL",
      column: pick(columns.map(({ name }) => lit(name))),
      value: pick(columns.map(({ name }) => id(name))),
      reason: lit(tooLarge("a feature")),
    },
  ];
}
