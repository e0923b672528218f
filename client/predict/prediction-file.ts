/**
 * PREDICT-4: where predictions go: standard output, or a file that stands under its name only once it is whole. Parquet is made by DuckDB
 * of the lines that were written meanwhile, so memory stays bounded.
 */
import { rm } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { engineRefusal, openEngine } from "../../data/engine/sql-engine.ts";
import { id, lit } from "../../data/engine/sql.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { placeWhole } from "../../system/whole-file.ts";
import { TextFile } from "../export/text-file.ts";
import {
  csvHeader,
  csvWriter,
  jsonWriter,
  madeColumns,
  type PredictionTable,
  type RowWriter,
} from "./prediction-table.ts";

export const predictionFormats = ["csv", "jsonl", "parquet"] as const;
export type PredictionFormat = (typeof predictionFormats)[number];

const byEnding: Readonly<Record<string, PredictionFormat>> = {
  ".csv": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".parquet": "parquet",
  ".pq": "parquet",
};

/** By the name of the file, or as it is said; CSV otherwise. */
export function predictionFormat(
  out: string | undefined,
  said: PredictionFormat | undefined,
): Outcome<PredictionFormat> {
  const named = out === undefined ? undefined : byEnding[extname(out).toLowerCase()];
  if (named !== undefined && said !== undefined && named !== said)
    return refuse(
      "invalid",
      `${out}: a file with this ending is ${named}, and --format says ${said}; leave out one of them`,
    );
  const format = said ?? named ?? "csv";
  return out === undefined && format === "parquet"
    ? refuse("invalid", "Parquet is written to a file only; name one with --out")
    : accept(format);
}

export interface PredictionFile {
  readonly row: RowWriter;
  add(text: string): Promise<void>;
  /** It is whole now. */
  finish(): Promise<Outcome<null>>;
  /** Leaves nothing. */
  abandon(): Promise<void>;
}

export interface PredictionFileOptions {
  readonly format: PredictionFormat;
  /** Null: `pour`. */
  readonly out: string | null;
  readonly pour: (text: string) => Promise<void>;
  readonly table: PredictionTable;
  /** As DuckDB spells them, where the rows' source knows the types of its columns. */
  readonly types: ReadonlyMap<string, string> | null;
}

/** Throws what the file system throws, in `add` too. */
export async function openPredictionFile(options: PredictionFileOptions): Promise<PredictionFile> {
  const { format, out, pour, table } = options;
  const row = format === "jsonl" ? jsonWriter(table) : csvWriter(table);
  const header = format === "jsonl" ? "" : csvHeader(table);
  if (out === null) {
    await pour(header);
    return { row, add: pour, finish: () => Promise.resolve(accept(null)), abandon: () => Promise.resolve() };
  }
  const path = resolve(out);
  const draft = `${path}${partSuffix}`;
  const file = await TextFile.create(draft);
  await file.add(header);
  return {
    row,
    add: (text) => file.add(text),
    finish: async () => {
      try {
        await file.close();
        if (format !== "parquet") {
          await placeWhole(draft, path);
          return accept(null);
        }
        const parquet = `${path}.parquet${partSuffix}`;
        const made = await toParquet(options, draft, parquet);
        if (made.ok) await placeWhole(parquet, path);
        await rm(parquet, { force: true });
        return made;
      } catch (error) {
        return refuseDisk(error, "write", path);
      } finally {
        await rm(draft, { force: true });
      }
    },
    abandon: async () => {
      await file.close().catch(() => undefined);
      await rm(draft, { force: true });
    },
  };
}

const memoryMiB = 512;
/** What the reader of a build takes for a line at most is in no column longer than this. */
const lineBytesMax = 64 * 1024 * 1024;

async function toParquet(
  { table, types }: PredictionFileOptions,
  draft: string,
  parquet: string,
): Promise<Outcome<null>> {
  const made = madeColumns(table);
  const names = [...table.own, ...made];
  const casts = names.map((name, at) => {
    const number = at > table.own.length || (at === table.own.length && table.labels === null);
    const own = at < table.own.length ? types?.get(name) : undefined;
    const type = own !== undefined && isSimple(own) ? own : number ? "FLOAT" : "VARCHAR";
    return `CAST(${id(`c${at}`)} AS ${type}) AS ${id(name)}`;
  });
  const columns = names.map((_, at) => `${lit(`c${at}`)}: 'VARCHAR'`);
  const engine = await openEngine({ workDir: dirname(parquet), threads: 1, memoryMiB, onDisk: false });
  try {
    await engine.run(
      `COPY (SELECT ${casts.join(", ")} FROM read_csv(${lit(draft)}, auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false, strict_mode = true, max_line_size = ${lineBytesMax}, buffer_size = ${2 * lineBytesMax}, columns = {${columns.join(", ")}})) TO ${lit(parquet)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    return accept(null);
  } catch (error) {
    return engineRefusal(error, parquet);
  } finally {
    engine.close();
  }
}

/** Types whose values come back whole from how they are written. */
function isSimple(type: string): boolean {
  return /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|BOOLEAN|DATE|TIMESTAMP)$/u.test(
    type,
  );
}
