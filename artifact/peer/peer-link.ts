/**
 * One connection to another machine whose certificate was found right: frames in, frames out, and every way in which it may
 * end. Both sides may ask and both may answer. Not here: what is asked (`download.ts`) and how it is answered (`upload.ts`).
 *
 * PEER-2: a connection that breaks the rules, or stands still in the middle of a frame, is closed with a reason that is told.
 */
import type { TLSSocket } from "node:tls";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { FrameReader, type BulkHead } from "./frame-reader.ts";
import { peerFault, type PeerFault } from "./peer-fault.ts";
import { peerProtocolVersion, writeMessage, type PeerMessage } from "./peer-message.ts";

/** From the handshake to the first frame, and from the first byte of a frame without a chunk to its last, ms. */
const frameMs = 5_000;
/** Within a frame that carries a chunk, without a byte, ms. */
const betweenBytesMs = 5_000;
/** Of one whole frame with a chunk: slower than 17 KiB/s nobody holds a buffer of ours, ms. */
const bulkFrameMs = 60_000;
/** Without any frame in either direction, ms. */
const idleMs = 120_000;
/** What we sent waits for the other side to take it, ms. */
const takenMs = 20_000;
const lookMs = 250;
/** Messages that wait to be taken, bytes: whoever asks and does not listen is let go. */
const waitingBytesMax = 4 * bytesPerMiB;
/** Messages that wait for the end of a frame. */
const heldMax = 10_000;
/** The last frame may still leave in this time, ms. */
const farewellMs = 500;

export interface LinkHandler {
  /** Answers what is wrong with it, in some words, or null. */
  readonly message: (message: PeerMessage) => string | null;
  readonly place: (head: BulkHead) => Bytes | string;
  readonly bulk: (head: BulkHead, data: Bytes) => void;
  readonly closed: (fault: PeerFault) => void;
}

/** What may go is asked for piece by piece. */
export interface FramePace {
  readonly pieceBytes: number;
  readonly take: (bytes: number) => Promise<void>;
}

export interface LinkOptions {
  /** Whom the certificate names. */
  readonly peer: string;
  readonly socket: TLSSocket;
  readonly clock: Clock;
  readonly reader: LinkReader;
}

/** The reader of a connection, made before it so that bytes may come straight into their place. */
export class LinkReader {
  /** Set once there is a link; before it nothing may come. */
  handler: LinkHandler | null = null;
  readonly frames: FrameReader;
  /** Of all frames, bytes. */
  received = 0;
  onBytes: () => void = () => {};

  constructor() {
    this.frames = new FrameReader({
      message: (message) => this.handler?.message(message) ?? null,
      place: (head) => this.handler?.place(head) ?? "bytes that nobody asked for",
      bulk: (head, data) => this.handler?.bulk(head, data),
    });
  }

  /** So many bytes lie in `frames.room`. */
  took(bytes: number): void {
    this.received += bytes;
    this.frames.took(bytes);
    this.onBytes();
  }

  feed(bytes: Bytes): void {
    this.received += bytes.length;
    this.frames.feed(bytes);
    this.onBytes();
  }
}

export class PeerLink {
  readonly peer: string;
  readonly #socket: TLSSocket;
  readonly #clock: Clock;
  readonly #reader: LinkReader;
  readonly #since: { frame: number | null; byte: number; frameOut: number };
  #wasReceived = 0;
  #wasEnded = 0;
  #settle: (() => void) | null = null;
  #isGreeted = false;
  #lastId = 0;
  #pingedAt = 0;
  #rttMs: number | null = null;
  #handlers: LinkHandler[] = [];
  #fault: PeerFault | null = null;
  #told: string | null = null;
  #writing: { readonly since: number } | null = null;
  #stopLooking: () => void;
  /** Between two pieces of a frame, where no other may begin. */
  #isMidFrame = false;
  readonly #held: Bytes[] = [];
  #lastBulk: Promise<void> = Promise.resolve();

  constructor({ clock, peer, reader, socket }: LinkOptions) {
    this.peer = peer;
    this.#socket = socket;
    this.#clock = clock;
    this.#reader = reader;
    const now = clock.monotonic();
    this.#since = { frame: null, byte: now, frameOut: now };
    reader.handler = {
      message: (message) => this.#message(message),
      place: (head) => this.#place(head),
      bulk: (head, data) => {
        for (const handler of this.#handlers) handler.bulk(head, data);
      },
      closed: () => {},
    };
    reader.onBytes = () => this.#bytesCame();
    socket.on("close", () => this.#ended(peerFault("closed", this.#told ?? "it closed the connection")));
    socket.on("error", (error: Error) =>
      this.#ended(peerFault("closed", `the connection broke: ${error.message}`)),
    );
    this.#stopLooking = clock.setTimer(lookMs, () => this.#look());
    this.send({ kind: "hello", version: peerProtocolVersion });
  }

  /** Null while it is open. */
  get fault(): PeerFault | null {
    return this.#fault;
  }

  /** Bytes that came, and those of them that were of nodes and chunks. */
  get received(): { readonly all: number; readonly bulk: number } {
    return { all: this.#reader.received, bulk: this.#reader.frames.bulkBytes };
  }

  /** There and back; null while it was not measured. */
  get rttMs(): number | null {
    return this.#rttMs;
  }

  /** For a question on this link. */
  nextId(): number {
    this.#lastId = (this.#lastId + 1) % 2 ** 32;
    return this.#lastId;
  }

  /** Resolves when both have greeted each other and nothing more is on its way from that, or at its end. */
  settled(): Promise<void> {
    if (this.#rttMs !== null || this.#fault !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** What comes is offered to each; at the end each hears of it once. */
  attach(handler: LinkHandler): () => void {
    if (this.#fault !== null) handler.closed(this.#fault);
    else this.#handlers = [...this.#handlers, handler];
    return () => {
      this.#handlers = this.#handlers.filter((one) => one !== handler);
    };
  }

  send(message: PeerMessage): void {
    if (this.#fault !== null) return;
    const frame = writeMessage(message);
    if (this.#isMidFrame) this.#held.push(frame);
    else this.#write(frame, () => {});
    if (this.#socket.writableLength > waitingBytesMax || this.#held.length > heldMax)
      this.close(peerFault("stalled", "it asks and takes no answers"));
  }

  /**
   * A frame with a node or chunk, piece by piece where `pace` lets only so much go; one after the other. Resolves when its bytes
   * may be changed again, also where the link has ended.
   */
  sendBulk(frame: Bytes, pace: FramePace | null): Promise<void> {
    const sent = this.#lastBulk.then(() => this.#sendPieces(frame, pace));
    this.#lastBulk = sent;
    return sent;
  }

  async #sendPieces(frame: Bytes, pace: FramePace | null): Promise<void> {
    if (pace === null) return this.#sendPiece(frame);
    this.#isMidFrame = true;
    for (let at = 0; at < frame.length && this.#fault === null; at += pace.pieceBytes) {
      const piece = frame.subarray(at, at + pace.pieceBytes);
      await pace.take(piece.length);
      await this.#sendPiece(piece);
    }
    this.#isMidFrame = false;
    for (const held of this.#held.splice(0)) if (this.#fault === null) this.#write(held, () => {});
  }

  #sendPiece(bytes: Bytes): Promise<void> {
    if (this.#fault !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#write(bytes, resolve);
    });
  }

  /** No more is read until `resume`: whoever takes has no room. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#since.byte = this.#clock.monotonic();
    this.#socket.resume();
  }

  /** Tells the other side why, and ends. */
  close(fault: PeerFault): void {
    if (this.#fault !== null) return;
    // In the middle of a frame nobody would take it for one.
    if (fault.code !== "closed" && !this.#isMidFrame)
      this.#socket.write(writeMessage({ kind: "closing", reason: fault.message }));
    this.#ended(fault);
  }

  /** The bare connection, for whatever follows; the link is over then, and tells the other side nothing. */
  takeSocket(): TLSSocket {
    this.#reader.onBytes = () => {};
    for (const event of ["close", "data", "error"]) this.#socket.removeAllListeners(event);
    this.#over(peerFault("done", "it carries something else"));
    return this.#socket;
  }

  #write(bytes: Bytes, done: () => void): void {
    this.#since.frameOut = this.#clock.monotonic();
    this.#writing ??= { since: this.#since.frameOut };
    this.#socket.write(bytes, () => {
      this.#writing = this.#socket.writableLength === 0 ? null : { since: this.#clock.monotonic() };
      done();
    });
  }

  #message(message: PeerMessage): string | null {
    if (!this.#isGreeted) return this.#greet(message);
    switch (message.kind) {
      case "hello":
        return "a second greeting";
      case "closing":
        this.#told = `it closed the connection: ${message.reason}`;
        this.#ended(peerFault("closed", this.#told));
        return null;
      case "ping":
        this.send({ kind: "pong", id: message.id });
        return null;
      case "pong":
        this.#rttMs ??= this.#clock.monotonic() - this.#pingedAt;
        this.#settle?.();
        return null;
      default:
        for (const handler of this.#handlers) {
          const fault = handler.message(message);
          if (fault !== null) return fault;
        }
        return null;
    }
  }

  #greet(message: PeerMessage): string | null {
    if (message.kind === "closing") {
      this.#told = `it closed the connection: ${message.reason}`;
      this.#ended(peerFault("closed", this.#told));
      return null;
    }
    if (message.kind !== "hello") return `a frame "${message.kind}" before its greeting`;
    if (message.version !== peerProtocolVersion) {
      const versions = `version ${message.version} of the transfer protocol, and this machine version ${peerProtocolVersion}`;
      this.close(peerFault("other-version", `it speaks ${versions}; the older trialmesh has to be upgraded`));
      return null;
    }
    this.#isGreeted = true;
    this.#pingedAt = this.#clock.monotonic();
    this.send({ kind: "ping", id: 0 });
    return null;
  }

  #place(head: BulkHead): Bytes | string {
    if (!this.#isGreeted) return `a frame "${head.kind}" before its greeting`;
    for (const handler of this.#handlers) {
      const into = handler.place(head);
      if (into !== notMine) return into;
    }
    return notMine;
  }

  #bytesCame(): void {
    const { fault } = this.#reader.frames;
    if (fault === null) return;
    this.close(peerFault(fault === notMine ? "not-asked" : "malformed", `it sent ${fault}`));
  }

  /** A few times a second, not at each byte: what takes too long. */
  #look(): void {
    if (this.#fault !== null) return;
    this.#stopLooking = this.#clock.setTimer(lookMs, () => this.#look());
    const now = this.#clock.monotonic();
    const { frames, received } = this.#reader;
    if (received !== this.#wasReceived || this.#socket.isPaused()) this.#since.byte = now;
    if (!frames.isWithin || this.#socket.isPaused()) this.#since.frame = null;
    else if (this.#since.frame === null || frames.ended !== this.#wasEnded) this.#since.frame = now;
    this.#wasReceived = received;
    this.#wasEnded = frames.ended;
    const fault = this.#lateness(now);
    if (fault !== null) this.close(fault);
  }

  #lateness(now: number): PeerFault | null {
    const { byte, frame, frameOut } = this.#since;
    const inFrame = frame === null ? 0 : now - frame;
    const isChunk = this.#reader.frames.isWithinBulk;
    if (!this.#isGreeted && now - byte > frameMs) return peerFault("stalled", "it did not greet");
    if (inFrame > (isChunk ? bulkFrameMs : frameMs))
      return peerFault("stalled", `it did not end a frame within ${Math.round(inFrame / 1_000)} s`);
    if (frame !== null && now - byte > betweenBytesMs)
      return peerFault("stalled", `it sent no byte for ${betweenBytesMs / 1_000} s in the middle of a frame`);
    if (this.#writing !== null && now - this.#writing.since > takenMs)
      return peerFault("stalled", `it took nothing of what it asked for in ${takenMs / 1_000} s`);
    if (now - Math.max(byte, frameOut) > idleMs)
      return peerFault("idle", `nothing was said for ${idleMs / 1_000} s`);
    return null;
  }

  #ended(fault: PeerFault): void {
    if (this.#fault !== null) return;
    this.#socket.end();
    const farewell = this.#clock.setTimer(farewellMs, () => this.#socket.destroy());
    this.#socket.once("close", farewell);
    this.#over(fault);
  }

  #over(fault: PeerFault): void {
    this.#fault = fault;
    this.#stopLooking();
    this.#settle?.();
    const handlers = this.#handlers;
    this.#handlers = [];
    for (const handler of handlers) handler.closed(fault);
  }
}

/** What a handler says of bytes that it did not ask for. */
export const notMine = "bytes that nobody asked for";
