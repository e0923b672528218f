/**
 * The file of a store, as far as it has to be looked at before LMDB maps it: LMDB ends the process over a file that is none of
 * its own, and over one that was cut off. What lies inside is `inspect-store.ts`'s.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { bytesPerMiB } from "../protocol/byte-unit.ts";

export const storeFile = "store.lmdb";
/** What a store's file held, written anew: takes its place once it is whole. */
export const compactFile = "compact.lmdb";
export const lockSuffix = "-lock";
/** With less free than this no store is opened, and a write that failed for no named reason failed for want of space. */
export const nearlyFullBytes = bytesPerMiB;
/**
 * A file begins with two meta pages, of which the one with the higher transaction counts. Where things stand in one, behind the
 * page header of the LMDB that lmdb-js builds: LMDB's number (MDB_MAGIC), the size of a page, the last page, the transaction.
 */
const meta = { magicAt: 24, pageBytesAt: 48, lastPageAt: 144, transactionAt: 152, bytes: 160 };
const magic = 0xbeefc0de;
const pageBytesMin = 512;
const pageBytesMax = 65_536;
/** Pages that a transaction took and gave back may be missing at the end; more than these, and as many as there are, never. */
const missingMaxBytes = 64 * bytesPerMiB;

/** False for a file that is no store. One that was cut off is filled up with nothing, which reads as the damage that it is. */
export function prepareFile(file: string): boolean {
  const descriptor = openSync(file, "r+");
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return true;
    const first = readMeta(descriptor, 0);
    const second = first === null ? null : readMeta(descriptor, first.pageBytes);
    if (first === null || second === null) return false;
    if (!follow(first.transaction, second.transaction)) return false;
    const newest = second.transaction > first.transaction ? second : first;
    const whole = (newest.lastPage + 1) * first.pageBytes;
    if (whole > size * 2 + missingMaxBytes) return false;
    if (size < whole) ftruncateSync(descriptor, whole);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * They are written in turn, even transactions in the first: another two are not what was written, or one of them is a lost write.
 * In a file that was just made, anew or from another, the first is empty.
 */
function follow(first: bigint, second: bigint): boolean {
  if (first === 0n) return true;
  return first % 2n === 0n && (second === first + 1n || second === first - 1n);
}

/** Of all that is in it: two that differ anywhere have, but for one in four thousand million, another. Throws the system's error. */
export function checksumOf(file: string): number {
  const descriptor = openSync(file, "r");
  try {
    const buffer = Buffer.allocUnsafe(bytesPerMiB);
    let sum = 0;
    for (let length; (length = readSync(descriptor, buffer)) > 0;)
      sum = crc32(buffer.subarray(0, length), sum);
    return sum;
  } finally {
    closeSync(descriptor);
  }
}

/** Whether there is a file with anything in it. */
export function storeIsThere(path: string): boolean {
  return (statSync(join(path, storeFile), { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function readMeta(descriptor: number, at: number) {
  const page = Buffer.alloc(meta.bytes);
  if (readSync(descriptor, page, 0, page.length, at) < page.length) return null;
  if (page.readUInt32LE(meta.magicAt) !== magic) return null;
  const pageBytes = page.readUInt32LE(meta.pageBytesAt);
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax) return null;
  const lastPage = Number(page.readBigUInt64LE(meta.lastPageAt));
  return { pageBytes, lastPage, transaction: page.readBigUInt64LE(meta.transactionAt) };
}

export function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
