/**
 * A value as it lies in a store on disk: behind the checksum of its key and its bytes, and what the checksums of all entries add up
 * to. Finds what a disk got wrong, page for page or one bit in it; no protection from whoever writes there on purpose.
 */
import { crc32 } from "node:zlib";
import * as z from "zod";

const checksumBytes = 4;

/** Checksum (CRC32 of zlib, little end first) and bytes. */
export function sealEntry(key: string, bytes: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(checksumBytes + bytes.length);
  sealed.writeUInt32LE(crc32(bytes, crc32(key)), 0);
  sealed.set(bytes, checksumBytes);
  return sealed;
}

export interface Entry {
  readonly bytes: Buffer;
  readonly checksum: number;
}

/** Null where it is not what was written under this key. */
export function openEntry(key: string, sealed: Buffer): Entry | null {
  if (sealed.length < checksumBytes) return null;
  const checksum = sealed.readUInt32LE(0);
  const bytes = sealed.subarray(checksumBytes);
  return crc32(bytes, crc32(key)) === checksum ? { bytes, checksum } : null;
}

/**
 * What a store should hold, written with every change of it: an entry that is lost, there twice or older than the others has a
 * right checksum of its own, and this tells.
 */
const summarySchema = z.strictObject({
  version: z.string(),
  count: z.int().nonnegative(),
  /** Of the entries' checksums, modulo 2^32. */
  sum: z.int().nonnegative(),
});
export type Summary = z.infer<typeof summarySchema>;

export const summaryKey = "summary";

export function sealSummary(summary: Summary): Buffer {
  return sealEntry(summaryKey, Buffer.from(JSON.stringify(summary)));
}

export function openSummary(sealed: Buffer | undefined): Summary | null {
  const entry = sealed === undefined ? null : openEntry(summaryKey, sealed);
  return entry === null ? null : summarySchema.parse(JSON.parse(entry.bytes.toString("utf8")));
}

/** Counts entries in and out of a summary. */
export class Tally {
  count: number;
  sum: number;

  constructor({ count, sum }: Pick<Summary, "count" | "sum"> = { count: 0, sum: 0 }) {
    this.count = count;
    this.sum = sum;
  }

  add(checksum: number): void {
    this.count += 1;
    this.sum = (this.sum + checksum) >>> 0;
  }

  remove(checksum: number): void {
    this.count -= 1;
    this.sum = (this.sum - checksum) >>> 0;
  }
}
