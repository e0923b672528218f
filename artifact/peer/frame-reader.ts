/**
 * Cuts what comes from a peer into frames, in whatever pieces it comes. It says where the next bytes are to be put, so that a
 * chunk lies in its own buffer without being copied. It never throws on what it is given and takes no memory but one small
 * buffer. Not here: sockets, and what a message means.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import {
  bulkHeadBytes,
  frameHeadBytes,
  messageBodyBytesMax,
  readFrameHead,
  readMessage,
  type BulkKind,
  type PeerMessage,
  type PeerMessageKind,
} from "./peer-message.ts";

/** Bytes of a node or chunk are about to come. */
export interface BulkHead {
  readonly kind: BulkKind;
  readonly id: number;
  readonly index: number;
  readonly bytes: number;
}

export interface FrameTaker {
  /** May answer what is wrong with it, in some words. */
  message(message: PeerMessage): string | null;
  /** Where the bytes are to be put, exactly so many; or what is wrong with them, in some words. */
  place(head: BulkHead): Bytes | string;
  /** They are all there, in what `place` gave. */
  bulk(head: BulkHead, data: Bytes): void;
}

type Reading =
  | { readonly part: "head" }
  | { readonly part: "bulk-head"; readonly kind: BulkKind; readonly bytes: number }
  | { readonly part: "body"; readonly kind: PeerMessageKind }
  | { readonly part: "bulk"; readonly head: BulkHead };

export class FrameReader {
  readonly #taker: FrameTaker;
  readonly #small: Bytes = new Uint8Array(messageBodyBytesMax);
  #reading: Reading = { part: "head" };
  #into: Bytes;
  #filled = 0;
  #fault: string | null = null;
  #ended = 0;
  #bulkBytes = 0;

  constructor(taker: FrameTaker) {
    this.#taker = taker;
    this.#into = this.#small.subarray(0, frameHeadBytes);
  }

  /** What is wrong with what came, in some words; nothing is read any more then. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Whether a frame has begun and not ended. */
  get isWithin(): boolean {
    return this.#filled > 0 || this.#reading.part !== "head";
  }

  /** Frames that came whole. */
  get ended(): number {
    return this.#ended;
  }

  /** Of nodes and chunks, so far, also of such as are not whole. */
  get bulkBytes(): number {
    return this.#bulkBytes;
  }

  get isWithinBulk(): boolean {
    return this.#reading.part === "bulk";
  }

  /** Where the next bytes go; never empty. */
  get room(): Bytes {
    return this.#fault === null ? this.#into.subarray(this.#filled) : this.#small;
  }

  /** So many bytes were put into `room`. */
  took(bytes: number): void {
    if (this.#fault !== null) return;
    this.#filled += bytes;
    if (this.#reading.part === "bulk") this.#bulkBytes += bytes;
    // An empty body, or a chunk of no bytes, is there as soon as its head is.
    while (this.#fault === null && this.#filled === this.#into.length) this.#step();
  }

  /** The same for bytes that already lie elsewhere. */
  feed(bytes: Bytes): void {
    for (let at = 0; at < bytes.length && this.#fault === null;) {
      const { room } = this;
      const part = bytes.subarray(at, at + room.length);
      room.set(part);
      this.took(part.length);
      at += part.length;
    }
  }

  #step(): void {
    const { part } = this.#reading;
    const full = this.#into;
    this.#filled = 0;
    if (part === "head") return this.#takeHead(full);
    if (part === "bulk-head") return this.#takeBulkHead(full, this.#reading.kind, this.#reading.bytes);
    const done = this.#reading;
    this.#ended++;
    this.#expect({ part: "head" }, this.#small.subarray(0, frameHeadBytes));
    if (done.part === "bulk") return this.#taker.bulk(done.head, full);
    if (done.part !== "body") return;
    const message = readMessage(done.kind, full);
    this.#fault =
      message === null
        ? `a frame "${done.kind}" with a field that is out of range`
        : this.#taker.message(message);
  }

  #takeHead(full: Bytes): void {
    const head = readFrameHead(full);
    if (typeof head === "string") this.#fault = head;
    else if (head.kind === "node" || head.kind === "chunk")
      this.#expect(
        { part: "bulk-head", kind: head.kind, bytes: head.bytes - bulkHeadBytes },
        this.#small.subarray(0, bulkHeadBytes),
      );
    else this.#expect({ part: "body", kind: head.kind }, this.#small.subarray(0, head.bytes));
  }

  #takeBulkHead(full: Bytes, kind: BulkKind, bytes: number): void {
    const view = new DataView(full.buffer, full.byteOffset, full.byteLength);
    const head = { kind, id: view.getUint32(0), index: view.getUint32(4), bytes };
    const into = this.#taker.place(head);
    if (typeof into === "string") this.#fault = into;
    else if (into.length !== bytes) throw new Error(`${into.length} bytes of room for ${bytes}`);
    else this.#expect({ part: "bulk", head }, into);
  }

  #expect(reading: Reading, into: Bytes): void {
    this.#reading = reading;
    this.#into = into;
  }
}
