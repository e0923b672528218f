/**
 * The profile of the rows of one Parquet file, read once in column chunks. Its caller says which columns are text, label,
 * split and place; who knows that is `profile-version.ts` for versions and `profile-file.ts` for any other table.
 */
import type { DuckDBVector } from "@duckdb/node-api";
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";
import { trimmed } from "../engine/text-function.ts";
import { ColumnScan, type ColumnKind } from "./column-scan.ts";
import { findingsOf } from "./finding.ts";
import type { LabelBalance, Profile, RowPlace } from "./profile.ts";
import { excerptCharacters, scannedDrawn, scannedWholeMost } from "./profile-limit.ts";
import { TextScan } from "./text-scan.ts";
import { TextShape } from "./text-shape.ts";

export interface RowsToProfile {
  readonly name: string;
  readonly digest: string | null;
  /** Of the Parquet file. */
  readonly path: string;
  /** Base names of the sources, by the numbers in the file column. */
  readonly files: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Names of columns, null where there is no such column. */
  readonly split: string | null;
  readonly file: string | null;
  readonly line: string | null;
  readonly text: string | null;
  readonly label: string | null;
  /** What the column of labels is called, where that is another name. */
  readonly labelTitle?: string;
  /** What the numbers in the label column stand for; null where the column holds the labels themselves. */
  readonly labelNames: readonly string[] | null;
  /** Rows whose label was trimmed before; where the labels themselves are there, they are counted here. */
  readonly trimmedLabels?: number;
}

export interface ScanOptions {
  /** null: the usual number. */
  readonly scannedRows: number | null;
  readonly progress?: (rows: number, of: number) => void;
}

const splitOrder = ["train", "validation", "test"];
/** With more different values than this a column holds no labels. */
const labelsMost = 1_000;
/** Rows between two reports of progress. */
const progressRows = 65_536;
const numberType = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL\(.*\))$/u;

export async function profileRows(
  engine: Engine,
  table: RowsToProfile,
  options: ScanOptions,
): Promise<Profile> {
  const from = `read_parquet(${lit(table.path)}, file_row_number = true)`;
  const splits = await countSplits(engine, table, from);
  const rows = await engine.count(`SELECT count(*) FROM ${from}`);
  const labels = await countLabels(
    engine,
    table,
    from,
    splits.map(({ split }) => split),
  );
  const columns = table.columns.map(({ name, type }) => new ColumnScan(name, type, kindOf(type)));
  const text =
    table.text === null
      ? null
      : new TextScan({
          column: table.text,
          labels: labels?.overall.map(({ label }) => label) ?? [],
          splits: splits.length === 0 ? [""] : splits.map(({ split }) => split),
          rows,
          scannedRows: options.scannedRows ?? (rows <= scannedWholeMost ? rows : scannedDrawn),
        });
  await scanRows({
    engine,
    table,
    from,
    splits: splits.map(({ split }) => split),
    labels,
    columns,
    text,
    rows,
    options,
  });
  const unjudged: Omit<Profile, "findings"> = {
    format: "trialmesh-profile",
    version: 1,
    name: table.name,
    digest: table.digest,
    rows,
    splits,
    files: [...table.files],
    columns: columns.map((column) => column.profile()),
    labels,
    text: text === null ? null : await text.profile((wanted) => placesOf(engine, table, from, wanted)),
    sketches: {
      columns: Object.fromEntries(columns.map((column) => [column.name, column.sketch()])),
      texts: text?.texts() ?? null,
    },
  };
  return { ...unjudged, findings: findingsOf(unjudged) };
}

export function kindOf(type: string): ColumnKind {
  if (numberType.test(type)) return "number";
  return type === "VARCHAR" || type.startsWith("ENUM") ? "text" : "other";
}

async function countSplits(
  engine: Engine,
  { split }: RowsToProfile,
  from: string,
): Promise<Profile["splits"]> {
  if (split === null) return [];
  const rows = await engine.rows(
    `SELECT coalesce(CAST(${id(split)} AS VARCHAR), ''), count(*) FROM ${from} GROUP BY 1 ORDER BY 1`,
  );
  const place = (name: string) => (splitOrder.includes(name) ? splitOrder.indexOf(name) : splitOrder.length);
  return rows
    .map(([name, count]) => ({ split: String(name), rows: Number(count) }))
    .sort((a, b) => place(a.split) - place(b.split));
}

async function countLabels(
  engine: Engine,
  { label, labelNames, labelTitle = label ?? "", split, trimmedLabels = 0 }: RowsToProfile,
  from: string,
  splits: readonly string[],
): Promise<LabelBalance | null> {
  if (label === null) return null;
  const splitOf = split === null ? "''" : `coalesce(CAST(${id(split)} AS VARCHAR), '')`;
  const value = labelSql(label, labelNames);
  const counted = await engine.rows(
    `SELECT ${value}, ${splitOf}, count(*) FROM ${from} WHERE ${id(label)} IS NOT NULL
     GROUP BY 1, 2 ORDER BY 1, 2 LIMIT ${labelsMost * (splits.length + 1)}`,
  );
  const nameOf = (value: unknown) => labelNames?.[Number(value)] ?? String(value);
  const names = labelNames ?? [...new Set(counted.map(([value]) => String(value)))];
  if (names.length === 0 || names.length > labelsMost) return null;
  const rowsOf = (holds: (split: string) => boolean) =>
    names.map((name) => ({
      label: name,
      rows: counted.reduce(
        (sum, [value, of, rows]) => (nameOf(value) === name && holds(String(of)) ? sum + Number(rows) : sum),
        0,
      ),
    }));
  const overall = rowsOf(() => true);
  const least = Math.min(...overall.map(({ rows }) => rows));
  const spaced =
    labelNames === null
      ? await engine.count(`SELECT count(*) FROM ${from} WHERE CAST(${id(label)} AS VARCHAR) <> ${value}`)
      : trimmedLabels;
  return {
    column: labelTitle,
    overall,
    splits: splits.map((name) => ({ split: name, labels: rowsOf((of) => of === name) })),
    ...(spaced === 0 ? {} : { trimmed: spaced }),
    ratio: least === 0 ? null : Math.max(...overall.map(({ rows }) => rows)) / least,
  };
}

/** A label as text, as it counts: without white space at its ends. */
function labelSql(label: string, names: readonly string[] | null): string {
  const text = `CAST(${id(label)} AS VARCHAR)`;
  return names === null ? trimmed(text) : text;
}

interface Scan {
  readonly engine: Engine;
  readonly table: RowsToProfile;
  readonly from: string;
  readonly splits: readonly string[];
  readonly labels: LabelBalance | null;
  readonly columns: readonly ColumnScan[];
  readonly text: TextScan | null;
  readonly rows: number;
  readonly options: ScanOptions;
}

async function scanRows(scan: Scan): Promise<void> {
  const { table, splits, labels, columns, text, rows, options } = scan;
  const projected = [
    ...columns.map(({ name, kind }) => `CAST(${id(name)} AS ${kind === "number" ? "DOUBLE" : "VARCHAR"})`),
    // As numbers, for every text that crosses into JavaScript costs a microsecond.
    numbered(
      table.label,
      table.labelNames === null ? (labels?.overall.map(({ label }) => label) ?? []) : null,
    ),
    numbered(table.split, splits),
  ];
  const textAt = table.columns.findIndex(({ name }) => name === table.text);
  const shape = new TextShape();
  const result = await scan.engine.connection.stream(`SELECT ${projected.join(", ")} FROM ${scan.from}`);
  let row = 0;
  let reported = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    const count = chunk.rowCount;
    for (const [at, column] of columns.entries()) {
      if (at !== textAt) addValues(column, chunk.getColumnVector(at), count);
    }
    if (text !== null) {
      const [texts, labelOf, splitOf] = [textAt, columns.length, columns.length + 1].map((at) =>
        chunk.getColumnVector(at),
      );
      const column = columns[textAt];
      for (let index = 0; index < count; index++) {
        const value = texts?.getItem(index);
        if (typeof value !== "string") {
          column?.addMissing();
          continue;
        }
        shape.of(value);
        column?.addText(value, shape);
        const label = labels === null ? -1 : indexOf(labelOf?.getItem(index), -1);
        text.add(value, shape, row + index, label, indexOf(splitOf?.getItem(index), 0));
      }
    }
    row += count;
    if (row - reported >= progressRows) options.progress?.((reported = row), rows);
  }
  if (row !== rows) throw new Error(`${rows} rows were counted and ${row} read`);
}

/** SQL for the place of a column's value in a list, or, without a list, for the value as a number. */
function numbered(column: string | null, names: readonly string[] | null): string {
  if (column === null) return "CAST(NULL AS INTEGER)";
  if (names === null) return `CAST(${id(column)} AS INTEGER)`;
  const cases = names.map((name, at) => `WHEN ${lit(name)} THEN ${at}`);
  return cases.length === 0
    ? "CAST(NULL AS INTEGER)"
    : `CAST(CASE coalesce(${labelSql(column, null)}, '') ${cases.join(" ")} END AS INTEGER)`;
}

function indexOf(value: unknown, none: number): number {
  return typeof value === "number" ? value : none;
}

function addValues(column: ColumnScan, vector: DuckDBVector, count: number): void {
  for (let index = 0; index < count; index++) {
    const value = vector.getItem(index);
    if (typeof value === "number") column.addNumber(value);
    else if (typeof value !== "string") column.addMissing();
    else if (column.kind === "text") column.addText(value);
    else column.addOther(value);
  }
}

async function placesOf(
  engine: Engine,
  table: RowsToProfile,
  from: string,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, RowPlace>> {
  if (wanted.length === 0 || table.text === null) return new Map();
  const or = (column: string | null, none: string) => (column === null ? none : id(column));
  const rows = await engine.rows(
    `SELECT file_row_number, coalesce(CAST(${or(table.split, "''")} AS VARCHAR), ''), ${or(table.file, "0")},
       coalesce(${or(table.line, "file_row_number + 1")}, file_row_number + 1), CAST(${or(table.label, "NULL")} AS VARCHAR),
       left(${id(table.text)}, ${excerptCharacters + 1})
     FROM ${from} WHERE file_row_number IN (${wanted.join(", ")})`,
  );
  return new Map(
    rows.map(([row, split, file, line, label, text]) => [
      Number(row),
      {
        split: String(split),
        file: Number(file),
        line: Number(line),
        label: typeof label === "string" ? (table.labelNames?.[Number(label)] ?? label) : null,
        text: excerpt(String(text)),
      },
    ]),
  );
}

function excerpt(text: string): string {
  const characters = [...text];
  return characters.length <= excerptCharacters
    ? text
    : `${characters.slice(0, excerptCharacters - 1).join("")}…`;
}
