/**
 * Looks after the large checkpoints that lie at agents and not in the mesh's store, as the tracker says: two agents keep each as long as
 * something refers to it. In memory only, of one term; decides nothing that is kept, and doing any of it again does no harm. Not here:
 * how a replica comes to be (`replica-desk.ts`), and which artifacts go (`collector.ts`).
 *
 * REPL-5: where a machine that keeps one of two copies is away, and a trial goes on from it, or is gone for good, another agent is asked to
 * keep it, and where none does it is put into the mesh's store.
 * REPL-6: what a version or a pin names is put into the mesh's store, where everybody may read it.
 * REPL-7: an agent is told to let one go only where nothing refers to it and no report that could name it is on its way.
 */
import type { Digest } from "../../protocol/id.ts";
import { replicasMax } from "../../protocol/order.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { ProofState } from "../../artifact/blob.ts";
import { leftByTrials } from "../collect/mention.ts";
import { eachReference, type Reference } from "../collect/reference.ts";
import { retentionOf } from "../collect/default-retention.ts";
import type { Unreferred } from "../collect/survey.ts";
import type { State } from "../state/state.ts";
import type { GiveOrder } from "./give-order.ts";
import type { ReplicaDesk } from "./replica-desk.ts";
import type { Tracker } from "./tracker.ts";

/** Between two whole looks, ms, and so many times as long as one takes: all references are looked through. */
const lookEveryMs = 10_000;
const lookShare = 50;
/** An order to put one into the mesh's store is given again after this long, ms: it may take a while. */
const storeAgainMs = 60_000;

export interface ReplicaKeeperOptions {
  readonly clock: Clock;
  readonly state: State;
  readonly tracker: Tracker;
  readonly desk: Pick<ReplicaDesk, "begin" | "isOver" | "isUnderWay">;
  readonly giveOrder: GiveOrder;
  /** Whether the mesh's store has it. Rejects where it cannot be asked. */
  readonly prove: (digest: Digest) => Promise<ProofState>;
  /** Runs it when the state holds only what is durable. */
  readonly ask: (question: () => void) => void;
  /** An agent that was not heard for so long is gone for good, ms. */
  readonly lostMs: number;
  readonly log: (line: string) => void;
}

/** Of one digest that somebody keeps. */
interface Known {
  /** When it was first seen, on the monotonic clock. */
  readonly since: number;
  /** Since when it is kept by fewer than two; null while it is not. */
  lonelySince: number | null;
  wasAsked: boolean;
  storeAt: number;
}

interface Held {
  readonly digest: Digest;
  readonly bytes: number;
  /** A trial goes on from it. */
  readonly isInUse: boolean;
}

/** Kinds of reference that whoever reads it need not be an agent for. */
const forAll: ReadonlySet<Reference["kind"]> = new Set(["pin", "model version", "dataset version"]);

export class ReplicaKeeper {
  readonly #options: ReplicaKeeperOptions;
  readonly #known = new Map<Digest, Known>();
  /** Seen in the mesh's store. */
  readonly #stored = new Set<Digest>();
  #nextLook = -Infinity;
  #restUntil = -Infinity;
  /** Agents that were there at the last look. */
  #present = 0;
  #isLooking = false;

  constructor(options: ReplicaKeeperOptions) {
    this.#options = options;
  }

  /** To be called again and again. */
  look(): void {
    const { ask, clock, state, tracker } = this.#options;
    const now = clock.monotonic();
    if (this.#isLooking || !tracker.keepsAny()) return;
    let present = 0;
    for (const agent of state.agents.values()) if (agent.present) present++;
    // Whoever left may have kept what a trial goes on from.
    const isFewer = present < this.#present && now >= this.#restUntil;
    if (!isFewer && now < this.#nextLook) return;
    this.#present = present;
    this.#isLooking = true;
    ask(() => {
      this.#lookNow();
      const restMs = (clock.monotonic() - now) * lookShare;
      this.#restUntil = now + restMs;
      this.#nextLook = now + Math.max(lookEveryMs, restMs);
      this.#isLooking = false;
    });
  }

  /** What lies at agents only and no report is on its way that could name it, its bytes, and how long it has been seen to, ms. */
  *atAgents(): Generator<Unreferred, void, void> {
    const { clock, desk, tracker } = this.#options;
    const now = clock.monotonic();
    for (const { bytes, digest } of tracker.kept())
      if (desk.isOver(digest) !== false)
        yield { digest, bytes, ageMs: now - (this.#known.get(digest)?.since ?? now) };
  }

  isAtAgents(digest: Digest): boolean {
    return this.#options.tracker.keepersOf(digest).size > 0;
  }

  #lookNow(): void {
    const { clock, state, tracker } = this.#options;
    const now = clock.monotonic();
    const retention = retentionOf(state);
    const referred = new Set<Digest>();
    const shown = new Set<Digest>();
    const inUse = new Set<Digest>();
    for (const { digest, kind } of eachReference({ state, at: state.meta.at, retention })) {
      referred.add(digest);
      if (forAll.has(kind)) shown.add(digest);
      if (kind === "trial that goes on") inUse.add(digest);
    }
    const left = leftByTrials(state);
    const released = new Map<string, Digest[]>();
    for (const [digest, agents] of tracker.released()) {
      const isOver = !referred.has(digest) && this.#mayGo(digest, left, Infinity, retention.uploadMs);
      if (!isOver && !this.#stored.has(digest)) continue;
      for (const agent of agents) released.set(agent, [...(released.get(agent) ?? []), digest]);
    }
    for (const digest of this.#stored) if (!tracker.isSpokenOf(digest)) this.#stored.delete(digest);
    const all = [...tracker.kept()];
    for (const { bytes, digest } of all) {
      const known = this.#knownOf(digest, now);
      if (shown.has(digest)) void this.#store(digest, known, now);
      else if (referred.has(digest))
        this.#holdTwice({ digest, bytes, isInUse: inUse.has(digest) }, known, now);
      else if (this.#mayGo(digest, left, now - known.since, retention.uploadMs))
        this.#release(digest, released);
    }
    const still = new Set(all.map(({ digest }) => digest));
    for (const digest of this.#known.keys()) if (!still.has(digest)) this.#known.delete(digest);
    this.#giveReleased(released);
  }

  #knownOf(digest: Digest, now: number): Known {
    let known = this.#known.get(digest);
    if (known === undefined) {
      known = { since: now, lonelySince: null, wasAsked: false, storeAt: -Infinity };
      this.#known.set(digest, known);
    }
    return known;
  }

  /** REPL-7. What a trial left goes by a mark, which the journal has (GC-2). */
  #mayGo(digest: Digest, left: ReadonlySet<Digest>, ageMs: number, uploadMs: number): boolean {
    const { desk, state } = this.#options;
    const isOver = desk.isOver(digest);
    if (isOver === false) return false;
    if (state.gone.has(digest)) return true;
    return !left.has(digest) && (isOver ?? ageMs >= uploadMs);
  }

  /** REPL-5. */
  #holdTwice({ bytes, digest, isInUse }: Held, known: Known, now: number): void {
    const { desk, lostMs, state, tracker } = this.#options;
    const keepers = [...tracker.keepersOf(digest)];
    const present = keepers.filter((agent) => state.agents.get(agent)?.present === true);
    const folders = new Set(present.map((agent) => tracker.storeOf(agent)));
    if (folders.size >= 2) {
      known.lonelySince = null;
      known.wasAsked = false;
      return;
    }
    known.lonelySince ??= now;
    const isForGood = keepers.some((agent) => state.agents.get(agent)?.revoked === true);
    const [from] = present;
    if (from === undefined || desk.isUnderWay(digest)) return;
    if (!isForGood && !isInUse && now - known.lonelySince < lostMs) return;
    const isBegun = !known.wasAsked && desk.begin(from, { digest, bytes, trial: null }) !== null;
    known.wasAsked = true;
    if (!isBegun) void this.#store(digest, known, now);
  }

  /** Puts it into the mesh's store; once it is there nobody need keep it. */
  async #store(digest: Digest, known: Known, now: number): Promise<void> {
    const { giveOrder, log, prove, state, tracker } = this.#options;
    // A store that cannot be asked now is asked at the next look.
    const proof = await prove(digest).catch(() => null);
    if (proof === "right") {
      const released = new Map<string, Digest[]>();
      this.#stored.add(digest);
      this.#release(digest, released);
      this.#giveReleased(released);
      return;
    }
    const from = [...tracker.keepersOf(digest)].find((agent) => state.agents.get(agent)?.present === true);
    if (proof === null || from === undefined || now - known.storeAt < storeAgainMs) return;
    known.storeAt = now;
    log(`artifact ${digest.slice(0, 12)} is to be put into the mesh's store by agent ${from}`);
    giveOrder({ agent: from, name: "replica", body: { epoch: state.meta.epoch, store: [digest] } });
  }

  #release(digest: Digest, released: Map<string, Digest[]>): void {
    const { tracker } = this.#options;
    for (const agent of [...tracker.keepersOf(digest)]) {
      released.set(agent, [...(released.get(agent) ?? []), digest]);
      // Whoever asks from now on does not count on it.
      tracker.release(agent, digest);
    }
  }

  #giveReleased(released: ReadonlyMap<string, readonly Digest[]>): void {
    const { giveOrder, state } = this.#options;
    for (const [agent, digests] of released)
      for (let from = 0; from < digests.length; from += replicasMax) {
        const release = digests.slice(from, from + replicasMax);
        giveOrder({ agent, name: "replica", body: { epoch: state.meta.epoch, release } });
      }
  }
}
