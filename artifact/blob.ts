// Content-addressed bytes over the bus: chunks as messages of a stream that keeps one message per subject and refuses
// a second. Not a cache and not a file store. Whoever reads verifies, so a bad chunk is refused, never believed.

import { createHash } from "node:crypto";

import * as z from "zod";

import { textOf } from "../protocol/bound.ts";
import { bytesPerGiB, bytesPerKiB } from "../protocol/byte-unit.ts";
import { answerSchema } from "../protocol/command.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { carriedBytesMax } from "../protocol/report-message.ts";
import { BusError, type AppendResult, type Bus, type Bytes, type Entry } from "../protocol/bus/bus.ts";

/** Bytes of every chunk but the last. Part of the wire format: a half upload is resumed by whoever comes next. */
export const chunkBytes = 256 * bytesPerKiB;
/** Chunks on their way at once, in either direction. */
const windowChunks = 6;
/** The largest blob `getBlob` reads into memory where its caller names no limit. */
export const defaultMaxBlobBytes = bytesPerGiB;

/** Number of the message that says how many chunks there are. It is written last: where it is, all were stored. */
const headerNumber = 0;

const headerSchema = z.strictObject({
  v: z.literal(1),
  bytes: z.number().int().nonnegative(),
  chunkBytes: z.literal(chunkBytes),
});

/** Where blobs live. The stream: one message per subject, `discard: 'new'` per subject, direct get, no age limit. */
export interface BlobPlace {
  readonly stream: string;
  /** Subject of message `n` of the blob with this digest: 0 is the header, 1.. are the chunks. */
  readonly subjectOf: (digest: string, n: number) => string;
  /** Where it is asked whether what is stored is right; without it whoever asks reads all of it. */
  readonly prove?: string;
}

export interface StoredBlob {
  /** SHA-256, 64 hexadecimal digits. */
  readonly digest: string;
  readonly bytes: number;
  /** False where the blob had been there before, whole. */
  readonly stored: boolean;
}

export type BlobReading =
  | { readonly kind: "read"; readonly bytes: Bytes }
  /** Nobody stored this digest, or not yet whole. */
  | { readonly kind: "missing" }
  /** The header is there, but chunk `n` is not. */
  | { readonly kind: "incomplete"; readonly n: number }
  /** What is stored is not what the digest names. */
  | { readonly kind: "corrupt"; readonly message: string }
  | { readonly kind: "too-large"; readonly bytes: number; readonly maxBytes: number };

export function digestOf(bytes: Bytes): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What is stored under a digest: what it names, something else, not all of it, nothing. */
export const proofSchema = z.object({ state: z.enum(["right", "wrong", "incomplete", "missing"]) });
export type ProofState = z.infer<typeof proofSchema>["state"];

/** What a coordinator answers with whom it asks for bytes that lie in a pack; absent where they do not, and of coordinators that know of none. */
const takenSchema = z.object({ content: textOf(2 * carriedBytesMax).optional() });

/** Somebody else's chunks may be wrong, and are then removed; this often the upload is begun anew. */
const uploadsMax = 3;
/** A coordinator reads the blob to answer, the first time. */
const proofTimeoutMs = 60_000;
const takeTimeoutMs = 5_000;

/**
 * Stores the bytes under their digest, or finds them there. After an upload that was cut off only what is missing is
 * stored. BLOB-5: what somebody else has stored there counts only once it is proved. Throws BusError; calling it again is
 * always safe. `digest`: where the caller knows it.
 */
export async function putBlob(
  bus: Bus,
  place: BlobPlace,
  bytes: Bytes,
  digest = digestOf(bytes),
): Promise<StoredBlob> {
  const known = { digest, bytes: bytes.length, stored: false };
  if ((await bus.getMessage(place.stream, place.subjectOf(digest, headerNumber))) !== null) {
    if ((await proved(bus, place, digest)) === "right") return known;
  }
  for (let upload = 1; upload <= uploadsMax; upload++) {
    const { news, others } = await uploadOnce(bus, place, digest, bytes);
    if (others === 0 || (await proved(bus, place, digest)) === "right") return { ...known, stored: news > 0 };
  }
  throw new BusError("refused", `Wrong bytes lie under the digest ${digest} and cannot be removed.`);
}

/** How many messages were stored by this call, and how many somebody had stored before. */
async function uploadOnce(
  bus: Bus,
  place: BlobPlace,
  digest: string,
  bytes: Bytes,
): Promise<{ news: number; others: number }> {
  let news = 0;
  let others = 0;
  const put = async (n: number, data: Bytes): Promise<true> => {
    if (isNew(await bus.append(place.stream, place.subjectOf(digest, n), data))) news++;
    else others++;
    return true;
  };
  await inWindow(chunkCount(bytes.length), (index) =>
    put(index + 1, bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
  );
  await put(headerNumber, toBytes({ v: 1, bytes: bytes.length, chunkBytes }));
  return { news, others };
}

function proved(bus: Bus, place: BlobPlace, digest: string): Promise<ProofState> {
  return place.prove === undefined ? proveBlob(bus, place, digest) : askProof(bus, place.prove, { digest });
}

/**
 * Has a coordinator read again what is stored, remove it where it is wrong, and ask for the bytes where they are not there.
 * Throws BusError.
 */
export async function doubtBlob(bus: Bus, place: BlobPlace, digest: string): Promise<void> {
  if (place.prove !== undefined) await askProof(bus, place.prove, { digest, doubted: true });
}

async function askProof(
  bus: Bus,
  subject: string,
  asked: { readonly digest: string; readonly doubted?: true },
): Promise<ProofState> {
  const { digest } = asked;
  const answer = answerSchema.safeParse(
    fromBytes(await bus.request(subject, toBytes(asked), proofTimeoutMs)),
  );
  const proof = answer.success && answer.data.ok ? proofSchema.safeParse(answer.data.value) : null;
  if (proof?.success === true) return proof.data.state;
  throw new BusError("unavailable", `No coordinator says whether the bytes stored as ${digest} are right.`);
}

/** Whether the mesh's store says that it has all of it; whoever reads it verifies. Throws BusError. */
export async function isInMesh(bus: Bus, place: BlobPlace, digest: string): Promise<boolean> {
  return (await bus.getMessage(place.stream, place.subjectOf(digest, headerNumber))) !== null;
}

/**
 * The bytes of an artifact that lies in a pack, verified; null where no coordinator finds it in one. PACK-1. Throws BusError where nobody answers,
 * or this user may not ask.
 */
export async function takePacked(bus: Bus, place: BlobPlace, digest: string): Promise<Bytes | null> {
  if (place.prove === undefined) return null;
  const asked = toBytes({ digest, take: true });
  const answer = answerSchema.safeParse(fromBytes(await bus.request(place.prove, asked, takeTimeoutMs)));
  if (answer.success && !answer.data.ok)
    throw new BusError("unavailable", `No coordinator gives the artifact: ${answer.data.refusal.message}.`);
  const taken = answer.success && answer.data.ok ? takenSchema.safeParse(answer.data.value) : null;
  const text = taken?.data?.content;
  const content = text === undefined ? null : Buffer.from(text, "base64");
  return content !== null && digestOf(content) === digest ? content : null;
}

/** Reads what is stored, some chunks at a time, and keeps none of it. Throws BusError. */
export async function proveBlob(bus: Bus, place: BlobPlace, digest: string): Promise<ProofState> {
  const header = await bus.getMessage(place.stream, place.subjectOf(digest, headerNumber));
  if (header === null) return "missing";
  const size = sizeIn(header);
  if (size === undefined) return "wrong";
  const hash = createHash("sha256");
  const count = chunkCount(size);
  let state: ProofState = "right";
  for (let first = 0; first < count && state === "right"; first += windowChunks) {
    const asked = Array.from({ length: Math.min(windowChunks, count - first) }, (_, index) =>
      bus.getMessage(place.stream, place.subjectOf(digest, first + index + 1)),
    );
    for (const [index, chunk] of (await Promise.all(asked)).entries()) {
      const expected = Math.min(chunkBytes, size - (first + index) * chunkBytes);
      if (chunk === null) state = "incomplete";
      else if (chunk.data.length !== expected) state = "wrong";
      else hash.update(chunk.data);
    }
  }
  return state === "right" && hash.digest("hex") !== digest ? "wrong" : state;
}

/**
 * Reads and verifies a blob. `into`: a buffer for its bytes, where they fit. Throws BusError where the bus fails; everything wrong with
 * the blob is a value.
 */
export async function getBlob(
  bus: Bus,
  place: BlobPlace,
  digest: string,
  options: { readonly maxBytes?: number; readonly into?: Bytes } = {},
): Promise<BlobReading> {
  const maxBytes = options.maxBytes ?? defaultMaxBlobBytes;
  const header = await bus.getMessage(place.stream, place.subjectOf(digest, headerNumber));
  if (header === null) return { kind: "missing" };
  const size = sizeIn(header);
  if (size === undefined) return { kind: "corrupt", message: `The header of blob ${digest} cannot be read.` };
  if (size > maxBytes) return { kind: "too-large", bytes: size, maxBytes };

  const { into } = options;
  const bytes = into !== undefined && into.length >= size ? into.subarray(0, size) : new Uint8Array(size);
  let wrong: BlobReading | undefined;
  await inWindow(chunkCount(size), async (index) => {
    const n = index + 1;
    const chunk = await bus.getMessage(place.stream, place.subjectOf(digest, n));
    const expected = Math.min(chunkBytes, size - index * chunkBytes);
    if (chunk === null) wrong ??= { kind: "incomplete", n };
    else if (chunk.data.length !== expected) {
      const message = `Chunk ${n} of blob ${digest} has ${chunk.data.length} bytes instead of ${expected}.`;
      wrong ??= { kind: "corrupt", message };
    } else bytes.set(chunk.data, index * chunkBytes);
    return wrong === undefined;
  });
  if (wrong !== undefined) return wrong;
  const found = digestOf(bytes);
  if (found !== digest) {
    return { kind: "corrupt", message: `The bytes stored as ${digest} have the digest ${found}.` };
  }
  return { kind: "read", bytes };
}

/**
 * What is stored under a digest, piece by piece and in order, unverified: who takes it in verifies. Where something is not there, or not
 * as long as it should be, `onFault` hears it and no more comes. Throws BusError.
 */
export async function* readPieces(
  bus: Bus,
  place: BlobPlace,
  digest: string,
  onFault: (kind: "missing" | "incomplete" | "corrupt") => void,
): AsyncIterable<Bytes> {
  const header = await bus.getMessage(place.stream, place.subjectOf(digest, headerNumber));
  const size = header === null ? undefined : sizeIn(header);
  if (size === undefined) return onFault(header === null ? "missing" : "corrupt");
  const count = chunkCount(size);
  for (let first = 0; first < count; first += windowChunks) {
    const asked = Array.from({ length: Math.min(windowChunks, count - first) }, (_, index) =>
      bus.getMessage(place.stream, place.subjectOf(digest, first + index + 1)),
    );
    for (const [index, chunk] of (await Promise.all(asked)).entries()) {
      const expected = Math.min(chunkBytes, size - (first + index) * chunkBytes);
      if (chunk?.data.length !== expected) return onFault(chunk === null ? "incomplete" : "corrupt");
      yield chunk.data;
    }
  }
}

/** Runs `work` for 0..count-1, some at a time, and starts no more once one returned false or threw. */
async function inWindow(count: number, work: (index: number) => Promise<boolean>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      let go = false;
      try {
        go = await work(next++);
      } finally {
        if (!go) next = count;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(windowChunks, count) }, worker));
}

function isNew(result: AppendResult): boolean {
  if (result.kind === "wrong-sequence")
    throw new BusError("refused", "The blob stream asked for a sequence that was not given.");
  return result.kind === "appended";
}

function chunkCount(bytes: number): number {
  return Math.ceil(bytes / chunkBytes);
}

function sizeIn(header: Entry): number | undefined {
  return headerSchema.safeParse(fromBytes(header.data)).data?.bytes;
}
