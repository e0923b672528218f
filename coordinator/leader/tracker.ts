/**
 * Who holds which artifacts, as the agents say. In memory only, of one term: nothing is decided on it but where to ask. Not here: the
 * messages (`serve-tracker.ts`), and whether a holder can be reached (whoever asks finds out).
 *
 * TRACK-1: an agent that is not present is nobody's peer.
 * TRACK-2: those who ask for one artifact begin with different holders, so that no one holder is asked by all of them at once.
 */
import { fnv1a } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import type { Digest } from "../../protocol/id.ts";
import { peersMax, type Door, type FoundPeer, type Hold } from "../../protocol/tracking.ts";

/** Of one agent; the rest of what it says it holds is not kept. */
const heldMax = 50_000;

interface Holder {
  incarnation: string;
  number: number;
  door: Door | null;
  /** True: not whole yet. */
  readonly held: Map<Digest, boolean>;
}

export interface Holders {
  readonly agents: readonly string[];
  readonly bringing: readonly string[];
}

export class Tracker {
  readonly #holders = new Map<string, Holder>();
  readonly #at = new Map<Digest, Set<string>>();

  /** False: something between was not heard, and the agent is to say all of it again. */
  hold(agent: string, { added, door, dropped, incarnation, number, whole }: Hold): boolean {
    if (whole) this.forget(agent);
    const known = this.#holders.get(agent);
    if (!whole && (known?.incarnation !== incarnation || known.number + 1 !== number)) return false;
    const holder = known !== undefined && !whole ? known : { incarnation, number, door, held: new Map() };
    this.#holders.set(agent, holder);
    holder.number = number;
    holder.door = door;
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
  count(digest: Digest, isPresent: (agent: string) => boolean): number {
    let count = 0;
    for (const agent of this.#at.get(digest) ?? [])
      if (isPresent(agent) && this.#holders.get(agent)?.held.get(digest) === false) count++;
    return count;
  }

  /** Who says that they hold all of it, and who that they bring it, by name. */
  holders(digest: Digest, isPresent: (agent: string) => boolean): Holders {
    const agents: string[] = [];
    const bringing: string[] = [];
    for (const agent of this.#at.get(digest) ?? []) {
      const part = this.#holders.get(agent)?.held.get(digest);
      if (part !== undefined && isPresent(agent)) (part ? bringing : agents).push(agent);
    }
    return { agents: agents.toSorted(), bringing: bringing.toSorted() };
  }

  /** Where `asker` may ask for it, never itself: those who have it whole first, of each kind in an order of the asker's own. */
  find(digest: Digest, asker: string, isPresent: (agent: string) => boolean): FoundPeer[] {
    const found: (FoundPeer & { readonly rank: number })[] = [];
    for (const agent of this.#at.get(digest) ?? []) {
      const holder = this.#holders.get(agent);
      if (agent === asker || holder === undefined || holder.door === null || !isPresent(agent)) continue;
      const part = holder.held.get(digest) ?? true;
      found.push({ agent, door: holder.door, part, rank: mixUnsigned(fnv1a(`${asker} ${agent} ${digest}`)) });
    }
    return found
      .toSorted((one, other) => Number(one.part) - Number(other.part) || one.rank - other.rank)
      .slice(0, peersMax)
      .map(({ agent, door, part }) => ({ agent, door, part }));
  }

  #drop(agent: string, holder: Holder, digest: Digest): void {
    if (!holder.held.delete(digest)) return;
    const at = this.#at.get(digest);
    at?.delete(agent);
    if (at?.size === 0) this.#at.delete(digest);
  }
}
