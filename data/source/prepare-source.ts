/**
 * A source made ready for DuckDB: its bytes digested and scanned, and SQL that gives its rows as columns of text, in the
 * file's order. Types and bad values come later (`load-source.ts`).
 */
import { symlink } from "node:fs/promises";
import { extname, join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DelimitedSource, FileSource } from "../declaration/source.ts";
import { describeBadRow } from "../row/bad-row.ts";
import type { Engine } from "../engine/sql-engine.ts";
import type { UsedColumns } from "../declaration/columns-used.ts";
import { columnNameFault, namesToUse } from "../engine/column-name.ts";
import { kindSentence } from "./file-kind.ts";
import { prepareFolder } from "./folder-source.ts";
import { digestOf, locateSource, type Located } from "./locate-source.ts";
import { prepareParquet } from "./parquet-source.ts";
import type { Prepared } from "./prepared.ts";
import { recordBytesMax } from "./record.ts";
import type { ScanFormat } from "./record-scan.ts";
import { scanSource, type Scan } from "./scan-source.ts";
import { id, lit } from "../engine/sql.ts";
import { encodingByMark, transcode } from "./transcode.ts";
import { sampledRows } from "../engine/column-type.ts";

const otherDelimiters = [",", ";", "\t", "|"];
/** A delimiter of its own that no line holds: a line is one value. */
const undivided = "\\x1d\\x1e\\x1d";

export async function prepareSource(
  engine: Engine,
  source: FileSource,
  index: number,
  workDir: string,
  used: UsedColumns,
): Promise<Outcome<Prepared>> {
  const located = await locateSource(source);
  if (!located.ok) return located;
  const otherwise = source.format === "folder" ? null : await kindSentence(located.value.path, source.format);
  if (otherwise !== null) return refuse("invalid", otherwise);
  const file = { ...located.value, path: await withoutPattern(located.value.path, index, workDir) };
  const { listing } = file;
  if (source.format === "folder")
    return listing === null
      ? refuse("invalid", `${file.path} is no folder`)
      : prepareFolder(engine, file, listing, source.encoding, index);
  switch (source.format) {
    case "parquet":
      return prepareParquet(engine, file);
    default:
      return prepareText(engine, source, file, { index, used, workDir });
  }
}

type TextSource = Exclude<FileSource, { format: "folder" | "parquet" }>;

async function prepareText(
  engine: Engine,
  source: TextSource,
  file: Located,
  { index, used, workDir }: { readonly index: number; readonly used: UsedColumns; readonly workDir: string },
): Promise<Outcome<Prepared>> {
  const delimited = source.format === "csv" || source.format === "tsv" ? source : null;
  const format: ScanFormat = {
    delimiter: delimited?.delimiter ?? "",
    quote: delimited?.quote ?? "",
    header: delimited?.header ?? false,
    fields: delimited?.columns?.length ?? null,
    latin1Lines: source.encoding === "auto",
  };
  const { digest, path } = await asUtf8(source, file.path, join(workDir, `transcoded-${index}`));
  const scan = await scanSource(path, format, join(workDir, `cleaned-${index}`));
  const fault = scanFault(source, file.path, scan);
  if (fault !== null) return refuse("invalid", fault);
  const shared = {
    ...scan,
    name: file.name,
    path: file.path,
    digest: digest ?? scan.digest,
    types: null,
    notes: [],
  };
  switch (source.format) {
    case "labelled-lines":
      return accept({
        ...shared,
        columns: ["label", "text"],
        hasWhy: true,
        relation: (parallel) => labelledLines(linesOf(scan, parallel)),
      });
    case "jsonl": {
      const columns = await keysOf(engine, linesOf(scan, false));
      const refusal = columnsFault(file.path, columns);
      if (refusal !== null) return refuse("invalid", refusal);
      return accept({
        ...shared,
        columns,
        hasWhy: true,
        relation: (parallel) => jsonLines(linesOf(scan, parallel), columns, source.missing),
      });
    }
    case "csv":
    case "tsv": {
      const given =
        source.columns ?? (source.header ? scan.first : scan.first.map((_, at) => `column${at + 1}`));
      const columns = namesToUse(
        given.map((name) => name.trim()),
        used,
      );
      const refusal = delimiterFault(file.path, source, scan) ?? columnNameFault(file.path, columns);
      if (refusal !== null) return refuse("invalid", refusal);
      const relation = (parallel: boolean) => `SELECT * FROM ${readCsv(scan, source, columns, parallel)}`;
      return accept({ ...shared, columns, hasWhy: false, relation });
    }
  }
}

/** The file itself, or its copy in UTF-8 where all of it has another encoding; `digest` is then of the file as it was. */
async function asUtf8(
  { encoding }: TextSource,
  path: string,
  copyPath: string,
): Promise<{ readonly path: string; readonly digest: string | null }> {
  const marked = encoding === "auto" || encoding === "utf-16" ? await encodingByMark(path) : null;
  const whole =
    encoding === "iso-8859-1" ? encoding : (marked ?? (encoding === "utf-16" ? "utf-16le" : null));
  if (whole === null) return { path, digest: null };
  const digest = await digestOf(path);
  await transcode(path, whole, copyPath);
  return { path: copyPath, digest };
}

/** Why a file gives no rows at all. */
function scanFault(source: TextSource, path: string, scan: Scan): string | null {
  if (scan.records + scan.badCount === 0) {
    const form =
      source.format === "labelled-lines"
        ? 'holds no example; each line should be "label text"'
        : "holds no row";
    const { encoding } = source;
    const read = encoding === "utf-16" ? ` when it is read as ${encoding}; is that its encoding?` : "";
    return `${path} ${form}${read}`;
  }
  const [bad] = scan.bad;
  const isDelimited = source.format === "csv" || source.format === "tsv";
  if (!isDelimited || scan.first.length > 0 || bad === undefined) return null;
  return `${path}, ${describeBadRow({ ...bad, column: null })}`;
}

function columnsFault(path: string, columns: readonly string[]): string | null {
  if (columns.length === 0)
    return `${path} holds no JSON object; each line should be one, as in {"text": "…", "label": "…"}`;
  return columnNameFault(path, columns);
}

function linesOf(scan: Scan, parallel: boolean): string {
  const options = { delimiter: undivided, quote: "", header: false, missing: [] };
  return `SELECT "l" FROM ${readCsv(scan, options, ["l"], parallel)}`;
}

type CsvOptions = Pick<DelimitedSource, "delimiter" | "quote" | "header" | "missing">;

function readCsv(scan: Scan, options: CsvOptions, columns: readonly string[], parallel: boolean): string {
  const delimiter = options.delimiter === undivided ? `'\x1d\x1e\x1d'` : lit(options.delimiter);
  return `read_csv(${[
    lit(scan.path),
    "auto_detect = false",
    `header = ${String(options.header)}`,
    `delim = ${delimiter}`,
    `quote = ${lit(options.quote)}`,
    `escape = ${lit(options.quote)}`,
    `nullstr = [${["", ...options.missing].map(lit).join(", ")}]`,
    `columns = {${columns.map((name) => `${lit(name)}: 'VARCHAR'`).join(", ")}}`,
    `max_line_size = ${recordBytesMax}`,
    `buffer_size = ${4 * recordBytesMax}`,
    "strict_mode = true",
    "null_padding = false",
    "auto_type_candidates = ['VARCHAR']",
    `parallel = ${String(parallel)}`,
  ].join(", ")})`;
}

const space = "[\\s\\v\\p{Z}]";

function labelledLines(lines: string): string {
  return `SELECT
    regexp_extract("l", '^${space}*([^\\s\\v\\p{Z}]+)', 1) AS "label",
    nullif(regexp_extract("l", '^${space}*[^\\s\\v\\p{Z}]+${space}+(.*?)${space}*$', 1, 's'), '') AS "text",
    CASE WHEN "text" IS NULL THEN 'only a label ("' || left("label", 40) || '") and no text after it' END AS __why
  FROM (${lines})`;
}

function jsonLines(lines: string, columns: readonly string[], missing: readonly string[]): string {
  const known = (value: string) =>
    missing.length === 0
      ? value
      : `CASE WHEN ${value} NOT IN (${missing.map(lit).join(", ")}) THEN ${value} END`;
  const fields = columns.map(
    (name) => `${known(`json_extract_string("j", ${lit(jsonPath(name))})`)} AS ${id(name)}`,
  );
  return `SELECT ${fields.join(", ")},
    CASE WHEN "j" IS NULL THEN 'it is no JSON object: ' || left("l", 80) END AS __why
  FROM (SELECT "l", ${objectOf('"l"')} AS "j" FROM (${lines}))`;
}

/** The text where it is a JSON object, else NULL. */
function objectOf(line: string): string {
  return `CASE WHEN json_valid(${line}) THEN CASE WHEN json_type(${line}) = 'OBJECT' THEN ${line} END END`;
}

function jsonPath(key: string): string {
  return `$."${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Keys of the first rows' objects, in the order in which they first appear. */
async function keysOf(engine: Engine, lines: string): Promise<string[]> {
  const rows =
    await engine.rows(`WITH head AS (SELECT row_number() OVER () AS n, ${objectOf('"l"')} AS j FROM (SELECT * FROM (${lines}) LIMIT ${sampledRows})),
    keys AS (SELECT n, unnest(json_keys(j)) AS k, generate_subscripts(json_keys(j), 1) AS i FROM head WHERE j IS NOT NULL)
    SELECT k FROM keys GROUP BY k ORDER BY min(n), min(i)`);
  return rows.map(([key]) => String(key));
}

/** A file of one column that another delimiter would divide was not meant to have one. */
function delimiterFault(path: string, source: DelimitedSource, scan: Scan): string | null {
  const [only, ...rest] = scan.first;
  if (only === undefined || rest.length > 0) return null;
  const counts = otherDelimiters.map((delimiter) => ({ delimiter, fields: only.split(delimiter).length }));
  const best = counts.toSorted((a, b) => b.fields - a.fields)[0];
  if (best === undefined || best.fields < 2 || best.delimiter === source.delimiter) return null;
  const [has, would] = [source.delimiter, best.delimiter].map((one) => JSON.stringify(one));
  return `${path}, line 1: with the delimiter ${has} there is one column; with ${would} there are ${best.fields}, so give delimiter: ${would}`;
}

/** DuckDB reads * and [ in a path as patterns; such a file is given a plain name. */
async function withoutPattern(path: string, index: number, workDir: string): Promise<string> {
  if (!/[*?[\]{}]/u.test(path)) return path;
  const plain = join(workDir, `source-${index}${extname(path).replaceAll(/[^.a-z0-9]/giu, "")}`);
  await symlink(path, plain);
  return plain;
}
