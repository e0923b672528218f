/**
 * What the mesh's store holds, by digest: read from the stream's list of subjects, so that no bytes travel. Not here: what of it
 * is still wanted, which only the coordinator knows.
 */
import * as z from "zod";
import { fromBytes } from "../protocol/json-bytes.ts";
import type { Bus } from "../protocol/bus/bus.ts";
import { digestSchema, type Digest } from "../protocol/id.ts";
import { getBlob, type BlobPlace } from "./blob.ts";
import { chunkBytesMax, readNode } from "./chunk-tree.ts";

export interface Inventory {
  /** By digest, the lowest number of its messages: 0 where it is whole. */
  readonly stored: ReadonlyMap<Digest, number>;
  /** Packs of small artifacts, by what they are called. */
  readonly packs: ReadonlySet<number>;
  /** Of the whole store, as the server counts. */
  readonly bytes: number;
  /** When it was taken, ms, by the server's clock. */
  readonly at: number;
  /** What is stored after it has a higher sequence. */
  readonly lastSequence: number;
}

export interface StoredSize {
  /** 0 where that is not known: part of an upload that was broken off. */
  readonly bytes: number;
  /** When its last message was stored, ms, by the server's clock. */
  readonly at: number;
}

/** Stands in the place of a digest in the subject of a pack. */
const packName = "pack";

/** Throws BusError. */
export async function takeInventory(bus: Bus, place: BlobPlace): Promise<Inventory> {
  const { at, bytes, lastSequence, subjects } = await bus.census(place.stream, patternOf(place, "*"));
  const stored = new Map<Digest, number>();
  const packs = new Set<number>();
  for (const subject of subjects.keys()) {
    const [digest, n] = subject.split(".").slice(-2);
    const number = Number(n);
    if (digest === packName && Number.isSafeInteger(number)) packs.add(number);
    if (digest === undefined || !digestSchema.safeParse(digest).success || !Number.isSafeInteger(number))
      continue;
    stored.set(digest, Math.min(number, stored.get(digest) ?? number));
  }
  return { stored, packs, bytes, at, lastSequence };
}

const header = z.object({ bytes: z.int().nonnegative() });

/** How much is stored under a digest and when it came; null where it is there no more. `n`: as the inventory has it. Throws BusError. */
export async function storedSize(
  bus: Bus,
  place: BlobPlace,
  digest: Digest,
  n: number,
): Promise<StoredSize | null> {
  const message = await bus.getMessage(place.stream, place.subjectOf(digest, n));
  if (message === null) return null;
  const bytes = n === 0 ? (header.safeParse(fromBytes(message.data)).data?.bytes ?? 0) : 0;
  return { bytes, at: message.storedAt };
}

/** As `storedSize`, of a pack. Throws BusError. */
export async function packSize(bus: Bus, place: BlobPlace, pack: number): Promise<StoredSize | null> {
  const message = await bus.getMessage(place.stream, place.subjectOf(packName, pack));
  return message === null ? null : { bytes: message.data.length, at: message.storedAt };
}

/** The parts that a node of a chunk tree names; none of anything else. Throws BusError. */
export async function partsOf(
  bus: Bus,
  place: BlobPlace,
  digest: Digest,
  bytes: number,
): Promise<readonly Digest[]> {
  if (!couldBeNode(bytes)) return [];
  const reading = await getBlob(bus, place, digest, { maxBytes: chunkBytesMax });
  return reading.kind === "read" ? (readNode(reading.bytes)?.children ?? []) : [];
}

/** A head of 32 bytes, and 32 for each part. */
const nodeStepBytes = 32;

function couldBeNode(bytes: number): boolean {
  return bytes >= 2 * nodeStepBytes && bytes <= chunkBytesMax && bytes % nodeStepBytes === 0;
}

/**
 * Removes what is stored under a digest, of messages before that sequence: what somebody stores anew meanwhile is left alone, however
 * late the server comes to it. Throws BusError.
 */
export function removeBlob(bus: Bus, place: BlobPlace, digest: Digest, before: number): Promise<void> {
  return bus.removeMessages(place.stream, patternOf(place, digest), before);
}

/** As `removeBlob`, of a pack, whose name is never given again. Throws BusError. */
export function removePack(bus: Bus, place: BlobPlace, pack: number, before: number): Promise<void> {
  return bus.removeMessages(place.stream, place.subjectOf(packName, pack), before);
}

function patternOf(place: BlobPlace, digest: string): string {
  return `${place.subjectOf(digest, 0).slice(0, -1)}*`;
}
