/**
 * Writes a version as one Parquet file: training rows first, each split in the order of its sources and lines, groups of
 * a fixed number of rows. The order is total, so the bytes depend on neither threads nor memory (checked in tests).
 */
import type { Manifest } from "../manifest/manifest.ts";
import { manifestKey } from "../manifest/manifest.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";

export const rowGroupRows = 122_880;

export interface OutputColumn {
  readonly name: string;
  /** As DuckDB spells it. */
  readonly type: string;
  readonly sql: string;
}

/** Columns of every version before its own. */
export const placeColumns: readonly OutputColumn[] = [
  { name: "split", type: "VARCHAR", sql: "__split" },
  { name: "file", type: "INTEGER", sql: "__file" },
  { name: "line", type: "BIGINT", sql: "__line" },
];

export async function writeVersion(
  engine: Engine,
  relation: string,
  columns: readonly OutputColumn[],
  manifest: Manifest,
  path: string,
): Promise<void> {
  const select = columns.map(({ name, type, sql }) => `CAST(${sql} AS ${type}) AS ${id(name)}`);
  const rank = "CASE __split WHEN 'train' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END";
  await engine.run(
    `COPY (SELECT ${select.join(", ")} FROM ${relation} ORDER BY ${rank}, __file, __line) TO ${lit(path)}
     (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows}, KV_METADATA {${manifestKey}: ${lit(JSON.stringify(manifest))}})`,
  );
}
