/**
 * Where an agent that has made a large checkpoint is found another that holds it too: the leader vouches that it holds the lease, says who
 * is to bring it, and knows when it is there. In memory only, of one term: whoever waits asks the next leader again. Not here: who is
 * asked first (`placement/rank-replica.ts`), and how bytes travel.
 *
 * REPL-1: a checkpoint counts as held only once an agent with another folder of artifacts says that it keeps it whole.
 * REPL-8: whoever asks is no keeper before it says so itself: it may give the question up, and nobody hears of that.
 * REPL-9: what was collected goes to the mesh's store when it is made again; until a report names it nobody else keeps it for sure.
 * REPL-3: an agent is asked only on behalf of whoever holds a lease, for no more than it has room for, a few at a time.
 */
import type { Digest, Fence } from "../../protocol/id.ts";
import { bytesPerGiB, bytesPerMiB } from "../../protocol/byte-unit.ts";
import { RateLimit } from "../../protocol/rate-limit.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { ReplicaAnswer } from "../../protocol/tracking.ts";
import { choiceInGroup } from "../placement/feasible.ts";
import { rankReplicas, type ReplicaCandidate } from "../placement/rank-replica.ts";
import { attemptByFence, mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { takesWork } from "../state/takes-work.ts";
import type { GiveOrder } from "./give-order.ts";
import type { Tracker } from "./tracker.ts";

/** A question is answered after this long at the latest, ms: whoever waits asks again. */
const answerMs = 2_000;
/** An agent that was asked says so soon that it begins, or is left, ms. */
const beginMs = 3_000;
/** One that did not the last time, as with a credential of before, which does not let it hear of it, is waited for so long, ms. */
const beginAgainMs = 500;
/** Then it has so long, ms, and for so many bytes a second more. */
const bringMs = 10_000;
const bringBytesPerSecond = bytesPerMiB;
/** Who did not react, or declined, is not asked for so long, ms. */
const asideMs = 5 * 60_000;
const declinedMs = 20_000;
/** Agents asked for one replica, before the mesh's store is to hold it. */
const triesMax = 3;
/** Replicas that one agent brings at once, and that one agent asks for at once. */
const perTakerMax = 2;
const perAskerMax = 8;
/** A transfer of so many bytes tells how fast an agent receives. */
const measuredBytesMin = 4 * bytesPerMiB;
/** Agents that are compared. */
const candidatesMax = 64;
/** Remembered, the oldest forgotten first. */
const madeMax = 100_000;
/** QUOTA-1: bytes that one agent may ask others to hold. */
const bytesRate = { perSecond: 256 * bytesPerMiB, atOnce: 64 * bytesPerGiB } as const;

export interface ReplicaDeskOptions {
  readonly clock: Clock;
  readonly state: State;
  readonly tracker: Tracker;
  readonly giveOrder: GiveOrder;
}

export interface ReplicaAsked {
  readonly digest: Digest;
  readonly bytes: number;
  readonly fence: Fence;
}

/**
 * For which lease, and in which order of all questions: what is asked again may have been made once, and its answer lost, or twice. So what was
 * asked for only before another was asked for at all is known to be older, and nothing else is.
 */
interface Made {
  readonly fence: Fence;
  readonly firstAsked: number;
  readonly lastAsked: number;
}

interface Wish {
  readonly digest: Digest;
  readonly bytes: number;
  /** The trial that goes on from it; null where nobody asks on a lease's behalf. */
  readonly trial: Trial | null;
}

/**
 * A replica that somebody waits for:
 *
 * | state   | told by                  | what moves it on                                                                 |
 * | ------- | ------------------------ | -------------------------------------------------------------------------------- |
 * | asked   | `target`, not `#hasBegun` | it has some of it: begun; it declines or `beginMs` are over: asked of the next, or none |
 * | begun   | `target` has some of it  | it keeps all of it: held; it declines or its time is over: asked of the next, or none   |
 * | held, none | forgotten             |                                                                                  |
 */
interface UnderWay {
  readonly wish: Wish;
  readonly from: string;
  readonly tried: Set<string>;
  readonly waiting: Set<(answer: ReplicaAnswer) => void>;
  target: string;
  hasBegun: boolean;
  orderedAt: number;
  /** Which of its turns a timer belongs to. */
  turn: number;
}

export class ReplicaDesk {
  readonly #options: ReplicaDeskOptions;
  readonly #underWay = new Map<Digest, UnderWay>();
  /** Until when each is not asked, on the monotonic clock. */
  readonly #aside = new Map<string, number>();
  /** Who was asked last and said nothing. */
  readonly #silent = new Set<string>();
  /** By digest of what somebody asked a replica of. */
  readonly #made = new Map<Digest, Made>();
  #number = 0;
  readonly #bytes = new RateLimit(bytesRate);

  constructor(options: ReplicaDeskOptions) {
    this.#options = options;
  }

  /** Resolves with what is known within `answerMs`. */
  async ask(asker: string, asked: ReplicaAsked): Promise<ReplicaAnswer> {
    const { state, tracker } = this.#options;
    const { bytes, digest, fence } = asked;
    const found = attemptByFence(state, fence);
    if (found === null || found.attempt.agent !== asker) return none;
    // REPL-9: agents that are told to drop what was collected drop it although it is made again just now.
    if (state.gone.has(digest)) return none;
    tracker.note(asker, digest);
    this.#noteMade(digest, fence);
    const by = this.#holderBeside(asker, digest);
    if (by !== null) return { state: "held", by };
    const known = this.#underWay.get(digest);
    if (known !== undefined && state.agents.get(known.target)?.present !== true) this.#goOn(known);
    if (!this.#underWay.has(digest) && !this.#mayAsk(asker, bytes)) return none;
    const underWay = this.#underWay.get(digest) ?? this.begin(asker, { digest, bytes, trial: found.trial });
    if (underWay === null) return none;
    const answer = await this.#answerOf(underWay);
    // Its report leaves now, behind those of what was held before.
    if (answer.state === "held") this.#noteMade(digest, fence);
    return answer;
  }

  #answerOf(underWay: UnderWay): Promise<ReplicaAnswer> {
    const answer = Promise.withResolvers<ReplicaAnswer>();
    underWay.waiting.add(answer.resolve);
    this.#options.clock.setTimer(answerMs, () => {
      underWay.waiting.delete(answer.resolve);
      answer.resolve({ state: "under way" });
    });
    return answer.promise;
  }

  /** Asks the best agent there is to hold it beside `from`; null where none can, or it is under way. */
  begin(from: string, wish: Wish): UnderWay | null {
    if (this.#underWay.has(wish.digest)) return null;
    const underWay = {
      ...{ wish, from, tried: new Set([from]), waiting: new Set<(answer: ReplicaAnswer) => void>() },
      ...{ target: "", hasBegun: false, orderedAt: 0, turn: 0 },
    };
    return this.#askNext(underWay) ? underWay : null;
  }

  /** GC-5: whether no report that could name it is on its way any more; null where nobody asked for it in this term. */
  isOver(digest: Digest): boolean | null {
    const { state } = this.#options;
    const made = this.#made.get(digest);
    if (made === undefined) return null;
    const found = attemptByFence(state, made.fence);
    if (found === null) return true;
    const newest = this.#made.get(found.trial.checkpoint?.digest ?? "");
    return newest !== undefined && newest.fence === made.fence && newest.firstAsked > made.lastAsked;
  }

  /** The newest last. */
  #noteMade(digest: Digest, fence: Fence): void {
    const before = this.#made.get(digest);
    const number = ++this.#number;
    this.#made.delete(digest);
    const firstAsked = before?.fence === fence ? before.firstAsked : number;
    this.#made.set(digest, { fence, firstAsked, lastAsked: number });
    const [oldest] = this.#made.keys();
    if (this.#made.size > madeMax && oldest !== undefined) this.#made.delete(oldest);
  }

  isUnderWay(digest: Digest): boolean {
    return this.#underWay.has(digest);
  }

  /** An agent has said what it holds, or what not any more. */
  heard(agent: string): void {
    for (const underWay of this.#underWay.values()) if (underWay.target === agent) this.#look(underWay);
  }

  /** It was asked, and will not. */
  declined(agent: string, digest: Digest): void {
    const underWay = this.#underWay.get(digest);
    if (underWay?.target !== agent) return;
    this.#silent.delete(agent);
    this.#setAside(agent, declinedMs);
    this.#goOn(underWay);
  }

  /** An agent that is present and keeps it in another folder than `agent` does; null where there is none. */
  #holderBeside(agent: string, digest: Digest): string | null {
    const { state, tracker } = this.#options;
    const own = tracker.storeOf(agent);
    for (const keeper of tracker.keepersOf(digest))
      if (keeper !== agent && tracker.storeOf(keeper) !== own && state.agents.get(keeper)?.present === true)
        return keeper;
    return null;
  }

  #mayAsk(asker: string, bytes: number): boolean {
    const open = [...this.#underWay.values()].filter(({ from }) => from === asker).length;
    return open < perAskerMax && this.#bytes.allows(asker, this.#options.clock.monotonic(), bytes);
  }

  #look(underWay: UnderWay): void {
    const { tracker } = this.#options;
    const { from, target, wish } = underWay;
    const by = this.#holderBeside(from, wish.digest);
    if (by !== null) this.#measure(underWay);
    if (by !== null) this.#silent.delete(by);
    if (by !== null) return this.#end(underWay, { state: "held", by });
    if (underWay.hasBegun || !tracker.hasPart(target, wish.digest)) return;
    underWay.hasBegun = true;
    this.#silent.delete(target);
    this.#waitFor(underWay, bringMs + (wish.bytes / bringBytesPerSecond) * 1_000);
  }

  /** What is too small says more of the way there and back than of the way's width. */
  #measure({ hasBegun, orderedAt, target, wish }: UnderWay): void {
    const { clock, tracker } = this.#options;
    const ms = clock.monotonic() - orderedAt;
    if (hasBegun && wish.bytes >= measuredBytesMin && ms > 0)
      tracker.noteRate(target, (wish.bytes / ms) * 1_000);
  }

  /** False where there is nobody left to be asked; it is forgotten then. */
  #askNext(underWay: UnderWay): boolean {
    const { clock, giveOrder, state } = this.#options;
    const { from, tried, wish } = underWay;
    const next = tried.size > triesMax ? null : this.#best(from, wish, tried);
    if (next === null) {
      this.#underWay.delete(wish.digest);
      return false;
    }
    tried.add(next);
    Object.assign(underWay, { target: next, hasBegun: false, orderedAt: clock.monotonic() });
    this.#underWay.set(wish.digest, underWay);
    const take = { digest: wish.digest, bytes: wish.bytes };
    giveOrder({ agent: next, name: "replica", body: { epoch: state.meta.epoch, take } });
    this.#waitFor(underWay, this.#silent.has(next) ? beginAgainMs : beginMs);
    return true;
  }

  #waitFor(underWay: UnderWay, ms: number): void {
    const turn = ++underWay.turn;
    this.#options.clock.setTimer(ms, () => {
      if (underWay.turn !== turn || this.#underWay.get(underWay.wish.digest) !== underWay) return;
      if (!underWay.hasBegun) this.#silent.add(underWay.target);
      this.#setAside(underWay.target, asideMs);
      this.#goOn(underWay);
    });
  }

  #goOn(underWay: UnderWay): void {
    if (!this.#askNext(underWay)) this.#end(underWay, { state: "none" });
  }

  #end(underWay: UnderWay, answer: ReplicaAnswer): void {
    underWay.turn++;
    this.#underWay.delete(underWay.wish.digest);
    for (const resolve of underWay.waiting) resolve(answer);
    underWay.waiting.clear();
  }

  #setAside(agent: string, ms: number): void {
    this.#aside.set(agent, this.#options.clock.monotonic() + ms);
  }

  #best(from: string, { bytes, digest, trial }: Wish, tried: ReadonlySet<string>): string | null {
    const { clock, state, tracker } = this.#options;
    const isPresent = (agent: string) => state.agents.get(agent)?.present === true;
    const door = tracker.reachOf(from, isPresent);
    if (door === null) return null;
    const own = tracker.storeOf(from);
    const busy = this.#busy();
    const now = clock.monotonic();
    const sweep = trial === null ? null : mustGet(state.sweeps, trial.sweep, "sweep");
    const candidates: ReplicaCandidate[] = [];
    for (const { agent, door: place, room, store } of tracker.takers(isPresent)) {
      if (candidates.length >= candidatesMax) break;
      const { bytes: coming = 0, count = 0 } = busy.get(agent) ?? {};
      const needs = tracker.has(agent, digest) === true ? 0 : bytes;
      if (tried.has(agent) || store === own || room - coming < needs || count >= perTakerMax) continue;
      if ((this.#aside.get(agent) ?? -Infinity) > now || !mayTake(state, agent)) continue;
      const couldRun = trial !== null && sweep !== null && fits(state, agent, sweep, trial);
      candidates.push({ agent, door: place, couldRun, underWay: count, load: loadOf(state, agent) });
    }
    return rankReplicas(door, candidates)[0]?.agent ?? null;
  }

  #busy(): Map<string, { readonly bytes: number; readonly count: number }> {
    const found = new Map<string, { readonly bytes: number; readonly count: number }>();
    for (const { target, wish } of this.#underWay.values()) {
      const { bytes, count } = found.get(target) ?? { bytes: 0, count: 0 };
      found.set(target, { bytes: bytes + wish.bytes, count: count + 1 });
    }
    return found;
  }
}

const none: ReplicaAnswer = { state: "none" };

/** One that is about to leave, or that is not trusted, is no place for what is to last. */
function mayTake({ agents }: State, name: string): boolean {
  const agent = agents.get(name);
  return agent?.present === true && !agent.draining && !agent.cordoned;
}

function fits(state: State, name: string, sweep: Sweep, { model }: Trial): boolean {
  const choice = choiceInGroup(state, name, sweep, model);
  return choice !== null && takesWork(choice.agent);
}

function loadOf(state: State, name: string): number {
  const slots = state.agents.get(name)?.policy.slots ?? 1;
  return (state.held.get(name)?.size ?? 0) / Math.max(1, slots);
}
