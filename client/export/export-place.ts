/**
 * Where an export goes and as what: `--out` with `--format` and `--table` become files, or standard output. What would be
 * overwritten is refused before anything is asked of the mesh. Nothing is written here.
 */
import { existsSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

export const exportFormats = ["csv", "parquet", "json", "jsonl"] as const;
export type ExportFormat = (typeof exportFormats)[number];
export const exportTables = ["trials", "history"] as const;
export type ExportTableName = (typeof exportTables)[number];

export interface ExportOptions {
  readonly out?: string;
  readonly format?: ExportFormat;
  readonly table?: ExportTableName;
  readonly force?: boolean;
}

export interface ExportOutput {
  /** `all`: both, in one document. */
  readonly table: ExportTableName | "all";
  /** Null: standard output. */
  readonly path: string | null;
}

export interface ExportPlace {
  readonly format: ExportFormat;
  readonly outputs: readonly ExportOutput[];
  /** The folder that files go to, made where it is not there; null where they go to one that is. */
  readonly folder: string | null;
  /** What was exported, for who finds the files; null where no folder is theirs. */
  readonly about: string | null;
  readonly force: boolean;
}

const standardOutput = "-";

/** `name`: of the sweep or trial. */
export function exportPlace(name: string, options: ExportOptions): Outcome<ExportPlace> {
  const { force = false, out, table } = options;
  const format = formatOf(out, options.format);
  if (!format.ok) return format;
  const isDocument = format.value === "json" || format.value === "jsonl";
  if (isDocument && table !== undefined)
    return refuse(
      "invalid",
      `--table is for csv and parquet: a ${format.value} export has each trial with its history`,
    );
  if (out === standardOutput) return toStandardOutput(format.value, table);
  const place = isDocument
    ? ofFiles(format.value, [{ table: "all", path: documentPath(name, format.value, out) }])
    : tablePlace(name, format.value, out, table);
  return unlessThere({ ...place, force });
}

function formatOf(out: string | undefined, given: ExportFormat | undefined): Outcome<ExportFormat> {
  const ending = out === undefined || isFolder(out) ? "" : extname(out).slice(1).toLowerCase();
  const named = exportFormats.find((format) => format === ending);
  if (named !== undefined && given !== undefined && named !== given)
    return refuse(
      "invalid",
      `${out}: a file with this ending is ${named}, and --format says ${given}; leave out one of them`,
    );
  return accept(given ?? named ?? "csv");
}

function toStandardOutput(format: ExportFormat, table: ExportTableName | undefined): Outcome<ExportPlace> {
  if (format === "parquet")
    return refuse(
      "invalid",
      "--out -: Parquet is written to files only; csv, json and jsonl go to standard output",
    );
  const whole = format === "csv" ? (table ?? "trials") : "all";
  return accept(ofFiles(format, [{ table: whole, path: null }]));
}

function documentPath(name: string, format: ExportFormat, out: string | undefined): string {
  if (out === undefined) return resolve(`${name}.${format}`);
  return isFolder(out) ? resolve(out, `${name}.${format}`) : resolve(out);
}

/** A name with an ending is one file, with the history beside it; any other is a folder. */
function tablePlace(
  name: string,
  format: ExportFormat,
  out: string | undefined,
  table: ExportTableName | undefined,
): ExportPlace {
  const tables = table === undefined ? exportTables : [table];
  if (out !== undefined && !isFolder(out) && extname(out) !== "") {
    const beside = (which: ExportTableName) =>
      which === "trials" || table !== undefined ? out : out.replace(/\.[^.]+$/, `.history$&`);
    return ofFiles(
      format,
      tables.map((which) => ({ table: which, path: resolve(beside(which)) })),
    );
  }
  const folder = resolve(out ?? `${name}-export`);
  const outputs = tables.map((which) => ({ table: which, path: join(folder, `${which}.${format}`) }));
  return { ...ofFiles(format, outputs), folder, about: join(folder, "export.json") };
}

function ofFiles(format: ExportFormat, outputs: readonly ExportOutput[]): ExportPlace {
  return { format, outputs, folder: null, about: null, force: false };
}

function unlessThere(place: ExportPlace): Outcome<ExportPlace> {
  const paths = [...place.outputs.map(({ path }) => path), place.about].filter((path) => path !== null);
  const folder = paths.find((path) => isFolder(path));
  if (folder !== undefined) return refuse("conflict", `${folder} is a folder; --out names another place`);
  const there = place.force ? undefined : paths.find((path) => existsSync(path));
  return there === undefined ? accept(place) : refuseOverwriting(there);
}

export function refuseOverwriting(path: string): Outcome<never> {
  return refuse("conflict", `${path} is there already; --force writes it anew, --out names another place`);
}

function isFolder(path: string): boolean {
  return /[/\\]$/.test(path) || (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
}
