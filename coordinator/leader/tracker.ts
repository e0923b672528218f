/**
 * Who holds which artifacts, as the agents say. In memory only, of one term: nothing is decided on it but where to ask. Not here: the
 * messages (`serve-tracker.ts`), and whether a holder can be reached (whoever asks finds out).
 *
 * TRACK-1: an agent that is not present is nobody's peer.
 * TRACK-4: nobody is sent through an agent that is not present, or does not pass on.
 * TRACK-2: those who ask for one artifact begin with different holders, so that no one holder is asked by all of them at once.
 */
import { fnv1a } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import type { Digest } from "../../protocol/id.ts";
import {
  peersMax,
  viaMax,
  type Door,
  type Found,
  type FoundRelay,
  type Hold,
} from "../../protocol/tracking.ts";

/** Of one agent; the rest of what it says it holds is not kept. */
const heldMax = 50_000;

interface Holder {
  incarnation: string;
  number: number;
  door: Door | null;
  /** Where it keeps a way open for those who cannot reach it. */
  via: readonly string[];
  relays: boolean;
  /** True: not whole yet. */
  readonly held: Map<Digest, boolean>;
}

type IsPresent = (agent: string) => boolean;

export interface Holders {
  readonly agents: readonly string[];
  readonly bringing: readonly string[];
}

export class Tracker {
  readonly #holders = new Map<string, Holder>();
  readonly #at = new Map<Digest, Set<string>>();

  /** False: something between was not heard, and the agent is to say all of it again. */
  hold(
    agent: string,
    { added, door, dropped, incarnation, number, relays = false, via = [], whole }: Hold,
  ): boolean {
    if (whole) this.forget(agent);
    const known = this.#holders.get(agent);
    if (!whole && (known?.incarnation !== incarnation || known.number + 1 !== number)) return false;
    const holder: Holder =
      known !== undefined && !whole ? known : { incarnation, number, door, via, relays, held: new Map() };
    this.#holders.set(agent, holder);
    Object.assign(holder, { number, door, via, relays });
    for (const digest of dropped) this.#drop(agent, holder, digest);
    for (const { digest, part } of added) {
      if (!holder.held.has(digest) && holder.held.size >= heldMax) continue;
      holder.held.set(digest, part === true);
      const at = this.#at.get(digest) ?? new Set();
      this.#at.set(digest, at.add(agent));
    }
    return true;
  }

  /** It is gone, or begins anew. */
  forget(agent: string): void {
    const holder = this.#holders.get(agent);
    if (holder === undefined) return;
    for (const digest of [...holder.held.keys()]) this.#drop(agent, holder, digest);
    this.#holders.delete(agent);
  }

  /** How many agents say that they hold it whole. */
  count(digest: Digest, isPresent: IsPresent): number {
    let count = 0;
    for (const agent of this.#at.get(digest) ?? [])
      if (isPresent(agent) && this.#holders.get(agent)?.held.get(digest) === false) count++;
    return count;
  }

  /** Who says that they hold all of it, and who that they bring it, by name. */
  holders(digest: Digest, isPresent: IsPresent): Holders {
    const agents: string[] = [];
    const bringing: string[] = [];
    for (const agent of this.#at.get(digest) ?? []) {
      const part = this.#holders.get(agent)?.held.get(digest);
      if (part !== undefined && isPresent(agent)) (part ? bringing : agents).push(agent);
    }
    return { agents: agents.toSorted(), bringing: bringing.toSorted() };
  }

  /** Where `asker` may ask for it, never itself: those who have it whole first, of each kind in an order of the asker's own. */
  find(digest: Digest, asker: string, isPresent: IsPresent): Found {
    const found: Found = { peers: [], hidden: [] };
    const ranked = [...(this.#at.get(digest) ?? [])]
      .filter((agent) => agent !== asker && isPresent(agent))
      .flatMap((agent) => {
        const holder = this.#holders.get(agent);
        const part = holder?.held.get(digest) ?? true;
        return holder === undefined ? [] : [{ agent, holder, part }];
      });
    const rank = (agent: string) => mixUnsigned(fnv1a(`${asker} ${agent} ${digest}`));
    const order = ranked
      .map((one) => ({ ...one, rank: rank(one.agent) }))
      .toSorted((one, other) => Number(one.part) - Number(other.part) || one.rank - other.rank);
    for (const { agent, holder, part } of order) {
      const via = this.#viaOf(agent, holder, isPresent);
      const { door } = holder;
      if (door !== null && found.peers.length < peersMax)
        found.peers.push({ agent, door, part, ...(via.length === 0 ? {} : { via }) });
      else if (door === null && via.length > 0 && (found.hidden?.length ?? 0) < peersMax)
        found.hidden?.push({ agent, part, via });
    }
    return found;
  }

  /** Those who pass on, never `asker` itself, in an order of its own. */
  relays(asker: string, isPresent: IsPresent): FoundRelay[] {
    const relays = [...this.#holders.keys()].filter((agent) => agent !== asker);
    const rank = (agent: string) => mixUnsigned(fnv1a(`${asker} ${agent}`));
    return relays
      .toSorted((one, other) => rank(one) - rank(other))
      .flatMap((agent) => this.#relay(agent, isPresent) ?? [])
      .slice(0, viaMax);
  }

  #viaOf(agent: string, { via }: Holder, isPresent: IsPresent): FoundRelay[] {
    return via.flatMap((relay) => (relay === agent ? [] : (this.#relay(relay, isPresent) ?? [])));
  }

  #relay(agent: string, isPresent: IsPresent): FoundRelay | null {
    const holder = this.#holders.get(agent);
    const passesOn = holder?.relays === true && holder.door !== null && isPresent(agent);
    return passesOn && holder.door !== null ? { agent, door: holder.door } : null;
  }

  #drop(agent: string, holder: Holder, digest: Digest): void {
    if (!holder.held.delete(digest)) return;
    const at = this.#at.get(digest);
    at?.delete(agent);
    if (at?.size === 0) this.#at.delete(digest);
  }
}
