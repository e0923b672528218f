/** Single rows of a version as they came: their place in a source, and the values that stood there. */
import { tmpdir } from "node:os";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { lit } from "../engine/sql.ts";
import { engineRefusal, openEngine } from "../engine/sql-engine.ts";
import { cameColumns } from "./raw-column.ts";
import { readManifest } from "./read-manifest.ts";

const memoryMiB = 512;

export interface RowAsItCame {
  /** Of the source, as the version calls it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** By column, the target's last; null where there was none. */
  readonly values: readonly (readonly [column: string, value: string | null])[];
}

/** `rows`: places in the version's file, from 0. By place. */
export async function rowsAsTheyCame(
  path: string,
  rows: readonly number[],
): Promise<Outcome<ReadonlyMap<number, RowAsItCame>>> {
  const manifest = await readManifest(path);
  if (!manifest.ok) return manifest;
  const columns = cameColumns(manifest.value);
  const engine = await openEngine({ workDir: tmpdir(), threads: 1, memoryMiB, onDisk: false });
  try {
    const values = columns.map(({ sql }) => `, CAST(${sql} AS VARCHAR)`).join("");
    const wanted = [-1, ...rows.map((row) => Math.trunc(row))].join(", ");
    const found = await engine.rows(
      `SELECT file_row_number, file, line${values} FROM read_parquet(${lit(path)}, file_row_number = true) WHERE file_row_number IN (${wanted})`,
    );
    const named = found.map(([place, file, line, ...cells]) => {
      const came: RowAsItCame = {
        file: manifest.value.sources[Number(file)]?.name ?? "",
        line: Number(line),
        values: columns.map(({ name, type }, at) => [name, shown(cells[at], type)]),
      };
      return [Number(place), came] as const;
    });
    return accept(new Map(named));
  } catch (error) {
    return engineRefusal(error, path);
  } finally {
    engine.close();
  }
}

/** A whole number in a column of fractions is shown as it was written, not as the engine writes those. */
function shown(cell: unknown, type: string): string | null {
  if (typeof cell !== "string") return null;
  return type === "DOUBLE" || type === "FLOAT" ? cell.replace(/\.0$/u, "") : cell;
}
