/**
 * A coordinator process: stands by following the journal, leads when nobody does, steps down when its
 * append is refused. The journal alone decides who leads; the ping is only a hint about when to try.
 */
import { randomBytes } from "node:crypto";
import { BusError, type Bus, type Subscription } from "../protocol/bus/bus.ts";
import { sleep, type Clock } from "../protocol/clock.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import { beaconSchema, type Beacon } from "../protocol/order.ts";
import { streamSpecsOf, subjectsOf } from "../protocol/subjects.ts";
import type { Store } from "../store/store.ts";
import { apply } from "./core/apply.ts";
import { brokenInvariants } from "./core/invariant.ts";
import { defaultSettings, type CoordinatorSettings } from "./core/setting.ts";
import type { State } from "./core/state.ts";
import { EventLog } from "./event-log.ts";
import { serveInbox, serveRequests } from "./intake.ts";
import { Journal, JournalBroken } from "./journal/journal.ts";
import { Leader } from "./leader.ts";
import { PresenceBoard } from "./presence-board.ts";
import { ProjectionStore } from "./projection-store.ts";

export interface CandidateOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly store: Store;
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
const pingTimeoutMs = 1_000;
const spreadMs = 400;
/** So many of its own beacons may stay away before a leader takes the server for one that hangs. */
const beaconsMissedMax = 3;

export function startCandidate(options: CandidateOptions): Candidate {
  const { bus, clock, log, mesh, name } = options;
  const settings = { ...defaultSettings, ...options.settings };
  const subjects = subjectsOf(mesh);
  const journal = new Journal(bus, mesh, clock);
  const store = new ProjectionStore(options.store, halt);
  const events = new EventLog();
  let { state, position } = store.load();
  let role: "standby" | "leader" | "halted" = "standby";
  let stopped = false;
  let finishLeading: (() => void) | null = null;

  function halt(error: unknown): void {
    role = "halted";
    stopped = true;
    finishLeading?.();
    const why = error instanceof Error ? error.message : String(error);
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

  /** Nobody answers for the leader: true. Somebody does, or we cannot know: false. */
  async function nobodyLeads(patienceMs: number): Promise<boolean> {
    const ping = subjects.query("coordinator", name, "ping");
    const began = clock.monotonic();
    for (;;) {
      try {
        await bus.request(ping, toBytes({}), pingTimeoutMs);
        return false;
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (error.kind === "no-responders") return true;
        if (error.kind !== "timeout" || stopped) return false;
        // Somebody listens but says nothing: a leader that hangs. It gets a while.
        if (clock.monotonic() - began >= patienceMs) return true;
      }
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
    const began = clock.now();
    log(`leading, epoch ${state.meta.epoch}, journal at ${position.sequence}`);
    const board = new PresenceBoard();
    const subscriptions: Subscription[] = [];
    const timers: (() => void)[] = [];
    const over = new Promise<void>((resolve) => (finishLeading = resolve));
    const leader = new Leader({
      state,
      position,
      journal,
      store,
      clock,
      settings,
      send: (order) => bus.publish(subjects.order(order.agent, order.name), toBytes(order.body)),
      onBatch: (batch, at, time) => {
        events.add(batch, at.sequence, time);
        options.onState?.(state);
      },
      onDeposed: () => {
        log("another coordinator leads; standing by");
        finishLeading?.();
      },
      onError: halt,
    });
    const every = (ms: number, run: () => void) => {
      let cancel = () => {};
      const again = () => {
        cancel = clock.setTimer(ms, () => {
          run();
          again();
        });
      };
      again();
      timers.push(() => cancel());
    };
    const beacon = () => {
      const body: Beacon = { epoch: state.meta.epoch, leader: name, at: clock.now() };
      bus.publish(subjects.epoch, toBytes(body));
    };
    // After a server's absence reports are still on their way: nothing expires until they had their time.
    let heardFrom = clock.monotonic();
    const offStatus = bus.onStatus((event) => {
      if (event.kind === "connected") heardFrom = clock.monotonic();
    });
    // A server that hangs keeps its connections: only our own beacon coming back says that it passes things on.
    let echoedAt = clock.monotonic();
    const echoes = () => clock.monotonic() - echoedAt <= settings.beaconMs * beaconsMissedMax;
    const settled = () =>
      bus.status() === "connected" &&
      echoes() &&
      clock.monotonic() - heardFrom > settings.graceMs + settings.presenceMs;
    // One that was cut off and has nothing to append would never learn that it was deposed.
    subscriptions.push(
      bus.subscribe(subjects.epoch, (message) => {
        const other = beaconSchema.safeParse(fromBytes(message.data));
        if (!echoes()) heardFrom = clock.monotonic();
        echoedAt = clock.monotonic();
        if (other.success && other.data.epoch > state.meta.epoch) {
          log(`${other.data.leader} leads in epoch ${other.data.epoch}; standing by`);
          finishLeading?.();
        }
      }),
    );
    subscriptions.push(...serveRequests({ bus, mesh, leader, board, clock, events, settings, log }));
    subscriptions.push(serveInbox({ bus, mesh, leader, board, clock, events, settings, log }));
    beacon();
    every(settings.beaconMs, beacon);
    every(Math.min(1_000, settings.graceMs), () => {
      if (settled()) leader.submit({ input: { kind: "expire" }, done: () => {} });
    });
    every(settings.presenceMs, () => {
      if (!settled()) return;
      const present = [...state.agents.values()].filter((agent) => agent.present).map(({ agent }) => agent);
      for (const agent of board.silentSince(present, clock.now() - settings.silentMs, began)) {
        leader.submit({ input: { kind: "silent", agent }, done: () => {} });
      }
    });
    every(settings.resendMs, () => leader.resend());

    await over;
    finishLeading = null;
    leader.stop();
    offStatus();
    for (const cancel of timers) cancel();
    for (const subscription of subscriptions) subscription.close();
    await store.flushed().catch(() => {});
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
        if (error instanceof BusError && error.kind !== "server-too-old") {
          await sleep(clock, standbyPauseMs);
          continue;
        }
        halt(error);
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
      finishLeading?.();
      await life;
      await store.flushed().catch(() => {});
    },
  };
}
