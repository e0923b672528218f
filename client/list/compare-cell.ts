/**
 * Whether a cell is as a condition says, and which of two cells comes first. Numbers are compared as numbers, whole ones exactly however
 * long; a text that is written as a number counts as one where it is compared with one.
 */
import type { RowCondition } from "./row-condition.ts";
import type { Cell, ColumnType } from "./list-column.ts";

const numberForm = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity)$/iu;
const wholeForm = /^[+-]?\d+$/;

/** What is written as a number, or null. */
export function numberIn(text: string): number | null {
  const trimmed = text.trim();
  if (!numberForm.test(trimmed)) return null;
  return Number(trimmed.replace(/inf(?:inity)?/iu, "Infinity"));
}

/** A moment as people write it, in ms: a date is its beginning, and without an offset it is this machine's time. */
export function momentIn(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/u.test(text))
    return null;
  const at = Date.parse(text.length === "2026-01-01".length ? `${text}T00:00` : text.replace(" ", "T"));
  return Number.isNaN(at) ? null : at;
}

/** A row without a value is in no condition. */
export function holds(cell: Cell, type: ColumnType, condition: RowCondition): boolean {
  if (cell === null) return false;
  if (typeof cell !== "object") return holdsOf(cell, type, condition);
  const negated = condition.operator === "!=" || condition.operator === "!~";
  return negated
    ? cell.every((each) => holdsOf(each, type, condition))
    : cell.some((each) => holdsOf(each, type, condition));
}

type Single = string | number | boolean;

function holdsOf(cell: Single, type: ColumnType, { isText, operator, value }: RowCondition): boolean {
  switch (operator) {
    case "=":
      return equals(cell, type, value, isText);
    case "!=":
      return !equals(cell, type, value, isText);
    case "~":
      return textOf(cell, type).toLowerCase().includes(value.toLowerCase());
    case "!~":
      return !textOf(cell, type).toLowerCase().includes(value.toLowerCase());
    case ">":
    case ">=":
    case "<":
    case "<=": {
      const order = compared(cell, type, value);
      if (order === null) return false;
      return order === 0 ? operator.endsWith("=") : operator.startsWith(order > 0 ? ">" : "<");
    }
  }
}

function equals(cell: Single, type: ColumnType, value: string, isText: boolean): boolean {
  if (typeof cell === "boolean") return String(cell) === value.toLowerCase();
  if (typeof cell === "string") return cell === value;
  return !isText && compared(cell, type, value) === 0;
}

function textOf(cell: Single, type: ColumnType): string {
  return type === "time" && typeof cell === "number" ? new Date(cell).toISOString() : String(cell);
}

/** Below 0 where the cell is less than the value; null where they cannot be compared. */
function compared(cell: Single, type: ColumnType, value: string): number | null {
  if (typeof cell === "boolean") return null;
  if (type === "time" && typeof cell === "number") {
    const at = momentIn(value);
    return at === null ? null : cell - at;
  }
  const digits =
    typeof cell === "string" ? cell.trim() : Number.isInteger(cell) ? BigInt(cell).toString() : "";
  if (wholeForm.test(digits) && wholeForm.test(value.trim())) {
    const [a, b] = [BigInt(digits.replace("+", "")), BigInt(value.trim().replace("+", ""))];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const [a, b] = [typeof cell === "string" ? numberIn(cell) : cell, numberIn(value)];
  if (a === null || b === null || Number.isNaN(a)) return null;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Numbers before texts, each in its order; what has no value comes last, whichever way is sorted. */
export function order(a: Cell, b: Cell, descending: boolean): number {
  const [one, other] = [sortable(a), sortable(b)];
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  const sign = descending ? -1 : 1;
  if (typeof one !== typeof other) return typeof one === "number" ? -sign : sign;
  return one < other ? -sign : one > other ? sign : 0;
}

function sortable(cell: Cell): string | number | null {
  if (cell === null || (typeof cell === "number" && Number.isNaN(cell))) return null;
  if (typeof cell === "boolean") return Number(cell);
  if (typeof cell === "object") return cell.length === 0 ? null : cell.join(" ");
  return typeof cell === "string" ? (numberIn(cell) ?? cell) : cell;
}
