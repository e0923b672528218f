/**
 * Who holds which artifacts, as the agents say. In memory only, of one term: nothing is decided on it but where to ask, and where what is
 * to be moved lies already. Not here: the messages (`serve-tracker.ts`), who is asked to hold a replica (`replica-desk.ts`), and
 * whether a holder can be reached (whoever asks finds out).
 *
 * TRACK-1: an agent that is not present is nobody's peer.
 * TRACK-4: nobody is sent through an agent that is not present, or does not pass on.
 * TRACK-2: those who ask for one artifact begin with different holders, so that no one holder is asked by all of them at once.
 */
import { fnv1a } from "../../numeric/fnv.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Holdings } from "../placement/move-cost.ts";
import {
  peersMax,
  viaMax,
  type Door,
  type Found,
  type FoundRelay,
  type Held,
  type Hold,
} from "../../protocol/tracking.ts";

/** Of one agent; the rest of what it says it holds is not kept. */
const heldMax = 50_000;
/** Of the last transfer in how fast an agent receives. */
const newestWeight = 0.3;

interface Holder {
  incarnation: string;
  number: number;
  door: Door | null;
  /** Where it keeps a way open for those who cannot reach it. */
  via: readonly string[];
  relays: boolean;
  store: string | null;
  room: number | null;
  readonly held: Map<Digest, Copy>;
}

type IsPresent = (agent: string) => boolean;

export interface Holders {
  readonly agents: readonly string[];
  readonly bringing: readonly string[];
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
  hold(agent: string, hold: Hold): boolean {
    const { added, door, dropped, incarnation, number, relays = false, room, store, via = [], whole } = hold;
    if (whole) this.forget(agent);
    const known = this.#holders.get(agent);
    if (!whole && (known?.incarnation !== incarnation || known.number + 1 !== number)) return false;
    const holder = known !== undefined && !whole ? known : newHolder(incarnation);
    this.#holders.set(agent, holder);
    Object.assign(holder, { number, door, via, relays, room: room ?? null, store: store ?? null });
    for (const digest of dropped) this.#drop(agent, holder, digest);
    for (const held of added) this.#add(agent, holder, held);
    return true;
  }

  /** It has it whole, as is known before it says so. Whether it keeps it, it says alone (REPL-8). */
  note(agent: string, digest: Digest): void {
    const holder = this.#holders.get(agent);
    if (holder !== undefined && this.has(agent, digest) !== true) this.#add(agent, holder, { digest });
  }

  /** It is gone, or begins anew. */
  forget(agent: string): void {
    const holder = this.#holders.get(agent);
    if (holder === undefined) return;
    for (const digest of [...holder.held.keys()]) this.#drop(agent, holder, digest);
    this.#holders.delete(agent);
  }

  /** Who says that they hold all of it, and who that they bring it, by name. */
  holders(digest: Digest, isPresent: IsPresent): Holders {
    const agents: string[] = [];
    const bringing: string[] = [];
    for (const agent of this.#at.get(digest) ?? []) {
      const part = this.#holders.get(agent)?.held.get(digest)?.isPart;
      if (part !== undefined && isPresent(agent)) (part ? bringing : agents).push(agent);
    }
    return { agents: agents.toSorted(), bringing: bringing.toSorted() };
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

  /** Where others reach it: its door, without addresses where they come through a third; null where nobody does. */
  reachOf(agent: string, isPresent: IsPresent): Door | null {
    const holder = this.#holders.get(agent);
    if (holder === undefined) return null;
    return holder.door ?? (this.#viaOf(agent, holder, isPresent).length > 0 ? { addresses: [] } : null);
  }

  storeOf(agent: string): string | null {
    return this.#holders.get(agent)?.store ?? null;
  }

  /** Agents that hold replicas and that others reach. */
  *takers(isPresent: IsPresent): Generator<Taker, void, void> {
    for (const [agent, { room, store }] of this.#holders) {
      const door = room === null || !isPresent(agent) ? null : this.reachOf(agent, isPresent);
      if (door !== null && room !== null && store !== null) yield { agent, door, room, store };
    }
  }

  /** Where `asker` may ask for it, never itself: those who have it whole first, of each kind in an order of the asker's own. */
  find(digest: Digest, asker: string, isPresent: IsPresent): Found {
    const found: Found = { peers: [], hidden: [] };
    const ranked = [...(this.#at.get(digest) ?? [])]
      .filter((agent) => agent !== asker && isPresent(agent))
      .flatMap((agent) => {
        const holder = this.#holders.get(agent);
        const part = holder?.held.get(digest)?.isPart ?? true;
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

  /** Where one agent is reached, as `find` says it. */
  placeOf(agent: string, isPresent: IsPresent): Found {
    const holder = this.#holders.get(agent);
    if (holder === undefined || !isPresent(agent)) return { peers: [] };
    const via = this.#viaOf(agent, holder, isPresent);
    const { door } = holder;
    if (door === null) return { peers: [], hidden: via.length === 0 ? [] : [{ agent, part: false, via }] };
    return { peers: [{ agent, door, part: false, ...(via.length === 0 ? {} : { via }) }] };
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
  return {
    incarnation,
    number: 0,
    door: null,
    via: [],
    relays: false,
    store: null,
    room: null,
    held: new Map(),
  };
}

function addTo(sets: Map<Digest, Set<string>>, digest: Digest, agent: string): void {
  sets.set(digest, (sets.get(digest) ?? new Set()).add(agent));
}

function removeFrom(sets: Map<Digest, Set<string>>, digest: Digest, agent: string): void {
  const agents = sets.get(digest);
  agents?.delete(agent);
  if (agents?.size === 0) sets.delete(digest);
}
