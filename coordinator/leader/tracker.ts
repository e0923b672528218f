/**
 * Who holds which artifacts, as the agents say. In memory only, of one term: nothing is decided on it but where to ask, and where what is
 * to be moved lies already. Not here: the messages (`serve-tracker.ts`), who is asked to hold a replica (`replica-desk.ts`), and
 * whether a holder can be reached (whoever asks finds out).
 *
 * TRACK-1: an agent that is not present is nobody's peer.
 * TRACK-2: those who ask for one artifact begin with different holders, so that no one holder is asked by all of them at once.
 */
import { fnv1a } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Holdings } from "../placement/move-cost.ts";
import { peersMax, type Door, type FoundPeer, type Held, type Hold } from "../../protocol/tracking.ts";

/** Of one agent; the rest of what it says it holds is not kept. */
const heldMax = 50_000;
/** Of the last transfer in how fast an agent receives. */
const newestWeight = 0.3;

interface Holder {
  incarnation: string;
  number: number;
  door: Door | null;
  store: string | null;
  room: number | null;
  readonly held: Map<Digest, Copy>;
}

interface Copy {
  /** Not whole yet. */
  readonly isPart: boolean;
  /** Its bytes, where it stays whatever the quota lets go; else null. */
  readonly keptBytes: number | null;
}

/** An agent as a place for a replica. */
export interface Taker {
  readonly agent: string;
  readonly door: Door;
  /** Names the folder of its artifacts. */
  readonly store: string;
  /** Bytes of replicas that it would hold beside those it does. */
  readonly room: number;
}

export class Tracker implements Holdings {
  readonly #holders = new Map<string, Holder>();
  /** By digest, who was told to let it go and may not have heard it. */
  readonly #releasedAt = new Map<Digest, Set<string>>();
  readonly #rates = new Map<string, number>();
  readonly #at = new Map<Digest, Set<string>>();
  /** By digest of what is kept somewhere, by whom. */
  readonly #keptAt = new Map<Digest, Set<string>>();

  /** False: something between was not heard, and the agent is to say all of it again. */
  hold(agent: string, { added, door, dropped, incarnation, number, room, store, whole }: Hold): boolean {
    if (whole) this.forget(agent);
    const known = this.#holders.get(agent);
    if (!whole && (known?.incarnation !== incarnation || known.number + 1 !== number)) return false;
    const holder = known !== undefined && !whole ? known : newHolder(incarnation);
    this.#holders.set(agent, holder);
    Object.assign(holder, { number, door, room: room ?? null, store: store ?? null });
    for (const digest of dropped) this.#drop(agent, holder, digest);
    for (const held of added) this.#add(agent, holder, held);
    return true;
  }

  /** Known of it otherwise, before it says so. */
  note(agent: string, held: Held): void {
    const holder = this.#holders.get(agent);
    if (holder !== undefined) this.#add(agent, holder, held);
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
      if (isPresent(agent) && this.#holders.get(agent)?.held.get(digest)?.isPart === false) count++;
    return count;
  }

  /** Whether it has it whole; null where it has not said what it holds. */
  has(agent: string, digest: Digest): boolean | null {
    const holder = this.#holders.get(agent);
    return holder === undefined ? null : holder.held.get(digest)?.isPart === false;
  }

  /** Whether it has some of it. */
  hasPart(agent: string, digest: Digest): boolean {
    return this.#holders.get(agent)?.held.has(digest) === true;
  }

  /** Who has it, whole or in part. */
  holdersOf(digest: Digest): ReadonlySet<string> {
    return this.#at.get(digest) ?? nobody;
  }

  /** It was told to let it go. Until it says something of it again it counts as no keeper, and may not have heard it. */
  release(agent: string, digest: Digest): void {
    removeFrom(this.#keptAt, digest, agent);
    if (this.#holders.get(agent)?.held.has(digest) === true) addTo(this.#releasedAt, digest, agent);
  }

  /** What agents were told to let go and have not said that they did. */
  released(): Iterable<readonly [Digest, ReadonlySet<string>]> {
    return this.#releasedAt;
  }

  /** Somebody keeps it, or may not have heard that it need not. */
  isSpokenOf(digest: Digest): boolean {
    return this.#keptAt.has(digest) || this.#releasedAt.has(digest);
  }

  /** Who keeps it whatever the quota lets go. */
  keepersOf(digest: Digest): ReadonlySet<string> {
    return this.#keptAt.get(digest) ?? nobody;
  }

  /** What lies at agents and is kept there, with its bytes as one of them says. */
  *kept(): Generator<{ readonly digest: Digest; readonly bytes: number }, void, void> {
    for (const [digest, agents] of this.#keptAt) {
      const [first = ""] = agents;
      yield { digest, bytes: this.#holders.get(first)?.held.get(digest)?.keptBytes ?? 0 };
    }
  }

  /** Whether there is anything to look after. */
  keepsAny(): boolean {
    return this.#keptAt.size > 0 || this.#releasedAt.size > 0;
  }

  /** It was seen to receive so fast. */
  noteRate(agent: string, bytesPerSecond: number): void {
    const known = this.#rates.get(agent);
    this.#rates.set(
      agent,
      known === undefined ? bytesPerSecond : known + (bytesPerSecond - known) * newestWeight,
    );
  }

  /** Bytes a second, the newest for more; null where none were seen. */
  rateOf(agent: string): number | null {
    return this.#rates.get(agent) ?? null;
  }

  doorOf(agent: string): Door | null {
    return this.#holders.get(agent)?.door ?? null;
  }

  storeOf(agent: string): string | null {
    return this.#holders.get(agent)?.store ?? null;
  }

  /** Agents that others reach and that hold replicas. */
  *takers(): Generator<Taker, void, void> {
    for (const [agent, { door, room, store }] of this.#holders)
      if (door !== null && room !== null && store !== null) yield { agent, door, room, store };
  }

  /** Where `asker` may ask for it, never itself: those who have it whole first, of each kind in an order of the asker's own. */
  find(digest: Digest, asker: string, isPresent: (agent: string) => boolean): FoundPeer[] {
    const found: (FoundPeer & { readonly rank: number })[] = [];
    for (const agent of this.#at.get(digest) ?? []) {
      const holder = this.#holders.get(agent);
      if (agent === asker || holder === undefined || holder.door === null || !isPresent(agent)) continue;
      const part = holder.held.get(digest)?.isPart ?? true;
      found.push({ agent, door: holder.door, part, rank: mixUnsigned(fnv1a(`${asker} ${agent} ${digest}`)) });
    }
    return found
      .toSorted((one, other) => Number(one.part) - Number(other.part) || one.rank - other.rank)
      .slice(0, peersMax)
      .map(({ agent, door, part }) => ({ agent, door, part }));
  }

  #add(agent: string, { held }: Holder, { digest, kept, part }: Held): void {
    if (!held.has(digest) && held.size >= heldMax) return;
    removeFrom(this.#releasedAt, digest, agent);
    held.set(digest, { isPart: part === true, keptBytes: kept ?? null });
    addTo(this.#at, digest, agent);
    if (kept === undefined) removeFrom(this.#keptAt, digest, agent);
    else addTo(this.#keptAt, digest, agent);
  }

  #drop(agent: string, holder: Holder, digest: Digest): void {
    if (!holder.held.delete(digest)) return;
    removeFrom(this.#at, digest, agent);
    removeFrom(this.#releasedAt, digest, agent);
    removeFrom(this.#keptAt, digest, agent);
  }
}

const nobody: ReadonlySet<string> = new Set();

function newHolder(incarnation: string): Holder {
  return { incarnation, number: 0, door: null, store: null, room: null, held: new Map() };
}

function addTo(sets: Map<Digest, Set<string>>, digest: Digest, agent: string): void {
  sets.set(digest, (sets.get(digest) ?? new Set()).add(agent));
}

function removeFrom(sets: Map<Digest, Set<string>>, digest: Digest, agent: string): void {
  const agents = sets.get(digest);
  agents?.delete(agent);
  if (agents?.size === 0) sets.delete(digest);
}
