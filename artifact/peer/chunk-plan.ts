/**
 * Which chunks are asked of whom, while an artifact is received from several machines at once. Pure: time and random come in.
 * Not here: sockets (`download-peer.ts`), and what a chunk has in it.
 *
 * FETCH-1: a chunk that is kept is never asked for again, and one that is asked for is asked of no other, but at the end of one
 * that is late.
 * FETCH-2: whoever leaves, or does not send, gives back what it was asked for.
 */
import { chunksOf, rangesOf, type ChunkRange } from "./chunk-range.ts";
import { candidateChunksMax, rangesMax } from "./peer-message.ts";

/** Of the chunks from which a machine that has all may choose, to one that it is to send. */
const spread = 16;
/** Machines that one chunk is asked of, at the end. */
const askedOfMax = 2;

/** What one machine was asked for. */
export interface ChunkAsk {
  readonly peer: string;
  readonly most: number;
  /** Rising. */
  readonly candidates: readonly number[];
  readonly at: number;
  /** Those that will come and have not; null until it says. */
  coming: Set<number> | null;
}

interface KnownPeer {
  readonly holds: Uint8Array;
  held: number;
  /** Where the next question begins to look, so that a disk reads on. */
  cursor: number;
  /** Times that it was heard to hold more. */
  learned: number;
}

export class ChunkPlan {
  readonly count: number;
  readonly #random: () => number;
  readonly #kept: Uint8Array;
  /** Of how many machines it is asked now. */
  readonly #asked: Uint8Array;
  /** How many machines that are connected hold it. */
  readonly #holders: Uint16Array;
  readonly #peers = new Map<string, KnownPeer>();
  readonly #asks = new Set<ChunkAsk>();
  #keptCount = 0;
  #version = 0;

  /** `random`: from 0 to 1, without 1. */
  constructor(count: number, random: () => number) {
    this.count = count;
    this.#random = random;
    this.#kept = new Uint8Array(count);
    this.#asked = new Uint8Array(count);
    this.#holders = new Uint16Array(count);
  }

  /** Changes where there may be more to ask of this machine than before. */
  version(peer: string): number {
    return this.#version + (this.#peers.get(peer)?.learned ?? 0);
  }

  get isWhole(): boolean {
    return this.#keptCount === this.count;
  }

  get keptCount(): number {
    return this.#keptCount;
  }

  /** It is on its way or here: what comes of it again is not wanted. */
  isKept(index: number): boolean {
    return this.#kept[index] === 1;
  }

  keep(index: number): void {
    if (this.#kept[index] !== 0) return;
    this.#kept[index] = 1;
    this.#keptCount++;
  }

  /** What was to be kept was not right. */
  lose(index: number): void {
    if (this.#kept[index] !== 1) return;
    this.#kept[index] = 0;
    this.#keptCount--;
    this.#version++;
  }

  add(peer: string): void {
    this.remove(peer);
    this.#peers.set(peer, {
      holds: new Uint8Array(this.count),
      held: 0,
      cursor: Math.floor(this.#random() * this.count),
      learned: 0,
    });
    this.#version++;
  }

  /** FETCH-2. */
  remove(peer: string): void {
    const known = this.#peers.get(peer);
    if (known === undefined) return;
    for (let index = 0; index < this.count; index++)
      this.#holders[index] = (this.#holders[index] ?? 0) - (known.holds[index] ?? 0);
    this.#peers.delete(peer);
    for (const ask of this.#asks) if (ask.peer === peer) this.end(ask);
  }

  /** It holds these too. False where an artifact of this size has no such chunks. */
  learn(peer: string, ranges: readonly ChunkRange[]): boolean {
    if (ranges.some(({ count, first }) => first + count > this.count)) return false;
    const known = this.#peers.get(peer);
    if (known === undefined) return true;
    known.learned++;
    for (const index of chunksOf(ranges)) {
      if (known.holds[index] === 1) continue;
      known.holds[index] = 1;
      known.held++;
      this.#holders[index] = (this.#holders[index] ?? 0) + 1;
    }
    return true;
  }

  /** It was asked for these and says that it has them not. */
  unlearn(peer: string, indexes: Iterable<number>): void {
    const known = this.#peers.get(peer);
    if (known === undefined) return;
    for (const index of indexes) {
      if (known.holds[index] !== 1) continue;
      known.holds[index] = 0;
      known.held--;
      this.#holders[index] = (this.#holders[index] ?? 0) - 1;
    }
  }

  /** Whether it holds something that is not kept. */
  isUseful(peer: string): boolean {
    const known = this.#peers.get(peer);
    return known !== undefined && known.holds.some((holds, index) => holds === 1 && this.#kept[index] === 0);
  }

  /** Whether everything that this machine holds and we want is held by another too. */
  isSpare(peer: string): boolean {
    const known = this.#peers.get(peer);
    return (
      known === undefined ||
      !known.holds.some(
        (holds, index) => holds === 1 && this.#kept[index] === 0 && (this.#holders[index] ?? 0) < 2,
      )
    );
  }

  /** What is to be asked of a machine next: of what it holds the rarest. Null where it holds nothing that is wanted. */
  ask(peer: string, most: number, at: number): ChunkAsk | null {
    const known = this.#peers.get(peer);
    if (known === undefined) return null;
    const wanted = this.#knowsBest(known) ? Math.min(most * spread, candidateChunksMax) : most;
    const candidates = this.#rarest(known, wanted);
    const last = candidates.at(-1);
    if (last === undefined) return null;
    known.cursor = (last + 1) % this.count;
    return this.#asking({
      peer,
      most: Math.min(most, candidates.length),
      candidates: candidates.toSorted((a, b) => a - b),
      at,
    });
  }

  /** Whether everything that is not kept is asked for: what is left is the end. */
  get isAllAsked(): boolean {
    return this.#kept.every((kept, index) => kept === 1 || (this.#asked[index] ?? 0) > 0);
  }

  /** One of the chunks that another machine was asked for at `before` or earlier and has not sent: the last of the oldest. */
  askAgain(peer: string, at: number, before: number): ChunkAsk | null {
    const known = this.#peers.get(peer);
    if (known === undefined) return null;
    const late = [...this.#asks]
      .filter((ask) => ask.peer !== peer && ask.at <= before && ask.coming !== null)
      .toSorted((a, b) => a.at - b.at);
    for (const ask of late) {
      const index = [...(ask.coming ?? [])].findLast((one) => this.#isLate(known, one));
      if (index !== undefined) return this.#asking({ peer, most: 1, candidates: [index], at });
    }
    return null;
  }

  /** Which will come. False where they are not among those that were asked for. */
  choose(ask: ChunkAsk, indexes: readonly number[]): boolean {
    const candidates = new Set(ask.candidates);
    if (ask.coming !== null || indexes.length > ask.most || indexes.some((index) => !candidates.has(index)))
      return false;
    const coming = new Set(indexes);
    if (coming.size < indexes.length) return false;
    ask.coming = coming;
    if (coming.size < ask.candidates.length) this.#version++;
    for (const index of ask.candidates) if (!coming.has(index)) this.#giveBack(index);
    const known = this.#peers.get(ask.peer);
    if (known !== undefined) known.cursor = ((indexes.at(-1) ?? 0) + 1) % this.count;
    return true;
  }

  /** It has come. False where it was not to come. */
  arrive(ask: ChunkAsk, index: number): boolean {
    if (ask.coming?.delete(index) !== true) return false;
    this.#giveBack(index);
    if (ask.coming.size === 0) this.#asks.delete(ask);
    return true;
  }

  /** Nothing more will come of it. */
  end(ask: ChunkAsk): void {
    if (!this.#asks.delete(ask)) return;
    this.#version++;
    for (const index of ask.coming ?? ask.candidates) this.#giveBack(index);
  }

  /** Who else is to send this chunk. */
  othersAsked(index: number): readonly ChunkAsk[] {
    return [...this.#asks].filter((ask) => ask.coming?.has(index) === true);
  }

  /** Where others receive as well, one that has all knows which chunks nobody has been sent yet. */
  #knowsBest({ held }: KnownPeer): boolean {
    const peers = [...this.#peers.values()];
    const areOthersWhole = peers.length > 1 && peers.every((peer) => peer.held === this.count);
    return held === this.count && !areOthersWhole;
  }

  #isLate(known: KnownPeer, index: number): boolean {
    return known.holds[index] === 1 && this.#kept[index] === 0 && (this.#asked[index] ?? 0) < askedOfMax;
  }

  /** Rising from the cursor on and then from the start; so many as fit one question. */
  #rarest(known: KnownPeer, most: number): number[] {
    let rarest = Infinity;
    let found: number[] = [];
    let ranges = 0;
    for (let step = 0; step < this.count; step++) {
      const index = (known.cursor + step) % this.count;
      if (known.holds[index] !== 1 || this.#kept[index] !== 0 || this.#asked[index] !== 0) continue;
      const holders = this.#holders[index] ?? 0;
      if (holders > rarest) continue;
      if (holders < rarest) [rarest, found, ranges] = [holders, [], 0];
      if (found.length >= most) continue;
      const isNext = found.at(-1) === index - 1;
      if (!isNext && ranges >= rangesMax) continue;
      if (!isNext) ranges++;
      found.push(index);
    }
    return found;
  }

  #asking(ask: Omit<ChunkAsk, "coming">): ChunkAsk {
    const asking = { ...ask, coming: null };
    this.#asks.add(asking);
    for (const index of ask.candidates) this.#asked[index] = (this.#asked[index] ?? 0) + 1;
    return asking;
  }

  #giveBack(index: number): void {
    this.#asked[index] = Math.max(0, (this.#asked[index] ?? 0) - 1);
  }
}

/** As a question says them. */
export function rangesOfAsk({ candidates }: ChunkAsk): ChunkRange[] {
  return rangesOf(candidates);
}
