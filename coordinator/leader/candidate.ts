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
import { replay } from "../core/replay.ts";
import { defaultSettings, type CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";
import { EventLog } from "../view/event-log.ts";
import { hearsNoLeader } from "./hears-no-leader.ts";
import { Journal, JournalBroken, JournalNewer } from "../journal/journal.ts";
import { ProjectionStore } from "../projection/projection-store.ts";
import type { SamplerWorker } from "../../search/choose/sampler-worker-port.ts";
import { beginTerm, type Term } from "./term.ts";

export interface CandidateOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
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
/** Only another program helps: no need to ask often. */
const newerPauseMs = 5_000;
/** Failures of the bus that are waited out; any other is for a person to mend. */
const healsByItself: ReadonlySet<BusErrorKind> = new Set([
  "unavailable",
  "timeout",
  "no-responders",
  "no-stream",
]);

/** How long to wait before all is tried again, ms; null where a person has to mend it. */
function pauseAfter(error: unknown): number | null {
  // FORMAT-3: a standby of an older version stays, and leads only once it can read all there is.
  if (error instanceof JournalNewer) return newerPauseMs;
  return error instanceof BusError && healsByItself.has(error.kind) ? standbyPauseMs : null;
}

export function startCandidate(options: CandidateOptions): Candidate {
  const { bus, clock, log, mesh, name } = options;
  const settings = { ...defaultSettings, ...options.settings };
  const nobodyLeads = (patienceMs: number) =>
    hearsNoLeader({ bus, clock, subject: subjectsOf(mesh).query("coordinator", name, "ping"), patienceMs });
  const journal = new Journal(bus, mesh, clock);
  const store = new ProjectionStore(options.store, options.journalCopy, halt);
  const events = new EventLog();
  let { state, position } = load();
  let role: "standby" | "leader" | "halted" = "standby";
  let stopped = false;
  let lastTrouble = "";
  let term: Term | null = null;

  function load() {
    const { unusable, ...loaded } = store.load();
    if (unusable !== null)
      log(`what this coordinator had stored cannot be used (${unusable}); it is built anew from the journal`);
    return loaded;
  }

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

  /** Copies what we have applied and have no copy of: it was lost, or a crash came between the two writes. */
  async function completeCopy(): Promise<void> {
    while (store.copy.end.sequence < position.sequence) {
      const entries = await journal.readAfter(store.copy.end);
      if (entries.length === 0) return;
      for (const entry of entries) store.copy.add(entry.position, entry.bytes);
      await store.copy.flush();
    }
  }

  /** Applies what the journal has beyond our position. */
  async function catchUp(): Promise<void> {
    for (;;) {
      const entries = await journal.readAfter(position);
      for (const entry of entries) {
        const replayed = replay(state, entry.batch);
        events.add(replayed, entry.position.sequence, entry.batch.at);
        position = entry.position;
        store.copy.add(position, entry.bytes);
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
    store.copy.add(position, next.bytes);
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
    ({ state, position } = load());
    events.clear();
  }

  async function live(): Promise<void> {
    while (!stopped) {
      try {
        for (const spec of streamSpecsOf(mesh, options.replicas ?? 1, randomBytes(16).toString("hex")))
          await bus.ensureStream(spec);
        if (options.restoreJournal === true) {
          const count = await journal.restore(store.copy.end, (sequence) => store.copy.at(sequence));
          if (count > 0) log(`put ${count} lost messages back into the server's journal`);
        }
        await journal.verify(store.copy.end);
        await journal.verify(position);
        await completeCopy();
        await standBy();
      } catch (error) {
        const pauseMs = pauseAfter(error);
        if (pauseMs === null) {
          halt(error);
          return;
        }
        const trouble = error instanceof Error ? error.message : String(error);
        if (trouble !== lastTrouble) log(`waiting: ${trouble}`);
        lastTrouble = trouble;
        await sleep(clock, pauseMs);
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
