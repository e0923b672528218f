/** The body of a request as it came, unpacked, with what its headers say of it; and how it is read as text and JSON. */
import { isAscii, isUtf8 } from "node:buffer";
import { turnDown, type Reading } from "./http-refusal.ts";

export interface RequestBody {
  readonly bytes: Buffer;
  /** As sent, in lower case without its parameters; null where none was. */
  readonly contentType: string | null;
  /** Of the content type, in lower case; null where none was said. */
  readonly charset: string | null;
  /** `Inference-Header-Content-Length`; null where it was not sent. */
  readonly inferenceHeader: string | null;
  /** Of a body of Parquet its rows, which were read before. */
  readonly parquet?: Reading<ParquetRows>;
}

export interface ParquetRows {
  readonly names: readonly string[];
  readonly count: number;
  /** By name; only of those that were wanted. */
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

/** Splits `text/csv; charset=UTF-8` into its type and its character set. */
export function readContentType(header: string | null): Pick<RequestBody, "contentType" | "charset"> {
  if (header === null) return { contentType: null, charset: null };
  if (header === "application/json") return { contentType: header, charset: null };
  const [type = "", ...parameters] = header.toLowerCase().split(";");
  const charset = parameters.map((one) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/.exec(one)?.[1]).find(Boolean);
  const contentType = type.trim();
  return { contentType: contentType === "" ? null : contentType, charset: charset ?? null };
}

/** Clients that say nothing of it send no type, as Triton's, or their library's own, as curl and `fetch` do. */
const jsonTypes: readonly (string | null)[] = [
  null,
  "application/json",
  "application/x-www-form-urlencoded",
  "text/plain",
];

export function isJsonType(contentType: string | null): boolean {
  return jsonTypes.includes(contentType);
}

export function bodyText(bytes: Buffer): Reading<string> {
  // Most are, and need no decoding.
  if (isAscii(bytes)) return { ok: true, value: bytes.toString("latin1") };
  return isUtf8(bytes)
    ? { ok: true, value: bytes.toString("utf8") }
    : turnDown(400, "the body is not text in UTF-8");
}

/** `what` the JSON is, for the sentence: "the body". */
export function bodyJson(bytes: Buffer, what: string): Reading<unknown> {
  if (bytes.length === 0) return turnDown(400, `${what} is empty; it has to be a JSON object`);
  const text = bodyText(bytes);
  if (!text.ok) return text;
  try {
    const value: unknown = JSON.parse(text.value);
    return { ok: true, value };
  } catch {
    return turnDown(400, `${what} is not JSON${hintOf(text.value)}`);
  }
}

/** NaN and Infinity, which Python writes and JSON has not, are the most common reason. */
function hintOf(text: string): string {
  const word = /[[:,]\s*(-?(?:NaN|Infinity))\b/.exec(text)?.[1];
  if (word !== undefined)
    return `: it has ${word}, which JSON has no word for; null stands for a missing number`;
  if (/^\s*[{[]/.test(text)) return "; it may be cut off, or have a comma or a quote too many or too few";
  return "; it has to be a JSON object";
}
