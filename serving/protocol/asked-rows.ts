/**
 * Rows that somebody asks about, fitted to what the model takes: each input column is there or may be left out, each value is of its
 * kind. The same for every protocol. What the transformation makes of a value is the model's affair.
 */
import type { Value } from "../../protocol/value.ts";
import type { InputColumn, InputRows, Signature } from "../model/served-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { cellCharactersMax, rowsPerRequestMax } from "./serving-limit.ts";

/** `texts`: of a model of one text column, which needs no more. */
export type AskedRows =
  | { readonly kind: "texts"; readonly count: number; readonly texts: readonly string[] }
  | { readonly kind: "table"; readonly count: number; readonly rows: InputRows };

/** A value as it came: null, and NaN, where a row has none. */
export type CameValue = Value | null;

/** `columns`: by name, each with `count` values. */
export function fitRows(
  signature: Signature,
  count: number,
  columns: ReadonlyMap<string, readonly unknown[]>,
): Reading<AskedRows> {
  const counted = countRefusal(count);
  if (counted !== null) return counted;
  for (const name of columns.keys())
    if (!signature.inputs.some((input) => input.name === name))
      return turnDown(400, `the model has no input ${quoted(name)}; it takes ${inputNames(signature)}`);
  const fitted = new Map<string, readonly CameValue[]>();
  for (const input of signature.inputs) {
    const values = columns.get(input.name);
    if (values === undefined && !input.optional)
      return turnDown(
        400,
        `the input ${quoted(input.name)} is missing; the model takes ${inputNames(signature)}`,
      );
    const column = fitColumn(input, values ?? Array.from({ length: count }, () => null));
    if (!column.ok) return column;
    fitted.set(input.name, column.value);
  }
  return { ok: true, value: { kind: "table", count, rows: { count, columns: fitted } } };
}

/** The rows of a model of one text column. */
export function fitTexts(name: string, values: readonly unknown[]): Reading<AskedRows> {
  const counted = countRefusal(values.length);
  if (counted !== null) return counted;
  const texts: string[] = [];
  for (const value of values) {
    const text = fitText(value);
    if (!text.ok)
      return turnDown(text.fault.status, `row ${texts.length + 1} of ${quoted(name)} ${text.fault.why}`);
    texts.push(text.value);
  }
  return { ok: true, value: { kind: "texts", count: texts.length, texts } };
}

export function inputNames({ inputs }: Signature): string {
  return inputs
    .map(({ name, kind, optional }) => `${name} (${kind}${optional ? ", optional" : ""})`)
    .join(", ");
}

export function countRefusal(count: number) {
  if (count === 0) return turnDown(400, "the request has no rows; it takes at least one");
  if (count > rowsPerRequestMax)
    return turnDown(413, `the request has ${count} rows; one request takes at most ${rowsPerRequestMax}`);
  return null;
}

interface CellFault {
  readonly status: 400 | 413;
  readonly why: string;
}

type Fitted<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: CellFault };

function unfit(status: CellFault["status"], why: string) {
  return { ok: false, fault: { status, why } } as const;
}

function fitText(value: unknown): Fitted<string> {
  if (typeof value !== "string") return unfit(400, `is ${nameOf(value)}; it has to be a text`);
  if (value.length === 0) return unfit(400, "is an empty text; it has to have a character");
  if (value.length > cellCharactersMax)
    return unfit(413, `has ${value.length} characters; a text has at most ${cellCharactersMax}`);
  return { ok: true, value };
}

function fitColumn(input: InputColumn, values: readonly unknown[]): Reading<readonly CameValue[]> {
  const fitted: CameValue[] = [];
  for (const value of values) {
    const cell = fitCell(input, value);
    if (!cell.ok)
      return turnDown(
        cell.fault.status,
        `row ${fitted.length + 1} of ${quoted(input.name)} ${cell.fault.why}`,
      );
    fitted.push(cell.value);
  }
  return { ok: true, value: fitted };
}

function fitCell(input: InputColumn, value: unknown): Fitted<CameValue> {
  if (value === null || value === undefined || Number.isNaN(value))
    return input.optional
      ? { ok: true, value: null }
      : unfit(400, `is ${nameOf(value)}, and no row may lack it`);
  const isPlain = typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
  if (input.kind === "number")
    return isPlain ? { ok: true, value } : unfit(400, `is ${nameOf(value)}; it has to be a finite number`);
  if (input.kind === "category" && isPlain) return { ok: true, value };
  return fitText(value);
}

/** Of a value, in a sentence. */
export function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "number":
    case "boolean":
      return String(value);
    case "string":
      return `the text ${quoted(value)}`;
    case "undefined":
      return "missing";
    default:
      return "an object";
  }
}
