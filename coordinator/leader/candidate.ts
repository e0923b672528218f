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
import { apply } from "../core/apply.ts";
import { brokenInvariants } from "../core/invariant.ts";
import { defaultSettings, type CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";
import { EventLog } from "../view/event-log.ts";
import { hearsNoLeader } from "./hears-no-leader.ts";
import { Journal, JournalBroken } from "../journal/journal.ts";
import type { CoordinatorKeys } from "../journal/seal.ts";
import { ProjectionStore } from "../projection/projection-store.ts";
import type { SamplerWorker } from "../../search/choose/sampler-worker-port.ts";
import { beginTerm, type Term } from "./term.ts";

export interface CandidateOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly keys: CoordinatorKeys;
  readonly store: Store;
  /** Works out proposals; ours to use, the caller's to close. */
  readonly sampler: SamplerWorker;
  readonly clock: Clock;
  /** Uniform in [0, 1): spreads candidates out in time. */
  readonly random: () => number;
  readonly settings?: Partial<CoordinatorSettings>;
  readonly replicas?: number;
  /** Put back what the server's journal has lost, from this coordinator's own copy, before anything else. */
  readonly restoreJournal?: boolean;
  readonly log: (line: string) => void;
  /** The coordinator cannot go on without a person: broken journal, full disk, broken invariant. */
  readonly onHalt: (reason: string) => void;
  /** Told every time the state has changed durably; for tests. */
  readonly onState?: (state: State) => void;
}

export interface Candidate {
  role(): "standby" | "leader" | "halted";
  stop(): Promise<void>;
}

const standbyPauseMs = 500;
const spreadMs = 400;
/** Failures of the bus that are waited out; any other is for a person to mend. */
const healsByItself: ReadonlySet<BusErrorKind> = new Set([
  "unavailable",
  "timeout",
  "no-responders",
  "no-stream",
]);

export function startCandidate(options: CandidateOptions): Candidate {
  const { bus, clock, log, mesh, name } = options;
  const settings = { ...defaultSettings, ...options.settings };
  const nobodyLeads = (patienceMs: number) =>
    hearsNoLeader({ bus, clock, subject: subjectsOf(mesh).query("coordinator", name, "ping"), patienceMs });
  const journal = new Journal(bus, mesh, clock, options.keys);
  const store = new ProjectionStore(options.store, halt);
  const events = new EventLog();
  let { state, position } = store.load();
  let role: "standby" | "leader" | "halted" = "standby";
  let stopped = false;
  let lastTrouble = "";
  let term: Term | null = null;

  function halt(error: unknown): void {
    role = "halted";
    stopped = true;
    term?.end();
    const why = errorSentence(error);
    const hint =
      error instanceof JournalBroken
        ? "; `trialmesh up --restore-journal` puts back what this coordinator has a copy of"
        : "";
    options.onHalt(why + hint);
  }

  /** Applies what the journal has beyond our position. */
  async function catchUp(): Promise<void> {
    for (;;) {
      const entries = await journal.readAfter(position);
      for (const entry of entries) {
        for (const event of entry.batch.events) apply(state, event, entry.batch.at);
        events.add(entry.batch.events, entry.position.sequence, entry.batch.at);
        position = entry.position;
        store.copy(position.sequence, entry.bytes);
      }
      if (entries.length === 0) break;
      store.save(state, position);
      options.onState?.(state);
    }
  }

  async function tryToLead(): Promise<boolean> {
    await catchUp();
    const broken = brokenInvariants(state);
    if (broken.length > 0) {
      const first = broken[0];
      throw new Error(`the journal's state breaks ${first?.rule} at ${first?.where}: ${first?.detail}`);
    }
    const at = clock.now();
    const epoch = state.meta.epoch + 1;
    const event = { kind: "LeaderElected", epoch, leader: name } as const;
    const next = await journal.append(position, epoch, at, [event], () => false);
    if (next === null) return false;
    apply(state, event, at);
    position = next.position;
    events.add([event], position.sequence, at);
    store.copy(position.sequence, next.bytes);
    store.save(state, position);
    return true;
  }

  async function lead(): Promise<void> {
    role = "leader";
    log(`leading, epoch ${state.meta.epoch}, journal at ${position.sequence}`);
    term = beginTerm({ ...options, settings, state, position, journal, store, events, onError: halt });
    await term.over;
    term = null;
    await store.flushed();
    if (role === "leader") role = "standby";
    // The memory may hold what never became durable: start again from what is.
    ({ state, position } = store.load());
    events.clear();
  }

  async function live(): Promise<void> {
    while (!stopped) {
      try {
        for (const spec of streamSpecsOf(mesh, options.replicas ?? 1, randomBytes(16).toString("hex")))
          await bus.ensureStream(spec);
        if (options.restoreJournal === true) {
          const count = await journal.restore(position, (sequence) => store.copyAt(sequence));
          if (count > 0) log(`put ${count} lost messages back into the server's journal`);
        }
        await journal.verify(position);
        await standBy();
      } catch (error) {
        if (!(error instanceof BusError) || !healsByItself.has(error.kind)) {
          halt(error);
          return;
        }
        if (error.message !== lastTrouble) log(`waiting: ${error.message}`);
        lastTrouble = error.message;
        await sleep(clock, standbyPauseMs);
      }
    }
  }

  async function standBy(): Promise<void> {
    while (!stopped) {
      await catchUp();
      if (await nobodyLeads(settings.leaderSilentMs)) {
        await sleep(clock, options.random() * spreadMs);
        // Another candidate may lead by now, and would answer; one that hangs has had its while.
        if (!stopped && (await nobodyLeads(0)) && (await tryToLead())) await lead();
      }
      if (!stopped) await sleep(clock, standbyPauseMs);
    }
  }

  const life = live();
  return {
    role: () => role,
    async stop() {
      stopped = true;
      term?.end();
      await life;
      await store.flushed().catch(() => {});
    },
  };
}
