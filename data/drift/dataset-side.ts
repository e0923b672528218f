/** One side of a diff, read whole into memory: what each row is known by, its label, and the columns as numbers or counts. */
import { id, lit } from "../engine/sql.ts";
import type { RawColumn } from "../manifest/raw-column.ts";
import { asText, rawRows, rawRowsOf, type RawVersion } from "../quality/raw-version.ts";
import { tokenHash } from "../quality/word-token.ts";
import { normaliseText } from "../row/split.ts";
import type { CategoryColumn, NumberColumn } from "./column-drift.ts";
import type { DiffSide } from "./diff.ts";

const excerptUnits = 160;

export interface DatasetSide {
  readonly kind: "text" | "table";
  readonly side: DiffSide;
  readonly target: string;
  readonly labels: readonly string[] | null;
  readonly columns: readonly RawColumn[];
  /** Of the target, of features, and of texts their lengths; by name. */
  readonly measured: ReadonlyMap<string, NumberColumn | CategoryColumn>;
  /** Empty for a table. */
  readonly texts: readonly string[];
  /** Of each row in order: a 53-bit key of its text or features, and its place. */
  readonly keys: Float64Array;
  readonly places: readonly SidePlace[];
}

interface SidePlace {
  readonly split: string;
  readonly file: string;
  readonly line: number;
  readonly label: string;
  readonly text: string;
}

export async function readSide(
  version: RawVersion,
  digest: string | null,
  split: string | null,
): Promise<DatasetSide> {
  const { columns, manifest, target, text } = version;
  const where = split === null ? "true" : `split = ${lit(split)}`;
  const measured = new Map<string, NumberColumn | CategoryColumn>();
  const own = columns.filter(({ name }) => name === target);
  const features = columns.filter(({ kind, name }) => kind !== "text" && name !== target);
  for (const column of [...own, ...features])
    measured.set(column.name, await measure(version, column, id(column.name), where));
  if (text !== null) {
    const words = `len(regexp_extract_all(${id(text)}, '\\S+'))`;
    for (const [name, sql] of [
      ["characters", `length(${id(text)})`],
      ["words", words],
    ] as const) {
      measured.set(name, await measure(version, { name, kind: "number" }, sql, where));
    }
  }
  const known = text === null ? `concat_ws(chr(31), ${featureList(features)})` : id(text);
  const keys: number[] = [];
  const places: SidePlace[] = [];
  const texts: string[] = [];
  for await (const row of rawRowsOf(version, [known, own.map(asText).join()], where)) {
    const value = String(row.values[0]);
    keys.push(keyOf(text === null ? value : normaliseText(value)));
    if (text !== null) texts.push(value);
    const shown = text === null ? value.replaceAll("\u001f", ", ") : value;
    places.push({
      split: row.split,
      file: row.file,
      line: row.line,
      label: String(row.values[1]),
      text: (shown.length > excerptUnits ? `${shown.slice(0, excerptUnits)}...` : shown).toWellFormed(),
    });
  }
  const splits = Object.entries(manifest.rows)
    .filter(([name, rows]) => rows > 0 && (split === null || split === name))
    .map(([name, rows]) => ({ split: name, rows }));
  return {
    kind: text === null ? "table" : "text",
    side: { name: manifest.name, digest, split, rows: places.length, splits },
    target,
    labels: manifest.labels,
    columns,
    measured,
    texts,
    keys: Float64Array.from(keys),
    places,
  };
}

/** A missing feature is not the same as an empty one. */
function featureList(features: readonly RawColumn[]): string {
  const parts = features.map((feature) => `coalesce(${asText(feature)}, '?')`);
  return parts.length === 0 ? "''" : parts.join(", ");
}

/** Two of a million texts have the same key by accident with a chance of 1 in 18,000. */
function keyOf(text: string): number {
  return tokenHash(text) * 2 ** 21 + (tokenHash(text, tokenHash("second")) >>> 11);
}

async function measure(
  { engine }: RawVersion,
  column: RawColumn,
  sql: string,
  where: string,
): Promise<NumberColumn | CategoryColumn> {
  const from = `FROM (SELECT ${sql} AS v FROM ${rawRows} WHERE ${where})`;
  if (column.kind !== "number") {
    const rows = await engine.rows(`SELECT CAST(v AS VARCHAR) AS name, count(*) ${from} GROUP BY name`);
    const counts = new Map<string, number>();
    let missing = 0;
    for (const [name, rowsOfIt] of rows) {
      if (typeof name === "string") counts.set(name, Number(rowsOfIt));
      else missing += Number(rowsOfIt);
    }
    return { kind: "category", counts, missing };
  }
  const missing = await engine.count(
    `SELECT count(*) ${from} WHERE v IS NULL OR NOT isfinite(CAST(v AS DOUBLE))`,
  );
  const total = await engine.count(`SELECT count(*) ${from}`);
  const values = new Float64Array(total - missing);
  const result = await engine.connection.stream(
    `SELECT CAST(v AS DOUBLE) AS w ${from} WHERE v IS NOT NULL AND isfinite(CAST(v AS DOUBLE)) ORDER BY w`,
  );
  let at = 0;
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    for (const value of chunk.getColumnValues(0)) values[at++] = Number(value);
  }
  return { kind: "number", values, missing };
}
