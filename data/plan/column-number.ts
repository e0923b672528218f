/** Which columns can be numbers, and the SQL that makes them so: as features, and as a target to predict. */
import { id } from "../engine/sql.ts";
import type { Column } from "./compile-step.ts";

/** Versions hold single precision, which ends here. */
export const numberMost = 3.4028234663852886e38;
export const numberMostText = "3.4e38";

const numbers = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\)|BOOLEAN)$/u;

export function isMoment({ type }: Pick<Column, "type">): boolean {
  return type === "DATE" || type.startsWith("TIMESTAMP");
}

/** Whether `numberOf` makes something of it. */
export function isNumeric(column: Column): boolean {
  return numbers.test(column.type) || isMoment(column);
}

/** A column as DOUBLE: days since 1970 for dates and moments, the time of day as a part; no value for what is not finite. */
export function numberOf(column: Column): string {
  const value = id(column.name);
  if (isMoment(column)) return `CASE WHEN isfinite(${value}) THEN epoch(${value}) / 86400.0::DOUBLE END`;
  if (column.type === "DOUBLE" || column.type === "FLOAT")
    return `CASE WHEN isfinite(${value}) THEN CAST(${value} AS DOUBLE) END`;
  return `CAST(${value} AS DOUBLE)`;
}
