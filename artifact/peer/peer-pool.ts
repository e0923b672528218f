/**
 * The machines that an artifact may be had from: who they are is asked again and again, so many of them are connected, and one
 * that misbehaved is left aside. Not here: what is asked of them.
 */
import type { Digest } from "../../protocol/id.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { FarPeer } from "./peer-door.ts";
import type { PeerFault } from "./peer-fault.ts";
import type { PeerLink } from "./peer-link.ts";

const linksMax = 20;
const refreshMs = 500;
/** One that had nothing yet, ms. */
const againMs = 400;
/** One that could not be reached, or went away, is tried again after this long, and then after twice as long, ms. */
const asideMs = 1_000;
const asideMsMax = 60_000;
/** Sentences that are kept of what went wrong. */
const reasonsMax = 20;

export interface PeerPoolOptions {
  readonly artifact: Digest;
  /** Who holds some or all of it: the tracker's word, which is only a hint. */
  readonly peersOf: (artifact: Digest) => Promise<readonly FarPeer[]>;
  readonly reach: (peer: FarPeer) => Promise<Outcome<PeerLink>>;
  readonly clock: Clock;
  readonly random: () => number;
}

export class PeerPool {
  readonly #options: PeerPoolOptions;
  readonly #links = new Map<string, PeerLink>();
  readonly #reaching = new Set<string>();
  readonly #aside = new Map<string, { readonly until: number; readonly times: number }>();
  readonly #reasons = new Map<string, string>();
  #onLink: (link: PeerLink) => void = () => {};
  #stopTimer: () => void = () => {};
  #isStopped = false;
  #emptySince: number;

  constructor(options: PeerPoolOptions) {
    this.#options = options;
    this.#emptySince = options.clock.monotonic();
  }

  get links(): readonly PeerLink[] {
    return [...this.#links.values()];
  }

  /** Since when there is nobody, ms; 0 while there is somebody. */
  get emptyMs(): number {
    return this.#links.size > 0 ? 0 : this.#options.clock.monotonic() - this.#emptySince;
  }

  /** Whom it was not had from, and why; the last of each. */
  get reasons(): readonly string[] {
    return [...this.#reasons.values()];
  }

  start(onLink: (link: PeerLink) => void): void {
    this.#onLink = onLink;
    void this.#refresh();
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopTimer();
  }

  /** It is left alone for a while; for good where it cannot be believed. */
  leave(name: string, fault: PeerFault): void {
    const { clock } = this.#options;
    this.note(name, fault.message);
    // One that lets us in only to turn us away is nobody.
    const hasGiven = (this.#links.get(name)?.received.bulk ?? 0) > 0;
    this.#links.delete(name);
    if (this.#links.size === 0 && hasGiven) this.#emptySince = clock.monotonic();
    const times = (this.#aside.get(name)?.times ?? 0) + 1;
    const later = Math.min(asideMsMax, asideMs * 2 ** (times - 1));
    const ms = isLie(fault) ? Infinity : fault.code === "done" ? againMs : later;
    this.#aside.set(name, {
      until: clock.monotonic() + ms,
      times: fault.code === "done" ? times - 1 : times,
    });
  }

  async #refresh(): Promise<void> {
    const { artifact, clock, peersOf } = this.#options;
    try {
      this.#take(await peersOf(artifact));
    } catch (error) {
      this.note("", `who has it cannot be asked: ${errorSentence(error)}`);
    }
    if (!this.#isStopped) this.#stopTimer = clock.setTimer(refreshMs, () => void this.#refresh());
  }

  #take(peers: readonly FarPeer[]): void {
    const now = this.#options.clock.monotonic();
    const free = peers.filter(
      ({ name }) =>
        !this.#links.has(name) && !this.#reaching.has(name) && (this.#aside.get(name)?.until ?? 0) <= now,
    );
    const room = linksMax - this.#links.size - this.#reaching.size;
    for (const peer of this.#shuffled(free).slice(0, Math.max(0, room))) void this.#reach(peer);
  }

  async #reach(peer: FarPeer): Promise<void> {
    this.#reaching.add(peer.name);
    const link = await this.#options.reach(peer);
    this.#reaching.delete(peer.name);
    if (this.#isStopped) return;
    if (!link.ok) return this.leave(peer.name, { code: "unreachable", message: link.refusal.message });
    this.#links.set(peer.name, link.value);
    this.#onLink(link.value);
  }

  /** Why it was not had from there; the last that was said of each counts. */
  note(name: string, reason: string): void {
    this.#reasons.delete(name);
    this.#reasons.set(name, name === "" || reason.includes(`"${name}"`) ? reason : `"${name}": ${reason}`);
    const oldest = this.#reasons.keys().next();
    if (this.#reasons.size > reasonsMax && oldest.done !== true) this.#reasons.delete(oldest.value);
  }

  /** So that not all who receive ask the same. */
  #shuffled(peers: readonly FarPeer[]): FarPeer[] {
    return peers
      .map((peer) => ({ peer, place: this.#options.random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ peer }) => peer);
  }
}

/** What no honest machine does, however its network is. */
export function isLie({ code }: PeerFault): boolean {
  return code === "wrong-bytes" || code === "not-asked" || code === "malformed" || code === "revoked";
}
