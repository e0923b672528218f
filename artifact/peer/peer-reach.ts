/**
 * How a machine comes to another: by the connection that there is, a new one, or through one that passes on. Both ways are tried at once where the
 * first takes long, and what did not work is remembered for a while: a firewall answers nothing, and each wait is for nothing.
 *
 * RELAY-4: whoever is reached through one that passes on is tried directly again with each question, once a minute, and left that way where it works.
 */
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { FarPeer, PeerDoor } from "./peer-door.ts";
import type { PeerLink } from "./peer-link.ts";
import { reachThrough } from "./relayed-way.ts";

const asideMs = 60_000;
/** A connection that comes about at all has by now, mostly, ms. */
const headStartMs = 1_000;

export class PeerReach {
  readonly #door: PeerDoor;
  readonly #clock: Clock;
  /** This machine's own name: what goes through it needs no relay. */
  readonly #self: string;
  /** Those that could not be reached at all, and not directly, by name, until when nobody tries again. */
  readonly #aside = new Map<string, number>();
  readonly #barred = new Map<string, number>();
  /** Connections that one that passes on carries. */
  readonly #relayed = new WeakSet<PeerLink>();

  constructor(door: PeerDoor, clock: Clock, self: string) {
    this.#door = door;
    this.#clock = clock;
    this.#self = self;
  }

  isAside(peer: string): boolean {
    return this.#isBefore(this.#aside.get(peer));
  }

  async reach(peer: FarPeer): Promise<Outcome<PeerLink>> {
    const reached = await this.#reach(peer);
    if (reached.ok) this.#aside.delete(peer.name);
    else this.#aside.set(peer.name, this.#clock.monotonic() + asideMs);
    return reached;
  }

  /** A new connection, which may carry something else later: directly, or through one that passes on. */
  async reachBare(peer: FarPeer): Promise<Outcome<PeerLink>> {
    const relays = (peer.via ?? []).filter(({ name }) => name !== this.#self);
    const isBarred = this.#isBefore(this.#barred.get(peer.name));
    const direct =
      peer.host === undefined || (isBarred && relays.length > 0)
        ? Promise.resolve(refuse("unavailable", `"${peer.name}" takes no connections from here`))
        : this.#door.dialAny(peer, "bare");
    const first = await (relays.length === 0
      ? direct
      : Promise.race([direct, sleep(this.#clock, headStartMs).then(() => null)]));
    if (first?.ok === true) return first;
    if (relays.length > 0) this.#barred.set(peer.name, this.#clock.monotonic() + asideMs);
    for (const relay of relays) {
      const through = await reachThrough(this.#door, relay, peer, this.#clock);
      if (through.ok) return through;
    }
    return direct;
  }

  async #reach(peer: FarPeer): Promise<Outcome<PeerLink>> {
    const relays = (peer.via ?? []).filter(({ name }) => name !== this.#self);
    const links = [...this.#door.links].filter((link) => link.peer === peer.name);
    const known = links.find((link) => !this.#relayed.has(link));
    if (known !== undefined) return accept(known);
    const direct = this.#direct(peer);
    const [carried] = links;
    if (relays.length === 0 && carried === undefined) return direct;
    const first = await Promise.race([direct, sleep(this.#clock, headStartMs).then(() => null)]);
    if (first?.ok === true) return first;
    // What still goes over it when a direct way is found ends on it.
    if (carried !== undefined && carried.fault === null) return accept(carried);
    for (const relay of relays) {
      const through = await reachThrough(this.#door, relay, peer, this.#clock);
      if (through.ok) this.#relayed.add(through.value);
      if (through.ok) return through;
    }
    return direct;
  }

  async #direct(peer: FarPeer): Promise<Outcome<PeerLink>> {
    if (this.#isBefore(this.#barred.get(peer.name)))
      return refuse("unavailable", `"${peer.name}" could not be reached lately`);
    const reached = await this.#door.dialNew(peer);
    if (reached.ok) this.#barred.delete(peer.name);
    else if (peer.host !== undefined) this.#barred.set(peer.name, this.#clock.monotonic() + asideMs);
    return reached;
  }

  #isBefore(until: number | undefined): boolean {
    return until !== undefined && this.#clock.monotonic() < until;
  }
}
