/**
 * Sources as tables of a build: values cast to their types, rows that cannot be marked with column, value and reason,
 * each row with its file and line. More bad rows than the declaration allows are a refusal that names the first.
 */
import { exactPercent } from "../../text/figure.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { ColumnType, Source } from "../declaration/source.ts";
import { languageIdDataset, languageIdName } from "../row/language-id.ts";
import { describeBadRow, type BadRow } from "../row/bad-row.ts";
import { castTo, commonType, inferTypes, notOfType } from "../engine/column-type.ts";
import { engineRefusal, type Engine } from "../engine/sql-engine.ts";
import { columnsUsed, type UsedColumns } from "../declaration/columns-used.ts";
import { embeddedDigest } from "./recipe-key.ts";
import { prepareSource } from "./prepare-source.ts";
import type { Prepared } from "./prepared.ts";
import { id, internalColumns, lit, markColumns, sqlTypes, type Mark } from "../engine/sql.ts";

/** A file with more columns is read by one thread: each holds a block of every column in memory. */
const parallelColumnsMost = 500;
/** What a query may take over so many, a limit and no demand. */
const wideBaseMiB = 1024;
const columnMiB = 1;

export interface LoadedSource {
  readonly name: string;
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  readonly rows: number;
  readonly latin1Lines: number;
  readonly notes: readonly string[];
  /** Rows the scan rejected; those whose values do not fit are in the table, marked. */
  readonly badCount: number;
  readonly bad: readonly BadRow[];
}

/** After this the view `step_0` has every row of every source. */
export async function loadSources(
  engine: Engine,
  declaration: Declaration,
  workDir: string,
): Promise<Outcome<readonly LoadedSource[]>> {
  const used = columnsUsed(declaration);
  const prepared: (Prepared | null)[] = [];
  for (const [index, source] of declaration.sources.entries()) {
    if (source.format === "embedded") prepared.push(null);
    else {
      const ready = await prepareSource(engine, source, index, workDir, used);
      if (!ready.ok) return ready;
      prepared.push(ready.value);
    }
  }
  const types = await agreeOnTypes(engine, declaration.sources, prepared);
  if (!types.ok) return types;
  const loaded: LoadedSource[] = [];
  for (const [index, source] of declaration.sources.entries()) {
    const ready = prepared[index] ?? null;
    const one =
      ready === null || source.format === "embedded"
        ? await loadEmbedded(engine, source.format === "embedded" ? source.name : "", index)
        : await loadFile(engine, source.split ?? null, ready, types.value, index, {
            badRows: declaration.badRows,
            used,
          });
    if (!one.ok) return one;
    loaded.push(one.value);
  }
  const all = declaration.sources.map((_, index) => `SELECT * FROM loaded_${index}`);
  await engine.run(`CREATE VIEW step_0 AS ${all.join(" UNION ALL BY NAME ")}`);
  return accept(loaded);
}

async function agreeOnTypes(
  engine: Engine,
  sources: readonly Source[],
  prepared: readonly (Prepared | null)[],
): Promise<Outcome<ReadonlyMap<string, ColumnType>>> {
  const types = new Map<string, ColumnType>();
  const stated = new Map<string, ColumnType>();
  for (const [index, ready] of prepared.entries()) {
    if (ready === null) continue;
    const source = sources[index];
    if (source !== undefined && "types" in source) {
      for (const [column, type] of Object.entries(source.types)) {
        if (!ready.columns.includes(column))
          return refuse(
            "invalid",
            `types names "${column}", which is no column of ${ready.path}; ${suggestion(column, ready.columns)}`,
          );
        stated.set(column, type);
      }
    }
    const found =
      ready.types ??
      (source?.format === "labelled-lines"
        ? new Map(ready.columns.map((column) => [column, "text" as const]))
        : await inferTypes(engine, ready.relation(false), ready.columns));
    for (const [column, type] of found) types.set(column, commonType(types.get(column) ?? type, type));
  }
  return accept(new Map([...types, ...stated]));
}

async function loadFile(
  engine: Engine,
  split: string | null,
  ready: Prepared,
  types: ReadonlyMap<string, ColumnType>,
  index: number,
  { badRows, used }: { readonly badRows: Declaration["badRows"]; readonly used: UsedColumns },
): Promise<Outcome<LoadedSource>> {
  const typeOf = (column: string) => types.get(column) ?? "text";
  const made = await createTable(engine, ready, typeOf, used, index);
  if (!made.ok) return made;
  const table = `source_${index}`;
  await createView(engine, ready, split, index);
  const marked = await engine.rows(
    `SELECT __line, nullif(__column, ''), __value, __reason FROM loaded_${index} WHERE __reason IS NOT NULL ORDER BY __line LIMIT 1`,
  );
  const badMarked = await engine.count(`SELECT count(*) FROM ${table} WHERE __reason IS NOT NULL`);
  const scanned = ready.bad.map((bad): BadRow => ({ ...bad, source: ready.name, column: null }));
  const rows = await engine.count(`SELECT count(*) FROM ${table}`);
  const bad = badMarked + ready.badCount;
  if (bad > badRows.max * (rows + ready.badCount)) {
    const first = [...scanned, ...marked.map((row) => badRowOf(ready.name, row))].toSorted(
      (a, b) => a.line - b.line,
    )[0];
    const where = first === undefined ? "" : `, ${describeBadRow(first)}`;
    return refuse(
      "invalid",
      `${ready.path}${where}; ${bad} of ${rows + ready.badCount} lines are like that, and at most ${exactPercent(badRows.max)} may be`,
    );
  }
  const { name, path, digest, bytes, latin1Lines, badCount, notes } = ready;
  return accept({
    name,
    path,
    digest,
    bytes,
    rows,
    latin1Lines,
    notes: [...notes, ...made.value],
    badCount,
    bad: scanned,
  });
}

/** Makes `source_N`. Columns that cannot be read and that nobody uses are left out of it; the notes say so. */
async function createTable(
  engine: Engine,
  ready: Prepared,
  typeOf: (column: string) => ColumnType,
  used: UsedColumns,
  index: number,
): Promise<Outcome<readonly string[]>> {
  const table = `source_${index}`;
  const create = (columns: readonly string[], parallel: boolean) =>
    engine.run(
      `CREATE OR REPLACE TABLE ${table} AS ${tableSql(ready, columns, typeOf, used)} FROM (${ready.relation(parallel)})))`,
    );
  const fits = async () =>
    ready.records === null || (await engine.count(`SELECT count(*) FROM ${table}`)) === ready.records;
  // Several threads start in the middle of a file and may guess wrong inside a quoted value; one never does.
  const isWide = ready.columns.length > parallelColumnsMost;
  if (isWide) await engine.run(`SET memory_limit = '${wideBaseMiB + ready.columns.length * columnMiB}MiB'`);
  if (!isWide && (await create(ready.columns, true).then(fits, () => false))) return accept([]);
  let whole: boolean;
  const notes: string[] = [];
  try {
    whole = await create(ready.columns, false).then(fits);
  } catch (error) {
    const unread = (await ready.unreadable?.()) ?? [];
    const [wanted] = unread.filter((column) => used === null || used.has(column.toLowerCase()));
    if (wanted !== undefined) return refuse("invalid", unreadSentence(ready.path, wanted));
    if (unread.length === 0) return engineRefusal(error, ready.path);
    const rest = ready.columns.filter((column) => !unread.includes(column));
    whole = await create(rest, false).then(fits);
    notes.push(
      `${ready.path}: ${unread.join(", ")} cannot be read, and nothing uses ${unread.length === 1 ? "it" : "them"}`,
    );
  }
  if (whole) return accept(notes);
  return refuse(
    "invalid",
    `${ready.path} is read as ${await engine.count(`SELECT count(*) FROM ${table}`)} rows and has ${ready.records}; check its quotes`,
  );
}

function unreadSentence(path: string, column: string): string {
  return `${path}, column ${column}: its values cannot be read, for they are damaged, or compressed or encoded in a way that is not known here; fetch the file again, or write it with usual settings (Snappy or zstd)`;
}

/**
 * SQL for the rows of a relation with their values cast to their types, and the first fault of each. Each value is cast
 * once, and which column is at fault is found once, so that the query grows with the columns and not with their square.
 */
export function tableSql(
  { hasWhy }: Pick<Prepared, "hasWhy">,
  names: readonly string[],
  typeOf: (column: string) => ColumnType,
  used: UsedColumns,
): string {
  const typed = names.flatMap((name, at) => {
    const type = typeOf(name);
    return type === "text" ? [] : [{ name, value: id(name), type, cast: id(`__cast_${at}`) }];
  });
  const casts = typed.map(({ cast, type, value }) => `, ${castTo(value, type)} AS ${cast}`).join("");
  // What nobody uses may hold anything: its misfits have no value, and refuse no row.
  const lost = typed.map(({ cast, name, value }) =>
    used === null || used.has(name.toLowerCase()) ? `${value} IS NOT NULL AND ${cast} IS NULL` : "false",
  );
  const fault = `list_position([${lost.length === 0 ? "false" : lost.join(", ")}], true)`;
  const byName = new Map(typed.map(({ cast, name }) => [name, cast]));
  const columns = names.map((name) => `${byName.get(name) ?? id(name)} AS ${id(name)}`);
  const pick = (parts: readonly string[]) => `([${parts.join(", ")}])[__fault]`;
  // Picked once, and no layer more than is needed: each holds a block of every column in memory.
  const misfits =
    typed.length === 0
      ? [`NULL AS __misfit_column`, `NULL AS __misfit_type`, `NULL AS __misfit`]
      : [
          `${pick(typed.map(({ name }) => lit(name)))} AS __misfit_column`,
          `${pick(typed.map(({ type }) => lit(type)))} AS __misfit_type`,
          `CASE WHEN __fault IS NOT NULL THEN ${pick(typed.map((one) => one.value))} END AS __misfit`,
        ];
  const reason = notOfType("__misfit", "__misfit_column", "__misfit_type");
  const marks: Mark[] = [
    ...(hasWhy ? [{ when: "__why IS NOT NULL", column: "''", value: "NULL", reason: "__why" }] : []),
    ...(typed.length === 0
      ? []
      : [{ when: "__fault IS NOT NULL", column: "__misfit_column", value: "__misfit", reason }]),
  ];
  const cast = `SELECT ${[...names.map(id), ...(hasWhy ? ["__why"] : [])].join(", ")}${casts}`;
  const found = [...columns, ...(hasWhy ? ["__why"] : []), `${fault} AS __fault`, ...misfits];
  return `SELECT ${names.map(id).join(", ")}, ${markColumns(marks, false)} FROM (SELECT ${found.join(", ")} FROM (${cast}`;
}

/** A row [line, column, value, reason] of a query. */
export function badRowOf(source: string, [line, column, value, reason]: readonly unknown[]): BadRow {
  const text = (one: unknown) => (typeof one === "string" && one !== "" ? one : null);
  return { source, line: Number(line), column: text(column), value: text(value), reason: text(reason) ?? "" };
}

/** Rows with file, line and split. Where lines and rows drift apart, the drift is looked up. */
async function createView(
  engine: Engine,
  ready: Prepared,
  split: string | null,
  index: number,
): Promise<void> {
  const [first, ...more] = ready.shifts;
  const fixed = [
    `CAST(${index} AS INTEGER) AS __file`,
    `CAST(${split === null ? "NULL" : lit(split)} AS VARCHAR) AS __split`,
    "CAST(NULL AS VARCHAR) AS __near",
  ];
  const line = (shift: string) => `CAST(t.rowid + ${shift} AS BIGINT) AS __line`;
  if (more.length === 0) {
    const select = [...fixed, line(String(first?.shift ?? 1)), "t.*"];
    await engine.run(`CREATE VIEW loaded_${index} AS SELECT ${select.join(", ")} FROM source_${index} t`);
    return;
  }
  await engine.run(`CREATE TABLE shift_${index} (__record BIGINT, __shift BIGINT)`);
  const appender = await engine.connection.createAppender(`shift_${index}`);
  for (const { record, shift } of ready.shifts) {
    appender.appendBigInt(BigInt(record));
    appender.appendBigInt(BigInt(shift));
    appender.endRow();
  }
  appender.closeSync();
  const select = [...fixed, line("s.__shift"), "t.*"];
  await engine.run(
    `CREATE VIEW loaded_${index} AS SELECT ${select.join(", ")} FROM source_${index} t ASOF JOIN shift_${index} s ON t.rowid >= s.__record`,
  );
}

async function loadEmbedded(engine: Engine, name: string, index: number): Promise<Outcome<LoadedSource>> {
  if (name !== languageIdName)
    return refuse("unknown", `no embedded dataset is called "${name}"; there is "${languageIdName}"`);
  const dataset = languageIdDataset();
  const table = `loaded_${index}`;
  const fixed = internalColumns.map(
    (column) =>
      `${column} ${column === "__file" ? "INTEGER" : column === "__line" ? "BIGINT" : sqlTypes.text}`,
  );
  await engine.run(`CREATE TABLE ${table} (${fixed.join(", ")}, label VARCHAR, text VARCHAR)`);
  const appender = await engine.connection.createAppender(table);
  let line = 0;
  for (const split of ["train", "validation", "test"] as const) {
    for (const { text, label } of dataset[split]) {
      line++;
      appender.appendInteger(index);
      appender.appendBigInt(BigInt(line));
      appender.appendVarchar(split);
      for (let nulls = 0; nulls < 4; nulls++) appender.appendNull();
      appender.appendVarchar(dataset.labels[label] ?? "");
      appender.appendVarchar(text);
      appender.endRow();
    }
  }
  appender.closeSync();
  const digest = embeddedDigest(dataset);
  return accept({
    name,
    path: name,
    digest,
    bytes: 0,
    rows: line,
    latin1Lines: 0,
    notes: [],
    badCount: 0,
    bad: [],
  });
}
