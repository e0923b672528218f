/**
 * One machine that an artifact is received from: what it is asked, what it owes, how quick it is. Every chunk is verified here
 * before anybody else sees it. Not here: who is asked for what (`chunk-plan.ts`, `download.ts`).
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { chunksOf, type ChunkRange } from "./chunk-range.ts";
import { rangesOfAsk, type ChunkAsk, type ChunkPlan } from "./chunk-plan.ts";
import type { BulkHead } from "./frame-reader.ts";
import { peerFault, type PeerFault } from "./peer-fault.ts";
import { notMine, type PeerLink } from "./peer-link.ts";
import { Silence } from "./peer-pace.ts";
import type { PeerMessage, PeerRefusal } from "./peer-message.ts";

/** The rate counts what came in about this time, ms. */
const rateMs = 2_000;

export interface PeerEvents {
  readonly bytesOf: (index: number) => number;
  /** Room for the bytes of a chunk. */
  readonly takeBuffer: (bytes: number) => Bytes;
  readonly giveBuffer: (data: Bytes) => void;
  /** A chunk that was wanted has come, not yet verified. */
  readonly came: (peer: DownloadPeer, index: number, data: Bytes) => void;
  /** Something may be asked now that could not before. */
  readonly changed: () => void;
  readonly ended: (peer: DownloadPeer, fault: PeerFault) => void;
}

export class DownloadPeer {
  readonly link: PeerLink;
  readonly #plan: ChunkPlan;
  readonly #artifact: Digest;
  readonly #events: PeerEvents;
  readonly #asks = new Map<number, ChunkAsk>();
  readonly #cancelled = new Set<number>();
  readonly #watchId: number;
  readonly #now: () => number;
  #detach: () => void = () => {};
  #isRetired = false;
  /** The room that a chunk is coming into. */
  #filling: Bytes | null = null;
  #refusals = 0;
  #busyUntil = -Infinity;
  readonly #silence = new Silence();
  /** Bytes a millisecond, of late; 0 where nothing came yet. */
  #rate = 0;
  #counted: { at: number; bytes: number } | null = null;
  /** Of chunks that were right. */
  rightBytes = 0;
  /** Of chunks that came although another had sent them by then. */
  spareBytes = 0;

  constructor(link: PeerLink, artifact: Digest, plan: ChunkPlan, events: PeerEvents, now: () => number) {
    this.link = link;
    this.#artifact = artifact;
    this.#plan = plan;
    this.#events = events;
    this.#now = now;
    this.#watchId = link.nextId();
    plan.add(this.name);
    this.#detach = link.attach({
      message: (message) => this.#message(message),
      place: (head) => this.#place(head),
      bulk: (head, data) => this.#bulk(head, data),
      closed: (fault) => this.#ended(fault),
    });
    link.send({ kind: "watch", id: this.#watchId, artifact });
  }

  get name(): string {
    return this.link.peer;
  }

  /** Chunks that it was asked for and has not sent. */
  get owed(): number {
    let owed = 0;
    for (const ask of this.#asks.values()) owed += ask.coming?.size ?? ask.most;
    return owed;
  }

  get asks(): number {
    return this.#asks.size;
  }

  /** Bytes a second; 0 where nothing came yet. */
  get bytesPerSecond(): number {
    return this.#rate * 1_000;
  }

  get isBusy(): boolean {
    return this.#now() < this.#busyUntil;
  }

  /** Since the oldest of its questions, ms. */
  get waitedMs(): number {
    return Math.max(0, ...[...this.#asks.values()].map((ask) => this.#now() - ask.at));
  }

  /** What is wrong where it owes chunks and sends none. */
  stalled(isPaused: boolean): PeerFault | null {
    return this.#silence.look(this.link.received, this.#now(), this.#asks.size === 0 || isPaused);
  }

  ask(ask: ChunkAsk): void {
    const id = this.link.nextId();
    if (this.#asks.size === 0) this.#counted = null;
    this.#asks.set(id, ask);
    this.link.send({ kind: "ask", id, artifact: this.#artifact, most: ask.most, ranges: rangesOfAsk(ask) });
  }

  /** Another has sent it. */
  cancel(ask: ChunkAsk): void {
    for (const [id, asked] of this.#asks) {
      if (asked !== ask || this.#cancelled.has(id)) continue;
      this.#cancelled.add(id);
      this.link.send({ kind: "cancel", id });
    }
  }

  /** Nothing more is asked; what is on its way is still taken, so that the link stays right for others. */
  retire(): void {
    this.#isRetired = true;
    this.link.send({ kind: "cancel", id: this.#watchId });
    for (const ask of this.#asks.values()) this.cancel(ask);
    if (this.#asks.size === 0) this.#detach();
  }

  #message(message: PeerMessage): string | null {
    switch (message.kind) {
      case "holds":
        if (message.id !== this.#watchId || this.#isRetired) return null;
        return this.#learn(message.ranges);
      case "chosen": {
        const ask = this.#asks.get(message.id);
        if (ask === undefined) return null;
        if (!this.#plan.choose(ask, [...chunksOf(message.ranges)])) return "chunks that nobody asked for";
        this.#events.changed();
        return null;
      }
      case "refused":
        this.#refused(message.id, message.reason, message.waitMs);
        return null;
      default:
        return null;
    }
  }

  #learn(ranges: readonly ChunkRange[]): string | null {
    if (!this.#plan.learn(this.name, ranges)) return "word of chunks that the artifact does not have";
    this.#events.changed();
    return null;
  }

  #refused(id: number, reason: PeerRefusal, waitMs: number): void {
    if (id === this.#watchId) {
      this.#events.ended(this, peerFault("done", "it has nothing of it"));
      return;
    }
    const ask = this.#asks.get(id);
    if (ask === undefined) return;
    this.#over(id, ask);
    if (reason === "busy") this.#busyUntil = this.#now() + Math.min(waitMs, 5_000);
    const isGone = reason === "not-here" || reason === "unreadable";
    if (isGone || reason === "not-allowed") this.#plan.unlearn(this.name, ask.coming ?? ask.candidates);
    // Whoever says that it holds chunks and never gives one is asked no more.
    this.#refusals = reason === "cancelled" || reason === "busy" ? this.#refusals : this.#refusals + 1;
    const isOfNoUse = isGone && this.#asks.size === 0 && !this.#plan.isUseful(this.name);
    // What it said it held it may yet have, elsewhere or a moment later: it is asked anew after a while what it holds.
    if (reason === "not-allowed" || this.#refusals > refusalsMax || isOfNoUse)
      this.#events.ended(this, peerFault("done", `it does not give it (${reason})`));
    else this.#events.changed();
  }

  #place({ bytes, id, index, kind }: BulkHead): Bytes | string {
    const ask = this.#asks.get(id);
    if (ask === undefined || kind !== "chunk") return notMine;
    if (ask.coming?.has(index) !== true) return notMine;
    const right = this.#events.bytesOf(index);
    if (bytes !== right) return `${bytes} bytes for chunk ${index}, which has ${right}`;
    if (!this.#isWanted(index)) return scratch.subarray(0, bytes);
    this.#filling = this.#events.takeBuffer(bytes);
    return this.#filling;
  }

  #bulk({ id, index, kind }: BulkHead, data: Bytes): void {
    const ask = this.#asks.get(id);
    if (ask === undefined || kind !== "chunk") return;
    this.#filling = null;
    this.#plan.arrive(ask, index);
    if (ask.coming?.size === 0) this.#over(id, ask);
    this.#measure(data.length);
    if (data.buffer === scratch.buffer) {
      this.spareBytes += data.length;
      this.#events.changed();
    } else this.#events.came(this, index, data);
  }

  #isWanted(index: number): boolean {
    return !this.#isRetired && !this.#plan.isKept(index);
  }

  #over(id: number, ask: ChunkAsk): void {
    this.#plan.end(ask);
    this.#asks.delete(id);
    this.#cancelled.delete(id);
    if (this.#isRetired && this.#asks.size === 0) this.#detach();
  }

  #measure(bytes: number): void {
    const now = this.#now();
    const counted = (this.#counted ??= { at: now, bytes: 0 });
    counted.bytes += bytes;
    const ms = now - counted.at;
    if (ms < rateMs / 10) return;
    const rate = counted.bytes / ms;
    const weight = this.#rate === 0 ? 1 : Math.min(1, ms / rateMs);
    this.#rate += weight * (rate - this.#rate);
    this.#counted = { at: now, bytes: 0 };
  }

  #ended(fault: PeerFault): void {
    this.#asks.clear();
    if (this.#filling !== null) this.#events.giveBuffer(this.#filling);
    this.#filling = null;
    this.#events.ended(this, fault);
  }
}

/** Refusals after which one is asked no more. */
const refusalsMax = 8;
/** Where bytes go that nobody wants any more. */
const scratch: Bytes = new Uint8Array(chunkBytesMax);
