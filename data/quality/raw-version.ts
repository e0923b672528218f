/**
 * A dataset version with its columns as people know them: labels by name, features before they were scaled, categories in
 * one column again. What drift and expectations look at; training reads `manifest/read-version.ts`.
 */
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { withEngine, type ProfileOptions } from "../profile/profile-file.ts";
import { namesOf, unknownCategory, type FrozenFeature } from "../manifest/feature.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { readManifest } from "../manifest/read-manifest.ts";
import type { LabelledRow } from "./labelled-row.ts";

export interface RawColumn {
  readonly name: string;
  readonly kind: "text" | "number" | "category";
}

export interface RawVersion {
  readonly engine: Engine;
  readonly manifest: Manifest;
  /** `split`, `file` and `line` come before these. */
  readonly columns: readonly RawColumn[];
  /** Name of the column of labels or targets. */
  readonly target: string;
  /** Name of the column of texts; null in a table. */
  readonly text: string | null;
}

/** Under this name SQL finds the rows. */
export const rawRows = "raw_rows";
/** Decimal digits that single precision holds for sure. */
const singleDigits = 6;
/** Values lie within so many spreads of the offset, but for a few. */
const spreadsWide = 8;

export type RawOptions = Pick<ProfileOptions, "workDir" | "threads" | "memoryMiB">;

export async function withRawVersion<T>(
  path: string,
  options: RawOptions,
  use: (version: RawVersion) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const read = await readManifest(path);
  if (!read.ok) return read;
  const manifest = read.value;
  return withEngine(options, path, async (engine) => {
    const { form } = manifest.declaration;
    const target = form.kind === "text" ? "label" : form.target;
    const features = (manifest.features ?? []).map(rawFeature);
    const parts: readonly (RawColumn & { readonly sql: string })[] = [
      ...(form.kind === "text" ? [{ name: "text", kind: "text" as const, sql: id("text") }] : []),
      ...features,
      targetColumn(target, manifest.labels),
    ];
    const columns = parts.map(({ name, sql }) => `${sql} AS ${id(name)}`).join(", ");
    await engine.run(
      `CREATE TEMP VIEW ${rawRows} AS SELECT split, file, line, ${columns} FROM read_parquet(${lit(path)})`,
    );
    return use({
      engine,
      manifest,
      columns: parts.map(({ kind, name }) => ({ kind, name })),
      target,
      text: form.kind === "text" ? "text" : null,
    });
  });
}

function targetColumn(name: string, labels: readonly string[] | null): RawColumn & { readonly sql: string } {
  if (labels === null) return { name, kind: "number", sql: shortest(id(name)) };
  return {
    name,
    kind: "category",
    sql: `([${labels.map(lit).join(", ")}])[CAST(${id(name)} AS BIGINT) + 1]`,
  };
}

/** Undoes what freezing did, but for the filling of missing values and for categories that share "?". */
function rawFeature(feature: FrozenFeature): RawColumn & { readonly sql: string } {
  const name = feature.column;
  switch (feature.kind) {
    case "numeric":
      return {
        name,
        kind: "number",
        sql: unscaled(feature),
      };
    case "categories":
      return { name, kind: "category", sql: oneHot(feature, [...feature.values, unknownCategory]) };
    case "buckets":
      return { name, kind: "category", sql: oneHot(feature, bucketNames(feature.bounds)) };
    default:
      return feature satisfies never;
  }
}

/** Versions hold single precision: 0.1 is to be 0.1 again, not 0.10000000149. */
function shortest(column: string): string {
  return `CAST(CAST(CAST(${column} AS FLOAT) AS VARCHAR) AS DOUBLE)`;
}

/** Scaled values have lost their last digits; what is rounded away here is less than what single precision lost. */
function unscaled({ column, factor, offset, scale }: Extract<FrozenFeature, { kind: "numeric" }>): string {
  if (scale === "none") return shortest(id(column));
  const magnitude = Math.max(Math.abs(offset), spreadsWide / Math.abs(factor));
  const decimals = singleDigits - Math.ceil(Math.log10(magnitude));
  return `round(CAST(${id(column)} AS DOUBLE) / CAST('${factor}' AS DOUBLE) + CAST('${offset}' AS DOUBLE), ${decimals})`;
}

function oneHot(feature: FrozenFeature, values: readonly string[]): string {
  const cases = namesOf(feature).map(
    (column, at) => `WHEN CAST(${id(column)} AS DOUBLE) = 1 THEN ${lit(values[at] ?? "")}`,
  );
  return `CASE ${cases.join(" ")} END`;
}

function bucketNames(bounds: readonly number[]): readonly string[] {
  const [first] = bounds;
  if (first === undefined) return ["all"];
  return [
    `up to ${first}`,
    ...bounds.slice(1).map((bound, at) => `${bounds[at] ?? ""} to ${bound}`),
    `above ${bounds.at(-1) ?? ""}`,
  ];
}

/** A column as people write its values: 30, not 30.0. */
export function asText({ kind, name }: RawColumn): string {
  const text = `CAST(${id(name)} AS VARCHAR)`;
  return kind === "number" ? `regexp_replace(${text}, '\\.0$', '')` : text;
}

/** One row and what stands in some of its columns. */
export interface RawRow {
  readonly split: string;
  readonly file: string;
  readonly line: number;
  /** In the order of the columns asked for. */
  readonly values: readonly unknown[];
}

/** Rows in the order of the version, `columns` as SQL expressions, narrowed by `where`. */
export async function* rawRowsOf(
  { engine, manifest }: RawVersion,
  columns: readonly string[],
  where = "true",
): AsyncGenerator<RawRow> {
  const result = await engine.connection.stream(
    `SELECT ${["split", "file", "line", ...columns].join(", ")} FROM ${rawRows} WHERE ${where}`,
  );
  for (
    let chunk = await result.fetchChunk();
    chunk !== null && chunk.rowCount > 0;
    chunk = await result.fetchChunk()
  ) {
    const cells = Array.from({ length: chunk.columnCount }, (_, at) => chunk.getColumnValues(at));
    for (let row = 0; row < chunk.rowCount; row++) {
      const [split, file, line, ...values] = cells.map((column) => column[row]);
      yield {
        split: String(split),
        file: manifest.sources[Number(file)]?.name ?? "",
        line: Number(line),
        values,
      };
    }
  }
}

/** Texts with the index of their label, for the judges of labels; empty for a table. */
export async function labelledRows(version: RawVersion): Promise<readonly LabelledRow[]> {
  if (version.text === null) return [];
  const index = new Map(version.manifest.labels?.map((label, at) => [label, at]));
  const rows: LabelledRow[] = [];
  for await (const { file, line, split, values } of rawRowsOf(version, [
    id(version.text),
    id(version.target),
  ])) {
    const [text, label] = values;
    rows.push({ split, file, line, text: String(text), label: index.get(String(label)) ?? 0 });
  }
  return rows;
}
