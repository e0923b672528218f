/**
 * A message of the inbox: reports, and the bytes of small checkpoints that they name (CARRY-1). Without such bytes it is the JSON that it always was;
 * with them the JSON comes first and says how long each is. Pure: whether bytes are what their digest names is for whoever reads to ask.
 *
 * Framed: the byte 0, with which no JSON begins, 3 of `frameMark`, 4 of the length of the JSON (big-endian), the JSON, then the
 * bytes of each of its `contents`, in order and nothing after them.
 */
import * as z from "zod";
import { listOf } from "./bound.ts";
import { bytesPerKiB } from "./byte-unit.ts";
import type { Bytes } from "./bus/bus.ts";
import { digestSchema, type Digest } from "./id.ts";
import { fromBytes, toBytes } from "./json-bytes.ts";
import { reportBatchSchema, reportsMax, type ReportBatch } from "./report.ts";

/** A checkpoint no larger than this goes with the report that names it; a larger one is stored before it is reported. */
export const carriedBytesMax = 32 * bytesPerKiB;

/** Bytes by what they are said to be. */
export type Contents = ReadonlyMap<Digest, Bytes>;

export const noContents: Contents = new Map();

export interface ReportMessage {
  /** Not parsed: `reportBatchSchema` has the sentence for what is wrong with it. */
  readonly batch: unknown;
  readonly contents: Contents;
}

const frameMark = [0, 0x74, 0x6d, 0x63] as const;
const headBytes = frameMark.length + 4;

/** A report names two at most: the newest epoch and the best. */
const contentsSchema = z.object({
  contents: listOf(
    z.object({ digest: digestSchema, bytes: z.int().nonnegative().max(carriedBytesMax) }),
    2 * reportsMax,
  ),
});

export function writeReports(batch: ReportBatch, contents: Contents): Bytes {
  if (contents.size === 0) return toBytes(batch);
  const told = Array.from(contents, ([digest, { length: bytes }]) => ({ digest, bytes }));
  const json = toBytes({ ...batch, contents: told });
  const head = Buffer.from([...frameMark, 0, 0, 0, 0]);
  head.writeUInt32BE(json.length, frameMark.length);
  return Buffer.concat([head, json, ...contents.values()]);
}

/** Bytes of its JSON, before anything is read of it; all else is carried. */
export function batchBytesOf(data: Bytes): number {
  if (!isFramed(data)) return data.length;
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Math.min(view.readUInt32BE(frameMark.length), data.length);
}

/** Null where it is neither: a frame whose parts do not add up to it. */
export function readReports(data: Bytes): ReportMessage | null {
  if (!isFramed(data)) return { batch: fromBytes(data), contents: noContents };
  let at = headBytes + batchBytesOf(data);
  if (at > data.length) return null;
  const batch = fromBytes(data.subarray(headBytes, at));
  const told = contentsSchema.safeParse(batch);
  if (!told.success) return null;
  const contents = new Map<Digest, Bytes>();
  for (const { bytes, digest } of told.data.contents) {
    if (bytes > data.length - at || contents.has(digest)) return null;
    contents.set(digest, data.subarray(at, at + bytes));
    at += bytes;
  }
  return at === data.length ? { batch, contents } : null;
}

export type ParsedReports = Pick<ReportMessage, "contents"> & { readonly batch: ReportBatch };

/** As it lies in an outbox; null where this version cannot read it. */
export function parseReports(data: Bytes): ParsedReports | null {
  const message = readReports(data);
  const batch = reportBatchSchema.safeParse(message?.batch);
  return message === null || !batch.success ? null : { batch: batch.data, contents: message.contents };
}

function isFramed(data: Bytes): boolean {
  return data.length >= headBytes && frameMark.every((byte, index) => data[index] === byte);
}
