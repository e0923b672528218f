/**
 * One term of leadership: the loop, what it listens to and its regular tasks, from the election to the
 * moment another leads, the process stops or something breaks. What it leaves in memory is the caller's to drop.
 */
import type { Bus, Subscription } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { beaconSchema, type Beacon } from "../../protocol/order.ts";
import { signHead } from "../../protocol/signed-head.ts";
import type { Digest } from "../../protocol/id.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";
import type { EventLog } from "../view/event-log.ts";
import { serveInbox, serveRequests, type IntakeOptions } from "./intake.ts";
import type { Journal, Position } from "../journal/journal.ts";
import type { CoordinatorKeys } from "../journal/seal.ts";
import { headCheck } from "./head-check.ts";
import { orderGiver } from "./give-order.ts";
import { ClockWatch } from "./clock-watch.ts";
import { asideOf, type FaultBook } from "./fault-book.ts";
import { Leader } from "./leader.ts";
import type { SetAside } from "./set-aside.ts";
import { HeartbeatBoard } from "../view/heartbeat-board.ts";
import type { ProjectionStore } from "../projection/projection-store.ts";
import { PackStore } from "./pack-store.ts";
import { Proposer } from "./proposer.ts";
import type { SamplerWorker } from "../../search/choose/sampler-worker-port.ts";
import { SenderQuota } from "./sender-quota.ts";
import { artifactsOnRecord, scrubBlobs, type OnRecord } from "./scrub-blobs.ts";
import { serveProofs } from "./serve-proofs.ts";
import { serveTracker } from "./serve-tracker.ts";
import { ServerPulse } from "./server-pulse.ts";
import { storeKeepers, type StoreKeepers } from "./store-keepers.ts";
import { Tracker } from "./tracker.ts";

export interface TermOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly keys: CoordinatorKeys;
  /** The term's own, from its election on: CLOCK-2, nothing that is done to the machine's clock reaches it. */
  readonly clock: Clock;
  /** What that is made of: where its time of day leaps, the machine may have slept. */
  readonly machineClock: Clock;
  readonly settings: CoordinatorSettings;
  /** Ours from here on. */
  readonly state: State;
  readonly position: Position;
  readonly journal: Journal;
  readonly store: ProjectionStore;
  readonly events: EventLog;
  readonly sampler: SamplerWorker;
  /** Uniform in [0, 1), and not to be guessed. */
  readonly random: () => number;
  /** Whether artifacts on record are read now and then, to find what is lost. */
  readonly scrubs?: boolean;
  readonly faults: FaultBook;
  readonly setAside: SetAside;
  readonly log: (line: string) => void;
  readonly onError: (error: unknown) => void;
  readonly onState?: (state: State) => void;
}

/**
 * | state   | what it does                                           | what moves it on                                          |
 * | ------- | ------------------------------------------------------ | --------------------------------------------------------- |
 * | running | answers, takes reports, schedules; beacons at its pace | its append is refused, a beacon of a higher epoch, `end`: |
 * |         |                                                        | over                                                      |
 * | over    | nothing: all that listened or was to come is cancelled | nothing: the next term is another                         |
 */
export interface Term {
  /** Resolves once the term has ended and nothing of it runs any more. */
  readonly over: Promise<void>;
  end(): void;
}

const expireEveryMs = 1_000;

export function beginTerm(options: TermOptions): Term {
  const { bus, clock, events, log, mesh, settings, state } = options;
  const giveOrder = orderGiver(bus, mesh, options.keys.signer, clock);
  const ended = Promise.withResolvers<void>();
  const pulse = new ServerPulse(bus, clock, settings.graceMs + settings.heartbeatMs, settings.beaconMs);
  const tracker = new Tracker();
  const leader = new Leader({
    ...options,
    holdings: tracker,
    send: giveOrder,
    onBatch: (batch, at, time) => {
      events.add(batch, at.sequence, time);
      lookForProposals();
    },
    onSettled: () => options.onState?.(state),
    onFault: (input, sentence) => {
      log(`set aside: ${sentence}`);
      options.setAside.note(asideOf(input, sentence));
    },
    onSpoilt: () => {
      log("what is in memory is dropped, and a new term begins from what is durable");
      ended.resolve();
    },
    onDeposed: () => {
      log("another coordinator leads; standing by");
      ended.resolve();
    },
  });
  const proposer = new Proposer({
    state,
    sampler: options.sampler,
    log,
    submit: (proposals) =>
      leader.submit({ input: { kind: "proposals", proposals }, done: () => lookForProposals() }),
  });
  const lookForProposals = () => {
    if (state.wanting.size > 0) leader.ask(() => proposer.look());
  };
  const packs = new PackStore(options);
  const keepers = storeKeepers({ ...options, leader, packs, giveOrder, tracker });
  const { archives, collector, desk, points, prover } = keepers;
  const spare = (digest: Digest) => prover.tell(digest);
  const wasTold = (digest: Digest, withinMs: number) => prover.wasTold(digest, withinMs);
  const store = { restMs: () => collector.restMs, spare, surveyMemory: collector.memory, tracker, wasTold };
  const ears = { ...earsOf(options), leader, giveOrder, packs, points, archives, ...store };
  const intake: IntakeOptions = { ...options, ...ears };
  const subscriptions: Subscription[] = [
    hearBeacons(options, pulse, ended.resolve),
    ...serveRequests(intake),
    serveInbox(intake),
    serveProofs(bus, mesh, prover),
    serveTracker({ ...options, quota: ears.quota }, tracker, desk),
  ];
  const timers = [
    ...regularTasks(options, intake, pulse, keepers),
    every(clock, settings.beaconMs, lookForProposals),
    every(clock, settings.beaconMs, () => keepers.look()),
  ];
  const over = ended.promise.then(() => {
    leader.stop();
    proposer.close();
    keepers.close();
    pulse.close();
    for (const cancel of timers) cancel();
    for (const subscription of subscriptions) subscription.close();
  });
  return { over, end: ended.resolve };
}

/** What of those who speak is remembered. */
function earsOf(options: TermOptions) {
  return {
    board: new HeartbeatBoard(),
    watch: new ClockWatch(options.machineClock),
    quota: new SenderQuota(options.log),
    checkHead: headCheck({ ...options, copy: options.store.copy }),
  };
}

/** One that was cut off and has nothing to append would never learn from its own appends that it was deposed. */
function hearBeacons(
  { bus, keys, log, mesh, state }: TermOptions,
  pulse: ServerPulse,
  end: () => void,
): Subscription {
  const { epoch } = subjectsOf(mesh);
  return bus.subscribe(epoch, (message) => {
    const signed = keys.trust.open(epoch, message.data);
    if (signed === null) return;
    pulse.echo();
    const beacon = beaconSchema.safeParse(fromBytes(signed.body));
    if (!beacon.success || beacon.data.epoch <= state.meta.epoch) return;
    log(`${beacon.data.leader} leads in epoch ${beacon.data.epoch}; standing by`);
    end();
  });
}

/** Returns what cancels each. */
function regularTasks(
  { bus, clock, keys, mesh, name, scrubs, settings, state }: TermOptions,
  { board, leader, watch }: IntakeOptions,
  pulse: ServerPulse,
  { collector, keeper, prover }: Pick<StoreKeepers, "collector" | "keeper" | "prover">,
): (() => void)[] {
  const began = clock.now();
  let head = { sequence: 0, proof: "" };
  const beacon = () => {
    const wanted = [...prover.wanted()];
    const body: Beacon = { epoch: state.meta.epoch, leader: name, at: clock.now() };
    const { hash, sequence } = leader.position;
    if (head.sequence !== sequence)
      head = { sequence, proof: signHead(keys.signer, mesh, { epoch: body.epoch, sequence, hash }) };
    body.head = head.proof;
    const dropped = [...collector.dropped()];
    if (wanted.length > 0) body.wanted = wanted;
    if (dropped.length > 0) body.dropped = dropped;
    const { epoch } = subjectsOf(mesh);
    bus.publish(epoch, keys.signer.sign(epoch, toBytes(body)));
    watch.look();
  };
  // Judged between batches: what was settled before an append that hung need not be so after it.
  const expire = () =>
    leader.ask(() => {
      if (pulse.settled()) leader.submit({ input: { kind: "expire" }, done: () => {} });
    });
  const missSilent = () =>
    leader.ask(() => {
      if (!pulse.settled()) return;
      const present = [...state.agents.values()].filter((agent) => agent.present).map(({ agent }) => agent);
      for (const agent of board.silentSince(present, clock.now() - settings.silentMs, began)) {
        leader.submit({ input: { kind: "silent", agent }, done: () => {} });
      }
    });
  const digests = () =>
    new Promise<OnRecord>((resolve) => leader.ask(() => resolve(artifactsOnRecord(state))));
  const isAtAgents = (digest: Digest) => keeper.isAtAgents(digest);
  beacon();
  return [
    ...(scrubs === true ? [scrubBlobs({ prover, clock, digests, isAtAgents })] : []),
    every(clock, settings.beaconMs, beacon),
    every(clock, settings.beaconMs, () => keeper.look()),
    every(clock, Math.min(expireEveryMs, settings.graceMs), expire),
    every(clock, settings.heartbeatMs, missSilent),
    every(clock, settings.resendMs, () => leader.resend()),
  ];
}

function every(clock: Clock, ms: number, run: () => void): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.setTimer(ms, () => {
      run();
      again();
    });
  };
  again();
  return () => cancel();
}
