/**
 * The two tables of an export: a row for each trial, and a row for each number that was ever said of one. Which columns there
 * are is known only once all trials were seen, so rows wait in a file meanwhile. Not how a format writes them.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import * as z from "zod";
import { anyValue, storedList, storedText } from "../../protocol/bound.ts";
import { jsonLine } from "../../protocol/json-line.ts";
import type { ColumnType } from "../list/list-column.ts";
import { TextFile } from "./text-file.ts";

/** What stands in a row: plain values, `time` in ms since the Unix epoch. */
export type Plain = string | number | boolean | null;

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
}

export interface ExportTable {
  readonly columns: readonly TableColumn[];
  readonly rows: number;
  /** Every row once more, in order, a value per column. */
  readonly read: () => AsyncIterable<readonly Plain[]>;
}

/** What is not finite is no JSON. */
const unwritten: ReadonlyMap<string, number> = new Map([
  ["\u0000NaN", Number.NaN],
  ["\u0000inf", Infinity],
  ["\u0000-inf", -Infinity],
]);

/** Rows of columns that are found on the way: a row may have more than those before it, which have nothing there. */
export class TableDraft {
  readonly #columns = new Map<string, { readonly at: number; type: ColumnType | null }>();
  readonly #path: string;
  readonly #file: TextFile;
  #rows = 0;

  private constructor(path: string, file: TextFile, columns: readonly TableColumn[]) {
    this.#path = path;
    this.#file = file;
    for (const { name, type } of columns) this.#columns.set(name, { at: this.#columns.size, type });
  }

  /** `columns`: those it has in any case, first. Throws the system's error, as everything here does. */
  static async create(path: string, columns: readonly TableColumn[]): Promise<TableDraft> {
    return new TableDraft(path, await TextFile.create(path), columns);
  }

  /** `found`: further columns by name, typed by what they hold. */
  async add(fixed: readonly Plain[], found: Iterable<readonly [string, Plain]> = []): Promise<void> {
    const row: unknown[] = fixed.map(storable);
    for (const [name, value] of found) {
      const column = this.#columnOf(name);
      column.type = widened(column.type, value);
      row[column.at] = storable(value);
    }
    this.#rows++;
    await this.#file.add(`${jsonLine(row)}\n`);
  }

  /** To be called once. `isNumber`: columns that are no whole numbers, whatever they happen to hold. */
  async finish(isNumber: (name: string) => boolean = () => false): Promise<ExportTable> {
    await this.#file.close();
    const columns = [...this.#columns].map(([name, { type }]): TableColumn => {
      const wide = type === "whole" && isNumber(name) ? "number" : type;
      return { name, type: wide ?? "text" };
    });
    return { columns, rows: this.#rows, read: () => readRows(this.#path, columns) };
  }

  #columnOf(name: string) {
    const known = this.#columns.get(name);
    if (known !== undefined) return known;
    const made = { at: this.#columns.size, type: null };
    this.#columns.set(name, made);
    return made;
  }
}

function storable(value: Plain): Plain {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? "\u0000NaN" : value > 0 ? "\u0000inf" : "\u0000-inf";
}

/** The narrowest type that holds what was there before and this value. */
function widened(before: ColumnType | null, value: Plain): ColumnType | null {
  if (value === null) return before;
  const own = typeof value === "string" ? "text" : typeof value === "boolean" ? "boolean" : numberType(value);
  if (before === null || before === own) return own;
  const bothNumbers = own !== "text" && own !== "boolean" && before !== "text" && before !== "boolean";
  return bothNumbers ? "number" : "text";
}

function numberType(value: number): "whole" | "number" {
  return Number.isSafeInteger(value) ? "whole" : "number";
}

const rowSchema = storedList(anyValue);

async function* readRows(path: string, columns: readonly TableColumn[]): AsyncGenerator<readonly Plain[]> {
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Infinity });
  for await (const line of lines) {
    const row = rowSchema.parse(JSON.parse(line));
    yield columns.map(({ type }, at) => typed(row[at], type));
  }
}

const plainSchema = z.union([storedText, z.number(), z.boolean(), z.null()]);

/** A number or truth in a column of texts is written out. */
function typed(stored: unknown, type: ColumnType): Plain {
  const value = plainSchema.parse(stored ?? null);
  if (value === null) return null;
  const number = typeof value === "string" ? unwritten.get(value) : undefined;
  if (type === "text") return String(number ?? value);
  return number ?? value;
}
