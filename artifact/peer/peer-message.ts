/**
 * What two machines say to each other about artifacts, and how it lies in bytes. A frame: 4 bytes of length (of its body,
 * big-endian), 1 of its kind, then the body. Pure; not here: the bytes of chunks on their way (`frame-reader.ts`), sockets.
 *
 * PEER-1: every field has a bound that is held before memory is taken for it, and any bytes at all are a message or a fault.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { chunkIndexMax, countOf, type ChunkRange } from "./chunk-range.ts";

/** The first frame of each side says it; a frame of this one kind looks the same in every version. */
export const peerProtocolVersion = 1;
export const frameHeadBytes = 5;
/** Of a frame with the bytes of a node or chunk: request and index, before those bytes. */
export const bulkHeadBytes = 8;
/** Chunks that one question may ask to be sent. */
export const askedChunksMax = 64;
/** Ranges in one frame. */
export const rangesMax = 256;
/** Chunks among which one question lets the other side choose. */
export const candidateChunksMax = 4_096;
/** UTF-8, of a sentence that tells why a connection is closed. */
const reasonBytesMax = 400;
/** UTF-8, of the name of a machine. */
const nameBytesMax = 200;
const digestBytes = 32;
/** So many nobody guesses. */
export const tokenBytes = 16;
const rangeBytes = 8;
/** Any whole number that Node writes in one go. */
const fenceBytes = 6;
const helloMark = new TextEncoder().encode("tm-peer\n");

/** Why a question is not answered: too much to do now; not held here; not for you; taken back; it cannot be read here. */
export const refusalReasons = ["busy", "not-here", "not-allowed", "cancelled", "unreadable"] as const;
export type PeerRefusal = (typeof refusalReasons)[number];

export type PeerMessage =
  | { readonly kind: "hello"; readonly version: number }
  /** The last frame: why the connection is closed, in a sentence. */
  | { readonly kind: "closing"; readonly reason: string }
  /** Asks what is held of an artifact, now (`holds`) and whenever it becomes more. */
  | { readonly kind: "watch"; readonly id: number; readonly artifact: Digest }
  | { readonly kind: "holds"; readonly id: number; readonly ranges: readonly ChunkRange[] }
  /** Asks for a node of an artifact, or for the only chunk of a small one, by its digest. */
  | { readonly kind: "get"; readonly id: number; readonly artifact: Digest; readonly node: Digest }
  /** Asks for `most` of these chunks: whichever the other side has sent least often. */
  | {
      readonly kind: "ask";
      readonly id: number;
      readonly artifact: Digest;
      readonly most: number;
      readonly ranges: readonly ChunkRange[];
    }
  /** Which of them will come, in the order in which they will. */
  | { readonly kind: "chosen"; readonly id: number; readonly ranges: readonly ChunkRange[] }
  | {
      readonly kind: "refused";
      readonly id: number;
      readonly reason: PeerRefusal;
      /** Asked again no sooner. */
      readonly waitMs: number;
    }
  /** No more of this `ask` is wanted, or nothing more of what this `watch` asked to be told. */
  | { readonly kind: "cancel"; readonly id: number }
  /** Asks whether the other side is there; answered with the same number. */
  | { readonly kind: "ping"; readonly id: number }
  | { readonly kind: "pong"; readonly id: number }
  /** Asks for a way to a third machine; after `connected` what follows on this connection goes there as it is. */
  | { readonly kind: "connect"; readonly name: string }
  | { readonly kind: "connected" }
  /** Somebody wants a way to you: connect to me and answer with this token; what follows there is theirs. */
  | { readonly kind: "called"; readonly token: string }
  | { readonly kind: "answer"; readonly token: string }
  /** Asks for the replica of that fence; after `connected` what follows on this connection is between it and whoever asked. */
  | { readonly kind: "join"; readonly fence: number };

export type PeerMessageKind = PeerMessage["kind"];
/** The two kinds of frames that carry bytes: of a node (index 0), or of a chunk. */
export type BulkKind = "node" | "chunk";

const kinds: readonly (PeerMessageKind | BulkKind)[] = [
  ...(["hello", "closing", "watch", "holds", "get", "ask", "chosen", "refused", "cancel"] as const),
  ...(["ping", "pong", "connect", "connected", "node", "chunk"] as const),
  ...(["called", "answer", "join"] as const),
];

/** The least and the most bytes in the body of each. */
const bodyBytes: Readonly<Record<PeerMessageKind | BulkKind, readonly [least: number, most: number]>> = {
  hello: [helloMark.length + 2, helloMark.length + 2],
  closing: [0, reasonBytesMax],
  watch: [4 + digestBytes, 4 + digestBytes],
  holds: [4, 4 + rangesMax * rangeBytes],
  get: [4 + 2 * digestBytes, 4 + 2 * digestBytes],
  ask: [4 + digestBytes + 2 + rangeBytes, 4 + digestBytes + 2 + rangesMax * rangeBytes],
  chosen: [4 + rangeBytes, 4 + askedChunksMax * rangeBytes],
  refused: [9, 9],
  cancel: [4, 4],
  ping: [4, 4],
  pong: [4, 4],
  connect: [1, nameBytesMax],
  connected: [0, 0],
  called: [tokenBytes, tokenBytes],
  answer: [tokenBytes, tokenBytes],
  join: [fenceBytes, fenceBytes],
  node: [bulkHeadBytes, bulkHeadBytes + chunkBytesMax],
  chunk: [bulkHeadBytes, bulkHeadBytes + chunkBytesMax],
};

/** Of the body of a message that carries no chunk. */
export const messageBodyBytesMax = Math.max(
  ...kinds.map((kind) => (kind === "node" || kind === "chunk" ? 0 : bodyBytes[kind][1])),
);

/** What the head of a frame says, or why it can be none, in some words. */
export function readFrameHead(
  head: Bytes,
): { readonly kind: PeerMessageKind | BulkKind; readonly bytes: number } | string {
  const view = viewOf(head);
  const bytes = view.getUint32(0);
  const kind = kinds[view.getUint8(4) - 1];
  if (kind === undefined) return `a frame of the unknown kind ${view.getUint8(4)}`;
  const [least, most] = bodyBytes[kind];
  if (bytes > most) return `a frame "${kind}" of ${bytes} bytes, where ${most} are the most`;
  if (bytes < least) return `a frame "${kind}" of ${bytes} bytes, where ${least} are the least`;
  return { kind, bytes };
}

/** Head of a frame with bytes of a node or chunk, of which `length` follow; into the start of `into`. */
export function writeBulkHead(into: Bytes, kind: BulkKind, id: number, index: number, length: number): void {
  const view = viewOf(into);
  view.setUint32(0, bulkHeadBytes + length);
  view.setUint8(4, kinds.indexOf(kind) + 1);
  view.setUint32(frameHeadBytes, id);
  view.setUint32(frameHeadBytes + 4, index);
}

/** The whole frame. Throws RangeError where a field is beyond its bound: a mistake of ours. */
export function writeMessage(message: PeerMessage): Bytes {
  const body = bodyOf(message);
  const [least, most] = bodyBytes[message.kind];
  if (body.length < least || body.length > most)
    throw new RangeError(`a frame "${message.kind}" has ${least} to ${most} bytes, not ${body.length}`);
  const frame = Buffer.alloc(frameHeadBytes + body.length);
  frame.writeUInt32BE(body.length, 0);
  frame.writeUInt8(kinds.indexOf(message.kind) + 1, 4);
  frame.set(body, frameHeadBytes);
  return frame;
}

function bodyOf(message: PeerMessage): Bytes {
  switch (message.kind) {
    case "hello":
      return Buffer.concat([helloMark, numberOf(message.version, 2)]);
    case "closing":
      return Buffer.from(cutToBytes(message.reason, reasonBytesMax));
    case "watch":
      return Buffer.concat([numberOf(message.id), Buffer.from(message.artifact, "hex")]);
    case "get": {
      const { artifact, id, node } = message;
      return Buffer.concat([numberOf(id), Buffer.from(artifact, "hex"), Buffer.from(node, "hex")]);
    }
    case "ask": {
      const { artifact, id, most, ranges } = message;
      const head = [numberOf(id), Buffer.from(artifact, "hex"), numberOf(most, 2)];
      return Buffer.concat([...head, bytesOfRanges(ranges)]);
    }
    case "holds":
    case "chosen":
      return Buffer.concat([numberOf(message.id), bytesOfRanges(message.ranges)]);
    case "refused": {
      const reason = refusalReasons.indexOf(message.reason);
      return Buffer.concat([numberOf(message.id), numberOf(reason, 1), numberOf(message.waitMs)]);
    }
    case "cancel":
    case "ping":
    case "pong":
      return numberOf(message.id);
    case "connect":
      return Buffer.from(message.name);
    case "connected":
      return Buffer.alloc(0);
    case "called":
    case "answer":
      return Buffer.from(message.token, "hex");
    case "join":
      return numberOf(message.fence, fenceBytes);
  }
}

/** The message in a body of a length that `readFrameHead` let pass; null where it is none. */
export function readMessage(kind: PeerMessageKind, body: Bytes): PeerMessage | null {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const id = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  const digestAt = (at: number) => bytes.subarray(at, at + digestBytes).toString("hex");
  switch (kind) {
    case "hello":
      if (!helloMark.every((byte, index) => bytes[index] === byte)) return null;
      return { kind, version: bytes.readUInt16BE(helloMark.length) };
    case "closing":
      return { kind, reason: plainText(bytes) };
    case "watch":
      return { kind, id, artifact: digestAt(4) };
    case "get":
      return { kind, id, artifact: digestAt(4), node: digestAt(4 + digestBytes) };
    case "ask":
      return askIn(bytes, id, digestAt(4));
    case "holds":
    case "chosen": {
      const ranges = rangesIn(bytes.subarray(4));
      const isTooMany = kind === "chosen" && ranges !== null && countOf(ranges) > askedChunksMax;
      return ranges === null || isTooMany ? null : { kind, id, ranges };
    }
    case "refused": {
      const reason = refusalReasons[bytes.readUInt8(4)];
      return reason === undefined ? null : { kind, id, reason, waitMs: bytes.readUInt32BE(5) };
    }
    case "cancel":
    case "ping":
    case "pong":
      return { kind, id };
    case "connect":
      return { kind, name: plainText(bytes) };
    case "connected":
      return { kind };
    case "called":
    case "answer":
      return { kind, token: bytes.toString("hex") };
    case "join":
      return { kind, fence: bytes.readUIntBE(0, fenceBytes) };
  }
}

function askIn(bytes: Buffer, id: number, artifact: Digest): PeerMessage | null {
  const most = bytes.readUInt16BE(4 + digestBytes);
  const ranges = rangesIn(bytes.subarray(4 + digestBytes + 2));
  if (ranges === null || countOf(ranges) > candidateChunksMax) return null;
  return most < 1 || most > askedChunksMax ? null : { kind: "ask", id, artifact, most, ranges };
}

/** Null where one is empty, or ends beyond the last chunk that can be. */
function rangesIn(bytes: Buffer): ChunkRange[] | null {
  if (bytes.length % rangeBytes !== 0) return null;
  const ranges: ChunkRange[] = [];
  for (let at = 0; at < bytes.length; at += rangeBytes) {
    const first = bytes.readUInt32BE(at);
    const count = bytes.readUInt32BE(at + 4);
    if (count === 0 || first + count - 1 > chunkIndexMax) return null;
    ranges.push({ first, count });
  }
  return ranges;
}

function bytesOfRanges(ranges: readonly ChunkRange[]): Bytes {
  const bytes = Buffer.allocUnsafe(ranges.length * rangeBytes);
  for (const [at, { count, first }] of ranges.entries()) {
    bytes.writeUInt32BE(first, at * rangeBytes);
    bytes.writeUInt32BE(count, at * rangeBytes + 4);
  }
  return bytes;
}

function numberOf(value: number, bytes = 4): Buffer {
  const into = Buffer.alloc(bytes);
  into.writeUIntBE(value, 0, bytes);
  return into;
}

/** No more bytes than these, and no half character. */
function cutToBytes(text: string, bytesMax: number): string {
  let cut = text.slice(0, bytesMax);
  while (Buffer.byteLength(cut) > bytesMax) cut = cut.slice(0, -1);
  return cut;
}

/** Of bytes that somebody else chose: what a terminal would obey is left out. */
function plainText(bytes: Bytes): string {
  return new TextDecoder().decode(bytes).replace(/\p{C}/gu, " ");
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
