/** A file of rows, or standard input, opened as what its first bytes say it is: Parquet, JSON lines, or CSV and its like. */
import { extname } from "node:path";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { kindOfHead } from "../../data/source/file-kind.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { openBytes, standardInput } from "./byte-input.ts";
import { delimitedRows } from "./delimited-rows.ts";
import { jsonRows } from "./json-rows.ts";
import { parquetRows } from "./parquet-rows.ts";
import type { RowSource } from "./row-source.ts";

const lookedAt = 1024;

/** `wanted`: columns that the model reads. `manifest`: of the dataset it was trained on, where that is known. */
export async function openRows(
  path: string,
  stdin: AsyncIterable<Uint8Array>,
  wanted: readonly string[],
  manifest: Manifest | null,
): Promise<Outcome<RowSource>> {
  const opened = await openBytes(path, stdin);
  if (!opened.ok) return opened;
  const { head, title } = opened.value;
  const start = head.subarray(0, lookedAt);
  if (start.toString("latin1", 0, 4) === "PAR1") {
    await opened.value.close();
    return path === standardInput
      ? refuse("invalid", "Parquet cannot be read from standard input; give the file itself")
      : parquetRows(path);
  }
  const kind = kindOfHead(start);
  if (kind !== null) return refuse("invalid", `${title} is ${kind.what}; ${kind.advice}`);
  if (/^[\u00ff\u00fe]{2}/u.test(start.toString("latin1")))
    return refuse("invalid", `${title} is UTF-16; save it as UTF-8`);
  if (/^\s*[{[]/u.test(start.toString("latin1"))) return jsonRows(opened.value);
  const isTsv = /^\.(?:tsv|tab)$/iu.test(extname(path));
  const own = manifest?.declaration.sources.find(
    (source) => source.format === "csv" || source.format === "tsv",
  );
  return delimitedRows(opened.value, { isTsv, wanted, own: own ?? null });
}
