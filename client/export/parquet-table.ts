/** A table as Parquet, written by DuckDB from the rows as lines of JSON: columns typed, moments in UTC, texts as they are. */
import { join } from "node:path";
import { engineRefusal, openEngine } from "../../data/engine/sql-engine.ts";
import { id, lit } from "../../data/engine/sql.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { ColumnType } from "../list/list-column.ts";
import { cellText } from "./cell-text.ts";
import type { ExportTable } from "./export-table.ts";
import { TextFile } from "./text-file.ts";

const memoryMiB = 512;
/** DuckDB sets aside twice as much for each thread; a trial whose parameters are files needs more. */
const lineMiB = 16;
const linesHeld = 8;
const metadataKey = "trialmesh";

/** `stored`: as it stands in the lines of JSON; `made`: out of that. */
const sqlTypes: Readonly<Record<ColumnType, { readonly stored: string; made(cell: string): string }>> = {
  text: { stored: "VARCHAR", made: (cell) => cell },
  whole: { stored: "BIGINT", made: (cell) => cell },
  boolean: { stored: "BOOLEAN", made: (cell) => cell },
  // As texts, for JSON has no word for what is not finite.
  number: { stored: "VARCHAR", made: (cell) => `CAST(${cell} AS DOUBLE)` },
  time: { stored: "DOUBLE", made: (cell) => `to_timestamp(${cell} / 1000)` },
};

/** `folder`: for what is in the way, emptied by the caller. `about`: kept in the file under `trialmesh`. */
export async function writeParquet(
  table: ExportTable,
  path: string,
  folder: string,
  about: object,
): Promise<Outcome<null>> {
  const lines = join(folder, "rows.jsonl");
  let longest = lineMiB * bytesPerMiB;
  await TextFile.write(
    lines,
    jsonLines(table, (bytes) => (longest = Math.max(longest, bytes))),
  );
  const engine = await openEngine({
    workDir: folder,
    threads: 1,
    memoryMiB: memoryMiB + linesHeld * Math.ceil(longest / bytesPerMiB),
    onDisk: false,
  });
  const names = parquetNames(table.columns.map(({ name }) => name));
  const stored = table.columns.map(({ type }, at) => `c${at}: ${lit(sqlTypes[type].stored)}`);
  const made = table.columns.map(
    ({ type }, at) => `${sqlTypes[type].made(`c${at}`)} AS ${id(names[at] ?? "")}`,
  );
  const source = `read_json(${lit(lines)}, format = 'newline_delimited', maximum_object_size = ${longest}, columns = {${stored.join(", ")}})`;
  try {
    await engine.run(
      `COPY (SELECT ${made.join(", ")} FROM ${source}) TO ${lit(path)}
       (FORMAT parquet, COMPRESSION zstd, KV_METADATA {${metadataKey}: ${lit(JSON.stringify(about))}})`,
    );
    return accept(null);
  } catch (error) {
    return engineRefusal(error, path);
  } finally {
    engine.close();
  }
}

async function* jsonLines(
  { columns, read }: ExportTable,
  longer: (bytes: number) => void,
): AsyncGenerator<string> {
  for await (const row of read()) {
    const cells = columns.map(({ type }, at) => {
      const value = row[at] ?? null;
      return [`c${at}`, type === "number" ? cellText(value, type) : value];
    });
    const line = `${JSON.stringify(Object.fromEntries(cells))}\n`;
    longer(Buffer.byteLength(line));
    yield line;
  }
}

/** DuckDB takes names that differ in case for one: the later ones get a number that tells them apart. */
export function parquetNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names.map((name) => name.toLowerCase()));
  const given = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let number = 2; given.has(own.toLowerCase()); number++) {
      const candidate = `${name}_${number}`;
      own = taken.has(candidate.toLowerCase()) ? name : candidate;
    }
    given.add(own.toLowerCase());
    return own;
  });
}
