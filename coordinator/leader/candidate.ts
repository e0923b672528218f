/**
 * A coordinator process: stands by following the journal, leads when nobody does, steps down when its
 * append is refused. The journal alone decides who leads; the ping is only a hint about when to try.
 */
import { randomBytes } from "node:crypto";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { BusError, type Bus, type BusErrorKind } from "../../protocol/bus/bus.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import { streamSpecsOf, subjectsOf } from "../../protocol/subjects.ts";
import type { Store } from "../../store/store.ts";
import { defaultSettings, type CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";
import { EventLog } from "../view/event-log.ts";
import { BeaconEar } from "./beacon-ear.ts";
import { hearsNoLeader } from "./hears-no-leader.ts";
import { JournalFollower } from "./journal-follower.ts";
import { keepWatch } from "./keep-watch.ts";
import { Journal, JournalBroken, JournalNewer } from "../journal/journal.ts";
import { JournalWatch } from "../journal/journal-watch.ts";
import type { CoordinatorKeys } from "../journal/seal.ts";
import { signedAtIn } from "../journal/signed-at.ts";
import { ProjectionStore } from "../projection/projection-store.ts";
import type { SamplerWorker } from "../../search/choose/sampler-worker-port.ts";
import { FaultBook } from "./fault-book.ts";
import { SetAside } from "./set-aside.ts";
import { beginTerm, type Term } from "./term.ts";

export interface CandidateOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly keys: CoordinatorKeys;
  readonly store: Store;
  /** Where its copy of the journal lies. */
  readonly journalCopy: Store;
  /** Works out proposals; ours to use, the caller's to close. */
  readonly sampler: SamplerWorker;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads candidates out in time. */
  readonly random: () => number;
  readonly settings?: Partial<CoordinatorSettings>;
  readonly replicas?: number;
  /** Whether, leading, it reads the artifacts on record now and then, to find what is lost. */
  readonly scrubs?: boolean;
  /** Put back what the server's journal has lost, from this coordinator's own copy, before anything else. */
  readonly restoreJournal?: boolean;
  readonly log: (line: string) => void;
  /**
   * The coordinator cannot go on: broken journal, broken invariant, which a person has to mend; or a StoreError `damaged`: its memory
   * has to be opened anew.
   */
  readonly onHalt: (reason: string, error: unknown) => void;
  /** Told every time the state has changed durably; for tests. */
  readonly onState?: (state: State) => void;
}

/**
 * | state   | `role`  | what it does                                   | what moves it on                                     |
 * | ------- | ------- | ---------------------------------------------- | ---------------------------------------------------- |
 * | waiting | standby | nothing for a while: the bus is away           | the bus answers: standby; it fails as what heals by  |
 * |         |         |                                                | itself: waiting again, in any other way: halted      |
 * | standby | standby | follows the journal, asks now and then whether | nobody does and its append of the election is taken: |
 * |         |         | anybody leads                                  | leader; the bus fails: waiting                       |
 * | leader  | leader  | nothing itself: the term works on its state    | the term is over: standby, from what is durable; the |
 * |         |         |                                                | term breaks: halted                                  |
 * | halted  | halted  | nothing: a person has to mend it               | nothing                                              |
 *
 * `stop` ends each of them: a term first, then the loop at its next look.
 */
export interface Candidate {
  role(): "standby" | "leader" | "halted";
  stop(): Promise<void>;
}

const standbyPauseMs = 500;
const spreadMs = 400;
/** A journal that takes longer to read is read to its end while the coordinator goes on, ms. */
const readBeforeMs = 5_000;
/** Only another program helps: no need to ask often. */
const newerPauseMs = 5_000;
/** Failures of the bus that are waited out; any other is for a person to mend. */
const healsByItself: ReadonlySet<BusErrorKind> = new Set([
  "unavailable",
  "timeout",
  "no-responders",
  "no-stream",
  "stream-full",
]);

/** How long to wait before all is tried again, ms; null where a person has to mend it. */
function pauseAfter(error: unknown): number | null {
  // FORMAT-3: a standby of an older version stays, and leads only once it can read all there is.
  if (error instanceof JournalNewer) return newerPauseMs;
  return error instanceof BusError && healsByItself.has(error.kind) ? standbyPauseMs : null;
}

export function startCandidate(options: CandidateOptions): Candidate {
  return new JournalCandidate(options);
}

/**
 * | role    | what it does                          | what moves it on                                                   |
 * | ------- | ------------------------------------- | ------------------------------------------------------------------ |
 * | standby | follows the journal, waits out what   | nobody answers as leader and its election is appended: leader;     |
 * |         | heals by itself                       | what only a person can mend: halted                                |
 * | leader  | its term decides and appends          | the term ends, by a refused append or a lost server: standby, from |
 * |         |                                       | what is durable; broken journal, damage, broken rule: halted    |
 * | halted  | nothing; `onHalt` has the reason      | nothing                                                            |
 */
class JournalCandidate implements Candidate {
  readonly #options: CandidateOptions;
  readonly #settings: CoordinatorSettings;
  readonly #journal: Journal;
  readonly #store: ProjectionStore;
  readonly #events = new EventLog();
  readonly #faults = new FaultBook();
  readonly #setAside: SetAside;
  readonly #follower: JournalFollower;
  readonly #watch: JournalWatch;
  readonly #ear: BeaconEar;
  readonly #life: Promise<void>;
  #endWatch: (() => void) | null = null;
  #role: "standby" | "leader" | "halted" = "standby";
  #stopped = false;
  #willRestore: boolean;
  #lastTrouble = "";
  #term: Term | null = null;

  constructor(options: CandidateOptions) {
    const { bus, clock, keys, log, mesh, name, onState } = options;
    this.#options = options;
    this.#willRestore = options.restoreJournal === true;
    this.#settings = { ...defaultSettings, ...options.settings };
    this.#journal = new Journal(bus, mesh, clock, keys);
    this.#store = new ProjectionStore(options.store, options.journalCopy, (error) => this.#halt(error), log);
    this.#setAside = new SetAside(options.journalCopy, clock, (error) => this.#halt(error));
    this.#follower = new JournalFollower({
      name,
      journal: this.#journal,
      signedAt: signedAtIn(mesh, keys.trust),
      store: this.#store,
      events: this.#events,
      clock,
      log,
      onState: (state) => onState?.(state),
    });
    this.#watch = new JournalWatch(this.#journal, this.#store.copy, log);
    const epoch = () => this.#follower.state.meta.epoch;
    this.#ear = new BeaconEar({ mesh, name, bus, clock, trust: keys.trust, epoch });
    this.#life = this.#live();
  }

  role(): "standby" | "leader" | "halted" {
    return this.#role;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ear.close();
    this.#endWatch?.();
    this.#term?.end();
    await this.#life;
    await this.#store.flushed().catch(() => {});
    await this.#setAside.flush().catch(() => {});
  }

  #halt(error: unknown): void {
    this.#role = "halted";
    this.#stopped = true;
    this.#ear.close();
    this.#endWatch?.();
    this.#term?.end();
    const hint =
      error instanceof JournalBroken
        ? "; `trialmesh up --restore-journal` puts back what this coordinator has a copy of"
        : "";
    this.#options.onHalt(errorSentence(error) + hint, error);
  }

  async #live(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#begin();
        await this.#standBy();
      } catch (error) {
        const pauseMs = pauseAfter(error);
        if (pauseMs === null) return this.#halt(error);
        const trouble = errorSentence(error);
        if (trouble !== this.#lastTrouble) this.#options.log(`waiting: ${trouble}`);
        this.#lastTrouble = trouble;
        await sleep(this.#options.clock, pauseMs);
      }
    }
  }

  /** The streams as they must be, and the journal as we know it, all of it; before anything is followed. */
  async #begin(): Promise<void> {
    const { bus, clock, log, mesh, replicas } = this.#options;
    // JOURNAL-8: a fresh stream in the place of one that is gone would be a mesh that has forgotten everything.
    if (!this.#willRestore) await this.#follower.expectJournal();
    for (const spec of streamSpecsOf(mesh, replicas ?? 1, randomBytes(16).toString("hex")))
      await bus.ensureStream(spec);
    if (this.#willRestore) {
      const { copy } = this.#store;
      const count = await this.#journal.restore(copy.end, (sequence) => copy.at(sequence));
      if (count > 0) log(`put ${count} lost messages back into the server's journal`);
      // Once: after the next absence of the server its journal may be longer than our copy, and right.
      this.#willRestore = false;
    }
    await this.#follower.verify();
    await this.#follower.completeCopy();
    const until = clock.monotonic() + readBeforeMs;
    await this.#watch.readAll(() => !this.#stopped && clock.monotonic() < until);
    this.#endWatch ??= keepWatch(clock, this.#watch, (error) => this.#halt(error));
  }

  async #standBy(): Promise<void> {
    const { clock, random } = this.#options;
    while (!this.#stopped) {
      await this.#follower.catchUp();
      if (await this.#nobodyLeads(this.#settings.leaderSilentMs)) {
        await sleep(clock, random() * spreadMs);
        // Another candidate may lead by now, and would answer; one that hangs has had its while.
        if (!this.#stopped && (await this.#nobodyLeads(0))) {
          const termClock = await this.#follower.elect();
          if (termClock !== null) await this.#lead(termClock);
        }
      }
      if (!this.#stopped) await sleep(clock, standbyPauseMs);
    }
  }

  async #lead(termClock: Clock): Promise<void> {
    const { position, state } = this.#follower;
    this.#role = "leader";
    this.#options.log(`leading, epoch ${state.meta.epoch}, journal at ${position.sequence}`);
    this.#term = beginTerm({
      ...this.#options,
      clock: termClock,
      machineClock: this.#options.clock,
      settings: this.#settings,
      state,
      position,
      journal: this.#journal,
      store: this.#store,
      events: this.#events,
      faults: this.#faults,
      setAside: this.#setAside,
      onError: (error) => this.#halt(error),
    });
    await this.#term.over;
    this.#term = null;
    await this.#store.flushed();
    if (this.#role === "leader") this.#role = "standby";
    this.#follower.reload();
  }

  #nobodyLeads(patienceMs: number): Promise<boolean> {
    const { bus, clock, mesh, name } = this.#options;
    return hearsNoLeader({
      bus,
      clock,
      subject: subjectsOf(mesh).query("coordinator", name, "ping"),
      patienceMs,
      isHeard: () => this.#ear.heardWithin(this.#settings.leaderSilentMs),
    });
  }
}
