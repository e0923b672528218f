/** Rows of a Parquet file, read by DuckDB a block at a time as the texts that a build reads them as. */
import { tmpdir } from "node:os";
import { parquetFault } from "../../data/source/parquet-fault.ts";
import { columnNameFault } from "../../data/engine/column-name.ts";
import { engineRefusal, openEngine, type Engine } from "../../data/engine/sql-engine.ts";
import { id, lit } from "../../data/engine/sql.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { RowBatch, RowSource } from "./row-source.ts";

const memoryMiB = 512;

export async function parquetRows(path: string): Promise<Outcome<RowSource>> {
  const fault = await parquetFault(path);
  if (fault !== null) return refuse("invalid", fault);
  const engine = await openEngine({ workDir: tmpdir(), threads: 1, memoryMiB, onDisk: false });
  const from = `read_parquet(${lit(path)})`;
  try {
    const described = await engine.rows(`DESCRIBE SELECT * FROM ${from}`);
    const types = new Map(described.map(([name, type]) => [String(name), String(type)]));
    const names = [...types.keys()];
    const named = columnNameFault(path, names);
    if (named !== null) {
      engine.close();
      return refuse("invalid", named);
    }
    const texts = names.map((name) => `CAST(${id(name)} AS VARCHAR)`).join(", ");
    const sql = `SELECT ${texts} FROM ${from}`;
    return accept({
      title: path,
      names,
      types,
      bytes: null,
      notes: [],
      batches: () => batches(engine, sql, names.length),
    });
  } catch (error) {
    engine.close();
    return engineRefusal(error, path);
  }
}

async function* batches(engine: Engine, sql: string, width: number): AsyncGenerator<RowBatch> {
  try {
    const result = await engine.connection.stream(sql);
    let line = 1;
    for (
      let chunk = await result.fetchChunk();
      chunk !== null && chunk.rowCount > 0;
      chunk = await result.fetchChunk()
    ) {
      const count = chunk.rowCount;
      const columns: (string | null)[][] = [];
      for (let at = 0; at < width; at++)
        columns.push(chunk.getColumnValues(at).map((value) => (typeof value === "string" ? value : null)));
      const first = line;
      line += count;
      const lines = Array.from({ length: count }, (_, row) => first + row);
      yield { count, columns, lines, bad: [], bytes: 0 };
    }
  } finally {
    engine.close();
  }
}
