/** How quick the machines are that an artifact comes from, and what follows from it. Pure. */
import { quantile } from "../../numeric/quantile.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import type { ChunkPlan } from "./chunk-plan.ts";
import { peerFault, type PeerFault } from "./peer-fault.ts";

/** It owes chunks and sends nothing at all, ms. */
const stallMs = 4_000;
/** It owes chunks and sends other things only: its link may be crowded. ms. */
const idleMs = 8_000;
/** A question takes about this long, ms: short, so that little is lost with a machine, and long against the way there and back. */
const askMs = 300;
const askedMax = 16;
const askedFirst = 2;
/** A machine is far below the others at this part of their median rate. */
const slowPart = 1 / 20;
/** And only where its question has taken so long, ms. */
const slowMs = 10_000;
/** Fewer others say nothing about what is usual. */
const othersMin = 2;

interface Paced {
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly owed: number;
  readonly waitedMs: number;
}

/** Chunks that all of them owe at once: what comes in this time, so that what a slow one holds back is little, ms. */
const owedMs = 1_000;
const owedMin = 8;
const owedMax = 256;
/** A question is late after this long at least, when nothing else is left to ask for, ms. */
const lateMs = 400;
/** And after so many times what a chunk usually takes. */
const lateTimes = 4;

interface Near {
  readonly owed?: number;
  readonly rttMs?: number | null;
  readonly link?: { readonly rttMs: number | null };
}

/** Chunks to ask of it at once. */
export function askedChunks({ bytesPerSecond }: Pick<Paced, "bytesPerSecond">): number {
  if (bytesPerSecond === 0) return askedFirst;
  const chunks = Math.ceil((bytesPerSecond * askMs) / 1_000 / chunkBytesMax);
  return Math.max(1, Math.min(askedMax, chunks));
}

export function owedAtOnce(peers: readonly Pick<Paced, "bytesPerSecond">[]): number {
  const perSecond = peers.reduce((sum, peer) => sum + peer.bytesPerSecond, 0);
  return Math.max(owedMin, Math.min(owedMax, Math.ceil((perSecond * owedMs) / 1_000 / chunkBytesMax)));
}

/** When what was asked of one is late enough to be asked of another as well, ms. */
export function lateAfter(peers: readonly Pick<Paced, "bytesPerSecond">[]): number {
  const rates = peers.map((peer) => peer.bytesPerSecond).filter((rate) => rate > 0);
  if (rates.length === 0) return lateMs;
  return Math.max(lateMs, (lateTimes * chunkBytesMax * 1_000) / quantile(rates, 0.5));
}

/** The least busy first, and of two that are alike the nearest. */
export function nearestFirst<P extends Near>(peers: readonly P[]): P[] {
  const rtt = (peer: P) => peer.rttMs ?? peer.link?.rttMs ?? Infinity;
  return peers.toSorted((a, b) => (a.owed ?? 0) - (b.owed ?? 0) || (rtt(a) < rtt(b) ? -1 : 1));
}

/** How long somebody who owes bytes of a chunk or node has sent none. */
export class Silence {
  #all = -1;
  #bulk = -1;
  #allAt = 0;
  #bulkAt = 0;

  /** What has come so far, at `now` (ms); what is wrong with that, or null. `isExcused`: nothing is owed, or we do not read. */
  look(
    received: { readonly all: number; readonly bulk: number },
    now: number,
    isExcused: boolean,
  ): PeerFault | null {
    if (received.all !== this.#all || isExcused) this.#allAt = now;
    if (received.bulk !== this.#bulk || isExcused) this.#bulkAt = now;
    [this.#all, this.#bulk] = [received.all, received.bulk];
    const ms = now - this.#allAt > stallMs ? stallMs : now - this.#bulkAt > idleMs ? idleMs : null;
    if (ms === null) return null;
    return peerFault("stalled", `it owed an answer and sent no byte of one for ${ms / 1_000} s`);
  }
}

/** Those that others can do without. */
export function laggards<P extends Paced>(
  peers: readonly P[],
  plan: Pick<ChunkPlan, "isSpare">,
): readonly { readonly peer: P; readonly fault: PeerFault }[] {
  return peers.flatMap((peer) => {
    if (peer.waitedMs < slowMs) return [];
    const others = peers.filter((other) => other !== peer && other.bytesPerSecond > 0);
    if (others.length < othersMin || !plan.isSpare(peer.name)) return [];
    const usual = quantile(
      others.map((other) => other.bytesPerSecond),
      0.5,
    );
    // A question that has no end counts with what came of it so far at most.
    if (
      Math.min(peer.bytesPerSecond, (peer.owed * chunkBytesMax) / (peer.waitedMs / 1_000)) >
      usual * slowPart
    )
      return [];
    const rates = `${Math.round(peer.bytesPerSecond / 1_000)} kB/s where others send ${Math.round(usual / 1_000)}`;
    return [{ peer, fault: peerFault("slow", `it sent ${rates}`) }];
  });
}
