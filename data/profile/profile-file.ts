/**
 * The profile of any CSV, TSV, JSON-lines or Parquet file, as it lies there: what somebody looks at before they declare a
 * dataset. A line number is the row's number, which is the line only where no value spans lines and there is no header.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { nearestName } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { engineRefusal, openEngine, type Engine } from "../engine/sql-engine.ts";
import { lit } from "../engine/sql.ts";
import type { Profile } from "./profile.ts";
import { profileRows, type ScanOptions } from "./profile-rows.ts";
import { makeFolder } from "../../system/make-folder.ts";

export interface ProfileOptions {
  /** A folder for what memory cannot hold; made where it is missing, left as it was found. */
  readonly workDir: string;
  readonly threads: number;
  readonly memoryMiB: number;
  /** Rows whose text is looked into, where the set has more; otherwise as `profile-limit.ts` says. */
  readonly scannedRows?: number | undefined;
  readonly progress?: ((rows: number, of: number) => void) | undefined;
}

export interface FileToProfile {
  readonly path: string;
  /** Told by the ending where it is left out. */
  readonly format?: "csv" | "tsv" | "jsonl" | "parquet" | undefined;
  /** Columns to look into as text and label. */
  readonly text?: string | undefined;
  readonly label?: string | undefined;
  readonly split?: string | undefined;
}

const formats = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".parquet": "parquet",
} as const;

export async function profileFile(file: FileToProfile, options: ProfileOptions): Promise<Outcome<Profile>> {
  const format =
    file.format ?? Object.entries(formats).find(([ending]) => ending === extname(file.path))?.[1];
  if (format === undefined) {
    return refuse("invalid", `${file.path}: its ending says no format; name one of csv, tsv, jsonl, parquet`);
  }
  const there = await stat(file.path).catch(() => null);
  if (there === null || !there.isFile()) return refuse("unknown", `${file.path}: there is no such file`);
  return withEngine(options, file.path, async (engine, folder) => {
    let path = file.path;
    if (format !== "parquet") {
      path = join(folder, "rows.parquet");
      await engine.run(`COPY (SELECT * FROM ${reader(format, file.path)}) TO ${lit(path)} (FORMAT parquet)`);
    }
    const columns = await columnsOf(engine, path);
    for (const wanted of [file.text, file.label, file.split]) {
      if (wanted === undefined || columns.some(({ name }) => name === wanted)) continue;
      const nearest = nearestName(
        wanted,
        columns.map(({ name }) => name),
      );
      const hint =
        nearest === null
          ? `it has ${columns.map(({ name }) => name).join(", ")}`
          : `did you mean "${nearest}"?`;
      return refuse("unknown", `${file.path}: there is no column "${wanted}"; ${hint}`);
    }
    const profile = await profileRows(
      engine,
      {
        name: basename(file.path),
        digest: null,
        path,
        files: [basename(file.path)],
        columns,
        split: file.split ?? null,
        file: null,
        line: null,
        text: file.text ?? null,
        label: file.label ?? null,
        labelNames: null,
      },
      scanOptions(options),
    );
    return accept(profile);
  });
}

function reader(format: "csv" | "tsv" | "jsonl", path: string): string {
  if (format === "jsonl") return `read_json(${lit(path)}, format = 'newline_delimited')`;
  return `read_csv(${lit(path)}${format === "tsv" ? ", delim = '\t'" : ""})`;
}

export async function columnsOf(
  engine: Engine,
  path: string,
): Promise<{ readonly name: string; readonly type: string }[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM read_parquet(${lit(path)})`);
  return rows.map(([name, type]) => ({ name: String(name), type: String(type) }));
}

export function scanOptions({ scannedRows, progress }: ProfileOptions): ScanOptions {
  return { scannedRows: scannedRows ?? null, ...(progress === undefined ? {} : { progress }) };
}

/** Opens DuckDB with a folder of its own for the time of `use`; what DuckDB throws becomes a refusal about `where`. */
export async function withEngine<T>(
  options: ProfileOptions,
  where: string,
  use: (engine: Engine, folder: string) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  await makeFolder(options.workDir);
  const folder = await mkdtemp(join(options.workDir, "profile-"));
  const engine = await openEngine({
    workDir: folder,
    threads: options.threads,
    memoryMiB: options.memoryMiB,
    onDisk: false,
  });
  try {
    return await use(engine, folder);
  } catch (error) {
    return engineRefusal(error, where);
  } finally {
    engine.close();
    await rm(folder, { recursive: true, force: true });
  }
}
