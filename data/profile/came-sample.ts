/**
 * Rows of a version drawn at random, with their values as they came, as far as the version keeps them: what a model that was trained on it
 * might be asked. The same rows each time. Not which of them anybody is shown.
 */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { id, lit } from "../engine/sql.ts";
import { engineRefusal, openEngine, type EngineOptions } from "../engine/sql-engine.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { cameColumns, targetColumn } from "../manifest/raw-column.ts";
import { kindOf } from "./profile-rows.ts";

/** What stands for a row's text, whatever its sources call it. */
export const textColumn = "text";

export interface CameSample {
  readonly count: number;
  /** Of a text data set `text` alone; of a table its features and what they are not made of is missing. */
  readonly columns: ReadonlyMap<string, readonly (string | number | null)[]>;
  /** Labels by name, or numbers. */
  readonly target: readonly (string | number | null)[];
}

type SampleEngine = Omit<EngineOptions, "onDisk">;

/** `split`: only of it; null for any. */
export async function cameSample(
  path: string,
  manifest: Manifest,
  { rows, split }: { readonly rows: number; readonly split: "train" | null },
  options: SampleEngine,
): Promise<Outcome<CameSample>> {
  const came = manifest.declaration.form.kind === "text" ? textColumns(manifest) : cameColumns(manifest);
  const wanted = came.slice(0, -1);
  const engine = await openEngine({ ...options, onDisk: false });
  try {
    const values = came.map(
      ({ sql, type }) => `CAST(${sql} AS ${kindOf(type) === "number" ? "DOUBLE" : "VARCHAR"})`,
    );
    const where = split === null ? "" : `WHERE split = ${lit(split)}`;
    const found = await engine.rows(
      `SELECT ${values.join(", ")} FROM (SELECT * FROM read_parquet(${lit(path)}) ${where} USING SAMPLE reservoir(${rows} ROWS) REPEATABLE (1))`,
    );
    const column = (at: number) => found.map((row) => cellOf(row[at]));
    return accept({
      count: found.length,
      columns: new Map(wanted.map(({ name }, at) => [name, column(at)])),
      target: column(wanted.length),
    });
  } catch (error) {
    return engineRefusal(error, path);
  } finally {
    engine.close();
  }
}

/** Of texts the label's column has a name of its own. */
function textColumns({ labels }: Manifest): ReturnType<typeof cameColumns> {
  return [
    { name: textColumn, sql: id(textColumn), type: "VARCHAR" },
    { ...targetColumn("label", labels), type: "VARCHAR" },
  ];
}

function cellOf(value: unknown): string | number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return typeof value === "string" ? value : null;
}
