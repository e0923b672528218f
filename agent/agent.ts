/**
 * An agent's shell: joins bus, store, runner and clock to `step`. It decides nothing itself; it parses
 * what comes in, carries out effects in order, and keeps what must not be lost in the outbox.
 */
import { errorSentence } from "../protocol/error-sentence.ts";
import type { Bus, Subscription } from "../protocol/bus/bus.ts";
import type { Capability, Policy } from "../protocol/capability.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { MeshTrust } from "../protocol/signature.ts";
import { lineMessages, pointMessages } from "./say-point.ts";
import type { ReplicaOrder } from "../protocol/order.ts";
import { carriedBytesMax } from "../protocol/report-message.ts";
import { subjectsOf } from "../protocol/subjects.ts";
import type { Store } from "../store/store.ts";
import type { ArtifactCache } from "../artifact/artifact-cache.ts";
import { fetchFiles, fetchServed, shareFile } from "./artifact-errand.ts";
import type { AgentEffect } from "./core/agent-effect.ts";
import type { AgentInput } from "./core/agent-input.ts";
import { newAgentState, type AgentState } from "./core/agent-state.ts";
import { step } from "./core/step.ts";
import { KeptHead } from "./kept-head.ts";
import { hearOrders } from "./hear-orders.ts";
import { LeaderLink, type Load } from "./leader-link.ts";
import { Outbox } from "./outbox.ts";
import type { DiskReserve } from "./owner/disk-reserve.ts";
import { watchOwner, type OwnerSources, type OwnerWatch } from "./owner/owner-watch.ts";
import type { Availability } from "./owner/availability.ts";
import { RecentContent } from "./recent-content.ts";
import type { Runner, RunnerEvent } from "./runner/runner.ts";
import type { ReachedReplicas } from "./serving/reached-replica.ts";
import { SaidLimit } from "./said-limit.ts";
import { startNote } from "./start-note.ts";

export interface AgentOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  /** What it knows the mesh's coordinators by. */
  readonly trust: MeshTrust;
  readonly store: Store;
  readonly runner: Runner;
  readonly artifacts: ArtifactCache;
  readonly clock: Clock;
  /** Unique to this run of the process. */
  readonly incarnation: string;
  readonly capability: Capability;
  readonly policy: Policy;
  readonly load: () => Load;
  /** Where the owner's heartbeat, power and others' load are read; without it only hours, memory and slots count. */
  readonly owner?: OwnerSources;
  /** Told which replicas answer here; without it nobody reaches any. */
  readonly reached?: ReachedReplicas;
  /** False where nobody can connect to this machine: it runs no replicas. */
  readonly isReached?: boolean;
  /** Room that stays free on its disk; without it trials may fill that. */
  readonly reserve?: DiskReserve;
  /** Minutes since local midnight at a time in ms since the Unix epoch. */
  readonly minuteOfDay: (at: number) => number;
  readonly log: (line: string) => void;
  /** A leader has welcomed this agent, in this epoch. */
  readonly onWelcomed?: (epoch: number) => void;
  /** The agent cannot go on without a person: its disk is full or broken. */
  readonly onHalt: (reason: string) => void;
}

export interface Agent {
  running(): number;
  /** No attempt is here, and its owner's policy lets trials start. */
  isFree(): boolean;
  /** What its machine can do has changed: the mesh is told. */
  advertise(capability: Capability): void;
  /** Stops at checkpoints, reports, and resolves when the coordinator has it all (or patience ends). */
  stop(): Promise<void>;
}

const tickMs = 100;
/** Between two looks at how much the disk has left: what writes a gigabyte a second is found in time. */
const diskLookMs = 100;
const leavePatienceMs = 8_000;

export function startAgent(options: AgentOptions): Agent {
  return new AgentShell(options);
}

class AgentShell implements Agent {
  readonly #options: AgentOptions;
  readonly #state: AgentState;
  readonly #outbox: Outbox;
  readonly #recent: RecentContent;
  readonly #link: LeaderLink;
  readonly #owner: OwnerWatch;
  readonly #subscriptions: readonly Subscription[];
  readonly #subjects: ReturnType<typeof subjectsOf>;
  readonly #noteStart: (line: string) => void;
  readonly #said: SaidLimit;
  readonly #memoryMiB: number;
  /** Why it was last said to be quarantined. */
  #quarantined: string | null = null;
  #guarding = false;
  #stopped = false;

  constructor(options: AgentOptions) {
    const { bus, capability, clock, incarnation, log, mesh, name, policy, runner, store } = options;
    const take = (input: AgentInput) => this.#take(input);
    this.#options = options;
    this.#subjects = subjectsOf(mesh);
    this.#state = newAgentState(name, incarnation, policy, {
      canSuspend: runner.canSuspend,
      isReached: options.isReached ?? true,
    });
    this.#noteStart = startNote(clock, log);
    this.#said = new SaidLimit(clock, log);
    this.#memoryMiB = memoryPerSlotMiB(capability, policy);
    const onQuarantined = (reason: string) => this.#hearQuarantined(reason);
    const onError = (error: unknown) => options.onHalt(errorSentence(error));
    const head = new KeptHead({ mesh, trust: options.trust, store, clock, onError });
    this.#recent = new RecentContent(store);
    const unload = (digest: string, content: Uint8Array) => options.artifacts.share("", digest, content);
    this.#outbox = new Outbox({
      ...{ mesh, agent: name, incarnation, bus, store, clock, log, onError, unload },
      // Before a leader has said so much, what was taken down by one that takes bytes goes as it is.
      mayCarry: () => this.#state.carries !== 0,
      beside: (contents) => this.#recent.note(contents),
    });
    this.#link = new LeaderLink({
      ...{ mesh, bus, clock, capability, take, onQuarantined, log },
      ...{ state: this.#state, load: options.load },
      owner: () => this.#owner.seen,
      backlogOut: (ms) => this.#outbox.emptied(ms),
      head: () => head.proof,
    });
    runner.onEvent((event) => {
      this.#tellReached(event);
      take({ kind: "runner", event });
    });
    const onReceipt = (ids: readonly string[]) => this.#outbox.receipt(ids);
    this.#subscriptions = hearOrders({
      mesh,
      name,
      bus,
      trust: options.trust,
      // Orders count only in the epoch in which we are registered, and only of that the leader's clock is known.
      isOver: (epoch, at) => {
        const { clockOffset, registeredIn } = this.#state;
        return epoch === registeredIn && clock.monotonic() > at + clockOffset;
      },
      take,
      onReceipt,
      onHead: (proof) => head.note(proof),
      onQuarantined,
      onDropped: (digests) => {
        for (const digest of digests) options.artifacts.drop?.(digest);
      },
      onWanted: (digests) => {
        for (const digest of digests) options.artifacts.offer(digest, this.#recent.get(digest) ?? undefined);
      },
      onReplica: (order) => this.#obeyReplica(order),
      log,
    });
    this.#owner = watchOwner({
      policy,
      clock,
      minuteOfDay: options.minuteOfDay,
      memFreeGiB: () => options.load().memFreeGiB,
      diskShort: () => options.reserve?.reason() ?? null,
      running: () => [...this.#state.held.values()].filter(({ phase }) => phase !== "reporting").length,
      sources: options.owner ?? null,
      onAvailability: (availability, idleMs) => this.#obeyOwner(availability, idleMs),
      log,
    });
    this.#beginTasks();
  }

  running(): number {
    return this.#state.held.size;
  }

  isFree(): boolean {
    return this.#state.held.size === 0 && this.#state.availability.kind === "open";
  }

  advertise(capability: Capability): void {
    if (!this.#stopped) this.#link.advertise(capability);
  }

  async stop(): Promise<void> {
    const { bus, clock, runner } = this.#options;
    this.#take({ kind: "leave" });
    // Cut off for good: nobody would take its reports, which stay in the outbox.
    const patienceMs = bus.status() === "closed" ? 0 : leavePatienceMs;
    const deadline = clock.monotonic() + patienceMs;
    while (this.#state.held.size > 0 && clock.monotonic() < deadline) await sleep(clock, tickMs);
    await this.#outbox.emptied(Math.max(0, deadline - clock.monotonic()));
    this.#stopped = true;
    this.#link.close();
    this.#owner.close();
    this.#outbox.close();
    for (const subscription of this.#subscriptions) subscription.close();
    await runner.close();
  }

  #take(input: AgentInput): void {
    if (this.#stopped) return;
    for (const effect of step(this.#state, input, this.#options.clock.monotonic())) this.#carryOut(effect);
    if (input.kind === "welcomed") this.#options.onWelcomed?.(input.epoch);
  }

  #carryOut(effect: AgentEffect): void {
    const { name, runner } = this.#options;
    switch (effect.kind) {
      case "register":
        void this.#link.register();
        return;
      case "report":
        this.#report(effect);
        return;
      case "fetch":
        void this.#fetch(effect);
        return;
      case "start":
        this.#start(effect);
        return;
      case "stop":
        runner.stop(effect.fence, effect.how);
        return;
      case "suspend":
        this.#options.reached?.standsStill(effect.fence, true);
        runner.suspend(effect.fence);
        return;
      case "resume":
        runner.resume(effect.fence);
        this.#options.reached?.standsStill(effect.fence, false);
        return;
      case "bring":
        void this.#bring(effect);
        return;
      case "serve":
        runner.serve(effect.fence, effect.serving, effect.parts);
        return;
      case "beat":
        this.#link.beat();
        return;
      case "share":
        void this.#share(effect);
        return;
      case "metric": {
        const { lease, metrics, resource } = effect;
        const subject = this.#subjects.metric(name, lease.sweep, lease.trial);
        this.#say(lease.fence, subject, pointMessages({ fence: lease.fence, resource, metrics }));
        return;
      }
      case "log": {
        const { lease, line, stream } = effect;
        const subject = this.#subjects.log(name, lease.sweep, lease.trial);
        this.#say(lease.fence, subject, lineMessages({ fence: lease.fence, stream, line }));
        return;
      }
    }
  }

  #tellReached(event: RunnerEvent): void {
    const { reached } = this.#options;
    const { fence, kind } = event;
    const requester = this.#state.held.get(fence)?.lease.requester;
    if (kind === "serving" && requester !== undefined) reached?.answers(fence, requester, event);
    if (kind === "exited" || kind === "stopped" || kind === "failed") reached?.ended(fence);
  }

  #say(fence: number, subject: string, messages: readonly Uint8Array[]): void {
    for (const message of messages) if (this.#said.allows(fence)) this.#options.bus.publish(subject, message);
  }

  /** AGENT-2. It is no work of a slot's; while the owner has the machine it brings nothing. */
  #obeyReplica(order: ReplicaOrder): void {
    const { availability, epoch, leaving, registeredIn } = this.#state;
    if (order.epoch !== epoch || order.epoch !== registeredIn) return;
    const isLent = availability.kind === "open" || availability.kind === "closed";
    this.#options.artifacts.replica?.(order, isLent && !leaving);
  }

  #report({ contents, report }: Extract<AgentEffect, { kind: "report" }>): void {
    const { fence, kind } = report;
    this.#outbox.add(report, contents);
    if (kind === "finished" || kind === "stopped" || kind === "failed") this.#options.artifacts.clear(fence);
  }

  #start({ job, lease }: Extract<AgentEffect, { kind: "start" }>): void {
    const { artifacts, runner } = this.#options;
    const from = lease.from === null ? "" : ` from epoch ${lease.from.resource}`;
    this.#noteStart(
      lease.serving === undefined
        ? `${lease.trial}: ${lease.model} on ${lease.backend}${from} to epoch ${lease.target}`
        : `${lease.trial}: a replica of ${lease.serving.deployment}`,
    );
    runner.start(
      { ...job, checkpointDir: artifacts.workDirOf(lease.fence), memoryMiB: this.#memoryMiB },
      (digest) => artifacts.kept(digest, lease.fence),
    );
  }

  async #fetch(effect: Extract<AgentEffect, { kind: "fetch" }>): Promise<void> {
    const { artifacts } = this.#options;
    this.#take(await fetchFiles({ artifacts, recent: this.#recent }, effect));
  }

  async #bring({ lease, serving }: Extract<AgentEffect, { kind: "bring" }>): Promise<void> {
    const { artifacts } = this.#options;
    const { fence } = lease;
    const files = await fetchServed({ artifacts, recent: this.#recent }, fence, serving);
    const brought = files.ok
      ? ({ ok: true, parts: files.value } as const)
      : ({ ok: false, reason: files.refusal.message } as const);
    this.#take({ kind: "brought", fence, serving, brought });
  }

  async #share(effect: Extract<AgentEffect, { kind: "share" }>): Promise<void> {
    const { artifacts, clock } = this.#options;
    const input = await shareFile(artifacts, effect, clock, {
      carries: () => Math.min(this.#state.carries ?? 0, carriedBytesMax),
      wanted: () => !this.#stopped,
    });
    if (input !== null) this.#take(input);
  }

  /** DISK-2: what eats into the reserve is ended, and its folder emptied. */
  async #guardDisk(): Promise<void> {
    const { artifacts, log, reserve, runner } = this.#options;
    if (this.#guarding || reserve === undefined || reserve.missing() === 0) return;
    this.#guarding = true;
    const running = [...this.#state.held.values()].filter(({ phase }) => phase === "running");
    const folders = new Map(running.map(({ lease }) => [lease.fence, artifacts.workDirOf(lease.fence)]));
    const found = await reserve.eater(folders);
    this.#guarding = false;
    const held = found === null ? undefined : this.#state.held.get(found.attempt);
    if (found === null || held?.phase !== "running") return;
    const { fence, trial } = held.lease;
    const reason = `trial ${trial} was ended: ${found.reason}`;
    log(reason);
    runner.stop(fence, "kill");
    this.#take({
      kind: "runner",
      event: { kind: "failed", fence, reason, retryable: true, usedMs: held.usedMs },
    });
  }

  #obeyOwner(availability: Availability, idleMs: number | null): void {
    const before = this.#atWork();
    this.#take({ kind: "owner", availability });
    const stopped = before - this.#atWork();
    const late = stopped > 0 && idleMs !== null ? `, ${Math.round(idleMs)} ms after the input` : "";
    const what = stopped > 0 ? ` (${stopped} trials stand still or leave${late})` : "";
    const why = availability.reason === null ? "" : `: ${availability.reason}`;
    this.#options.log(`owner: ${availability.kind}${why}${what}`);
    this.#link.beat();
  }

  /** For its owner, who may see nothing of the mesh but this log. */
  #hearQuarantined(reason: string): void {
    if (this.#quarantined === reason) return;
    this.#quarantined = reason;
    const { log, name } = this.#options;
    const how = `the mesh's owner lets it work again with \`trialmesh agents cordon ${name} --end\``;
    log(`quarantined: this agent gets no new trials: ${reason}; ${how}`);
  }

  /** Attempts whose processes are at work. */
  #atWork(): number {
    return [...this.#state.held.values()].filter(
      ({ killed, phase, suspended }) => phase === "running" && !suspended && !killed,
    ).length;
  }

  #beginTasks(): void {
    this.#every(
      () => tickMs,
      () => this.#take({ kind: "tick" }),
    );
    this.#every(
      () => diskLookMs,
      () => void this.#guardDisk(),
    );
    this.#every(
      () => this.#link.heartbeatMs,
      () => {
        this.#owner.assess();
        this.#link.beat();
        this.#outbox.resend();
      },
    );
  }

  #every(ms: () => number, run: () => void): void {
    this.#options.clock.setTimer(ms(), () => {
      if (this.#stopped) return;
      run();
      this.#every(ms, run);
    });
  }
}

const memoryPerSlotMinMiB = 512;

function memoryPerSlotMiB(capability: Capability, policy: Policy): number {
  const usableGiB = Math.max(0, capability.host.memGiB - policy.leaveFreeMemGiB);
  return Math.max(memoryPerSlotMinMiB, Math.floor((usableGiB * 1024) / Math.max(1, policy.slots)));
}
