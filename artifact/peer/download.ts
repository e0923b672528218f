/**
 * Receives an artifact from several machines at once: its tree first, then chunks, each verified before it is kept and before it
 * is given to anybody. What an earlier run kept is not asked for. Not here: which chunk is asked of whom (`chunk-plan.ts`).
 *
 * FETCH-4: a machine that lies, stalls, sends what nobody asked for, or far less than the others, is dropped within one chunk and
 * told; what it owed comes from others.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { ChunkBuffers } from "./chunk-buffer.ts";
import { ChunkPlan } from "./chunk-plan.ts";
import { chunksOf } from "./chunk-range.ts";
import { DownloadPeer, type PeerEvents } from "./download-peer.ts";
import { getNode } from "./get-node.ts";
import { peerFault, type PeerFault } from "./peer-fault.ts";
import type { PeerLink } from "./peer-link.ts";
import { PeerPool, type PeerPoolOptions } from "./peer-pool.ts";
import { chunkDigest } from "../chunk-tree.ts";
import { bytesOfChunk, readTree, type ArtifactTree } from "./read-tree.ts";
import type { ArtifactDraft, DraftPlace } from "./shelf.ts";
import { askedChunks, laggards, lateAfter, nearestFirst, owedAtOnce } from "./peer-pace.ts";

/** Questions that one machine has at once: while it answers one it knows the next. */
const asksOfOne = 2;
const tickMs = 100;
/**
 * Chunks that have come and are not written yet. From the first number on nothing more is read, from the second on again: so memory is
 * bounded however quick the network and however slow the disk, to these and one that is coming on each connection.
 */
const waitingMax = 14;
const waitingLow = 7;
/** While the tree is asked for, ms. */
const pollMs = 10;
/** Without an answer the next machine is asked for the same node, ms. */
const nextNodeMs = 500;
const defaultGiveUpMs = 30_000;

export interface DownloadOptions extends Omit<PeerPoolOptions, "artifact"> {
  readonly place: DraftPlace;
  /** Larger ones are refused before anything of them is taken. */
  readonly bytesMax: number;
  /** With nobody to have it from, ms. */
  readonly giveUpMs?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface Progress {
  readonly chunks: number;
  readonly keptChunks: number;
  readonly bytes: number;
  readonly peers: number;
}

export interface Received {
  readonly bytes: number;
  /** Bytes of right chunks, by machine. */
  readonly from: ReadonlyMap<string, number>;
  /** Chunks that came twice, bytes. */
  readonly spareBytes: number;
  readonly dropped: readonly { readonly peer: string; readonly fault: PeerFault }[];
}

/** Refuses where nobody has it, it is too large, or the disk cannot take it; what was kept then stays for another time. */
export async function receiveArtifact(
  artifact: Digest,
  options: DownloadOptions,
): Promise<Outcome<Received>> {
  const pool = new PeerPool({ ...options, artifact });
  const download = new Download(artifact, options, pool);
  try {
    pool.start((link) => download.join(link));
    return await download.run();
  } finally {
    pool.stop();
  }
}

class Download {
  readonly #artifact: Digest;
  readonly #options: DownloadOptions;
  readonly #pool: PeerPool;
  readonly #buffers = new ChunkBuffers();
  readonly #peers = new Map<string, DownloadPeer>();
  /** Who gave each node; an artifact of one chunk is its own. */
  readonly #givers = new Map<Digest, string>();
  readonly #from = new Map<string, number>();
  readonly #dropped: { readonly peer: string; readonly fault: PeerFault }[] = [];
  readonly #nothingAt = new Map<string, number>();
  #spareBytes = 0;
  #begun: { readonly tree: ArtifactTree; readonly plan: ChunkPlan; readonly draft: ArtifactDraft } | null =
    null;
  #written = 0;
  #waiting = 0;
  #isPaused = false;
  #end: ((outcome: Outcome<null>) => void) | null = null;

  constructor(artifact: Digest, options: DownloadOptions, pool: PeerPool) {
    this.#artifact = artifact;
    this.#options = options;
    this.#pool = pool;
  }

  async run(): Promise<Outcome<Received>> {
    const { bytesMax, place } = this.#options;
    const tree = await readTree(this.#artifact, (node) => this.#node(node), bytesMax);
    if (!tree.ok) return tree;
    const { bytes, chunks, nodes, only } = tree.value;
    const draft = await place.begin(this.#artifact, bytes, nodes);
    if (!draft.ok) return draft;
    const plan = new ChunkPlan(chunks, this.#options.random);
    for (const index of chunksOf(draft.value.held())) plan.keep(index);
    this.#written = plan.keptCount;
    this.#begun = { tree: tree.value, plan, draft: draft.value };
    try {
      if (only !== null && !plan.isWhole) {
        await draft.value.give(0, only);
        const giver = this.#givers.get(this.#artifact);
        if (giver !== undefined) this.#from.set(giver, bytes);
      }
      const ended = only === null && !plan.isWhole ? await this.#chunks() : accept(null);
      if (!ended.ok) return ended;
      await draft.value.finish();
      return accept({ bytes, from: this.#from, spareBytes: this.#spareBytes, dropped: this.#dropped });
    } catch (error) {
      return this.#unkept(error);
    } finally {
      this.#end = null;
      for (const peer of [...this.#peers.values()]) this.#retire(peer);
      await draft.value.close();
    }
  }

  /** A machine is connected. */
  join(link: PeerLink): void {
    const begun = this.#begun;
    if (begun === null || this.#end === null) return;
    const events: PeerEvents = {
      bytesOf: (index) => bytesOfChunk(begun.tree.bytes, index),
      takeBuffer: (bytes) => this.#buffers.take(bytes),
      giveBuffer: (data) => this.#buffers.give(data),
      came: (peer, index, data) => void this.#came(peer, index, data),
      changed: () => this.#pump(),
      ended: (peer, fault) => this.#left(peer, fault),
    };
    const { clock } = this.#options;
    if (link.fault !== null) return this.#pool.leave(link.peer, link.fault);
    const peer = new DownloadPeer(link, this.#artifact, begun.plan, events, () => clock.monotonic());
    this.#peers.set(peer.name, peer);
  }

  /** A node, from where an earlier run kept it or from whoever gives it first: after a while the next is asked as well. */
  async #node(node: Digest): Promise<Outcome<Bytes>> {
    const { clock, place } = this.#options;
    const kept = await place.node(this.#artifact, node);
    if (kept !== null && chunkDigest(kept) === node) return accept(kept);
    const began = clock.monotonic();
    /** When each was asked, and whether it has answered. */
    const asked = new Map<PeerLink, { readonly at: number; isOver: boolean }>();
    let found: Bytes | null = null;
    const ask = (link: PeerLink, at: number) => {
      const asking = { at, isOver: false };
      asked.set(link, asking);
      void getNode(link, this.#artifact, node, clock).then((bytes) => {
        asking.isOver = true;
        if (bytes.ok) {
          this.#givers.set(node, link.peer);
          found ??= bytes.value;
        } else if (link.fault !== null) this.#drop(link, link.fault);
        else this.#pool.note(link.peer, bytes.refusal.message);
      });
    };
    for (;;) {
      if (found !== null) return accept(found);
      if (this.#options.signal?.aborted === true) return stopped();
      const now = clock.monotonic();
      const isAsking = [...asked.values()].some(({ at, isOver }) => !isOver && now - at < nextNodeMs);
      const next = nearestFirst(this.#pool.links).find((link) => {
        const before = asked.get(link);
        return before === undefined || (before.isOver && now - before.at > nextNodeMs);
      });
      if (!isAsking && next !== undefined) ask(next, now);
      const isNobody = [...asked.values()].every(({ isOver }) => isOver) && now - began > this.#giveUpMs;
      if (isNobody && next === undefined) return this.#nobody();
      await sleep(clock, pollMs);
    }
  }

  /** All chunks that are not kept. */
  async #chunks(): Promise<Outcome<null>> {
    const over = new Promise<Outcome<null>>((resolve) => {
      this.#end = resolve;
    });
    for (const link of this.#pool.links) this.join(link);
    let stopTicking = () => {};
    const tick = () => {
      stopTicking = this.#options.clock.setTimer(tickMs, tick);
      this.#tick();
    };
    tick();
    const outcome = await over;
    stopTicking();
    return outcome;
  }

  #tick(): void {
    const begun = this.#begun;
    if (begun === null) return;
    if (this.#options.signal?.aborted === true) return this.#end?.(stopped());
    if (this.#pool.emptyMs > this.#giveUpMs) return this.#end?.(this.#nobody());
    const peers = [...this.#peers.values()];
    for (const peer of peers) {
      const fault = peer.stalled(this.#isPaused);
      if (fault !== null) peer.link.close(fault);
    }
    for (const { fault, peer } of laggards(peers, begun.plan)) peer.link.close(fault);
    this.#pump();
    this.#askAgain(begun.plan);
  }

  /** Asks whoever has nothing to do, the nearest and least busy first. */
  #pump(): void {
    const plan = this.#begun?.plan;
    if (plan === undefined || this.#end === null || this.#isPaused) return;
    const peers = [...this.#peers.values()];
    const owedMax = owedAtOnce(peers);
    let owed = peers.reduce((sum, peer) => sum + peer.owed, 0);
    // It is called for each message: mostly there is nothing to do.
    if (owed >= owedMax) return;
    const free = nearestFirst(peers.filter((peer) => this.#mayBeAsked(peer, plan)));
    for (let round = 1; round <= asksOfOne; round++)
      for (const peer of free) {
        if (peer.asks >= round || owed >= owedMax || !this.#mayBeAsked(peer, plan)) continue;
        const ask = plan.ask(peer.name, askedChunks(peer), this.#options.clock.monotonic());
        if (ask === null) this.#nothingAt.set(peer.name, plan.version(peer.name));
        else peer.ask(ask);
        owed += ask?.most ?? 0;
      }
  }

  #mayBeAsked(peer: DownloadPeer, plan: ChunkPlan): boolean {
    const hasRoom = peer.asks < asksOfOne && !peer.isBusy;
    return hasRoom && this.#nothingAt.get(peer.name) !== plan.version(peer.name);
  }

  /** What is asked for and late is asked of those who have nothing else to do. */
  #askAgain(plan: ChunkPlan): void {
    if (!plan.isAllAsked) return;
    const now = this.#options.clock.monotonic();
    const peers = nearestFirst([...this.#peers.values()]);
    const before = now - lateAfter(peers);
    for (const peer of peers) {
      if (peer.asks > 0 || peer.isBusy) continue;
      const ask = plan.askAgain(peer.name, now, before);
      if (ask !== null) peer.ask(ask);
    }
  }

  async #came(peer: DownloadPeer, index: number, data: Bytes): Promise<void> {
    const begun = this.#begun;
    if (begun === null || this.#end === null || begun.plan.isKept(index)) {
      this.#spareBytes += data.length;
      return this.#buffers.give(data);
    }
    const { draft, plan, tree } = begun;
    plan.keep(index);
    this.#waiting++;
    this.#hold();
    this.#pump();
    try {
      if (await draft.give(index, data)) {
        this.#kept(peer, tree, data.length);
        for (const ask of plan.othersAsked(index)) this.#peers.get(ask.peer)?.cancel(ask);
        return;
      }
      plan.lose(index);
      peer.link.close(peerFault("wrong-bytes", `chunk ${index} was not what its digest names`));
      this.#pump();
    } catch (error) {
      plan.lose(index);
      this.#end?.(this.#unkept(error));
    } finally {
      this.#buffers.give(data);
      this.#waiting--;
      this.#hold();
    }
  }

  #kept(peer: DownloadPeer, tree: ArtifactTree, bytes: number): void {
    this.#written++;
    this.#from.set(peer.name, (this.#from.get(peer.name) ?? 0) + bytes);
    this.#options.onProgress?.({
      ...{ chunks: tree.chunks, keptChunks: this.#written, bytes: tree.bytes, peers: this.#peers.size },
    });
    if (this.#written === tree.chunks) this.#end?.(accept(null));
  }

  /** Nothing is read while too much waits. What is still coming on a connection does not count: it could not end then. */
  #hold(): void {
    const isPaused = this.#isPaused ? this.#waiting > waitingLow : this.#waiting >= waitingMax;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    for (const { link } of this.#peers.values())
      if (isPaused) link.pause();
      else link.resume();
    if (!isPaused) this.#pump();
  }

  #drop(link: PeerLink, fault: PeerFault): void {
    if (fault.code !== "done") this.#dropped.push({ peer: link.peer, fault });
    this.#pool.leave(link.peer, fault);
  }

  #left(peer: DownloadPeer, fault: PeerFault): void {
    if (this.#peers.get(peer.name) !== peer) return;
    this.#retire(peer);
    this.#drop(peer.link, fault);
    this.#pump();
  }

  #retire(peer: DownloadPeer): void {
    this.#peers.delete(peer.name);
    this.#nothingAt.delete(peer.name);
    this.#spareBytes += peer.spareBytes;
    this.#begun?.plan.remove(peer.name);
    peer.retire();
  }

  get #giveUpMs(): number {
    return this.#options.giveUpMs ?? defaultGiveUpMs;
  }

  #nobody() {
    const reasons = this.#pool.reasons.slice(-3);
    const why = reasons.length === 0 ? "no machine that is running has it" : reasons.join("; ");
    return refuse("unavailable", `artifact ${this.#artifact.slice(0, 12)} cannot be had: ${why}`);
  }

  #unkept(error: unknown) {
    const why = errorSentence(error);
    return refuse("unavailable", `artifact ${this.#artifact.slice(0, 12)} cannot be kept here: ${why}`);
  }
}

function stopped() {
  return refuse("unavailable", "the transfer was stopped; what was received is kept");
}
