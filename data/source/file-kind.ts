/**
 * What a file is by its first bytes, where it is not what somebody took it for: an archive, a workbook, a pointer to bytes
 * that are elsewhere. It only names; nothing is unpacked. Signatures from the formats' own specifications.
 */
import { open } from "node:fs/promises";
import { formatBytes } from "../../text/figure.ts";

/** A tar archive has its mark behind the first file's name and owner. */
export const headBytes = 1024;
const tarAt = 257;
const duckdbAt = 8;
/** Below lie bytes that no text has. */
const firstTextByte = 7;

export interface FileKind {
  /** With its article: "a ZIP archive". */
  readonly what: string;
  /** What to do about it. */
  readonly advice: string;
  /** Text that stands for other bytes. */
  readonly isPointer?: boolean;
}

const unpack = "unpack it, and name the file that was in it";
const toCsv = "save its table as CSV or Parquet";
const noTable = "it holds no table; name a file of rows";

/** By their first bytes, in Latin-1. */
const signatures: readonly (readonly [start: string, what: string, advice: string])[] = [
  ["PK\u0003\u0004", "a ZIP archive, such as an Excel workbook", `${toCsv}, or ${unpack}`],
  ["PK\u0005\u0006", "an empty ZIP archive", unpack],
  ["PK\u0007\u0008", "a ZIP archive in parts", unpack],
  ["\u001f\u008b", "compressed with gzip", "unpack it with gunzip"],
  ["\u001f\u009d", "compressed with compress", "unpack it with uncompress"],
  ["\u0028\u00b5\u002f\u00fd", "compressed with zstd", "unpack it with unzstd"],
  ["BZh", "compressed with bzip2", "unpack it with bunzip2"],
  ["\u00fd7zXZ\u0000", "compressed with xz", "unpack it with unxz"],
  ["\u0004\u0022\u004d\u0018", "compressed with lz4", "unpack it with unlz4"],
  ["7z\u00bc\u00af\u0027\u001c", "a 7-Zip archive", unpack],
  ["Rar!\u001a\u0007", "a RAR archive", unpack],
  [
    "\u00d0\u00cf\u0011\u00e0\u00a1\u00b1\u001a\u00e1",
    "an older Office document, such as an Excel workbook (.xls)",
    toCsv,
  ],
  ["%PDF-", "a PDF document", noTable],
  ["%!PS", "a PostScript document", noTable],
  ["{\\rtf", "an RTF document", noTable],
  ["\u0089HDF\r\n\u001a\n", "an HDF5 file", toCsv],
  ["CDF\u0001", "a NetCDF file", toCsv],
  ["CDF\u0002", "a NetCDF file", toCsv],
  ["SQLite format 3\u0000", "an SQLite database", toCsv],
  ["PAR1", "a Parquet file", "say format: parquet"],
  ["ARROW1", "an Arrow (Feather) file", "save it as Parquet"],
  ["FEA1", "a Feather file", "save it as Parquet"],
  ["ORC", "an ORC file", "save it as Parquet"],
  ["Obj\u0001", "an Avro file", "save it as Parquet or JSON lines"],
  ["\u0093NUMPY", "a NumPy array", toCsv],
  ["MATLAB 5.0 MAT-file", "a MATLAB file", toCsv],
  ["RDX", "an R workspace", toCsv],
  ["$FL2", "an SPSS file", toCsv],
  ["<stata_dta>", "a Stata file", toCsv],
  ["\u0080\u0003", "a Python pickle", toCsv],
  ["\u0080\u0004", "a Python pickle", toCsv],
  ["\u0080\u0005", "a Python pickle", toCsv],
  ["\u0089PNG\r\n", "a PNG picture", noTable],
  ["\u00ff\u00d8\u00ff", "a JPEG picture", noTable],
  ["GIF8", "a GIF picture", noTable],
  ["\u007fELF", "a program", noTable],
];

const webPage = /^\s*<(?:!doctype html|html|head)[\s>]/iu;
const lfsStart = "version https://git-lfs.github.com/spec/";

/** Of a file's first bytes; null for what may well be rows. */
export function kindOfHead(head: Buffer): FileKind | null {
  const text = head.toString("latin1");
  if (text.startsWith(lfsStart)) return lfsPointer(text);
  const isBinary = head.some((byte) => byte < firstTextByte);
  for (const [start, what, advice] of signatures)
    if (text.startsWith(start) && (isBinary || !isShortWord(start))) return { what, advice };
  if (text.startsWith("ustar", tarAt)) return { what: "a tar archive", advice: unpack };
  if (text.startsWith("DUCK", duckdbAt)) return { what: "a DuckDB database", advice: toCsv };
  const start = text.replace(/^\u00ef\u00bb\u00bf/u, "");
  if (webPage.test(start))
    return {
      what: "a web page",
      advice: "fetch the file itself; a site that asks for a login sends a page in its place",
    };
  if (start.startsWith("<?xml")) return { what: "an XML document", advice: toCsv };
  return null;
}

/** Letters that a line of text could begin with too. */
function isShortWord(start: string): boolean {
  return /^[\u0020-\u007e]{1,6}$/u.test(start) && !start.startsWith("%");
}

function lfsPointer(text: string): FileKind {
  const size = /^size (\d{1,15})$/mu.exec(text)?.[1];
  const of = size === undefined ? "a file" : `a file of ${formatBytes(Number(size))}`;
  return {
    what: `a Git LFS pointer to ${of} that is not here`,
    advice: "`git lfs pull` brings it",
    isPointer: true,
  };
}

/** The first bytes of a file; throws what the file system throws. */
export async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(headBytes);
    const { bytesRead } = await file.read(head, 0, headBytes, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** `data.csv is a ZIP archive; unpack it…`, or null where it may be rows of the format. */
export async function kindSentence(path: string, format: string): Promise<string | null> {
  const head = await headOf(path);
  const kind = kindOfHead(head);
  if (kind === null && format === "jsonl" && /^\s*\[/u.test(head.toString("latin1")))
    return `${path} is a JSON array; JSON lines have one object in each line, with no brackets around them`;
  if (kind === null || (format === "parquet" && kind.what === "a Parquet file")) return null;
  return `${path} is ${kind.what}; ${kind.advice}`;
}
