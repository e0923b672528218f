/**
 * A dataset version with its columns as people know them: labels by name, features before they were scaled, categories in
 * one column again. What drift and expectations look at; training reads `manifest/read-version.ts`.
 */
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { withEngine, type ProfileOptions } from "../profile/profile-file.ts";
import { rawFeature, targetColumn, type RawColumn, type RawExpression } from "../manifest/raw-column.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { readManifest } from "../manifest/read-manifest.ts";
import type { LabelledRow } from "./labelled-row.ts";

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
    const parts: readonly RawExpression[] = [
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
