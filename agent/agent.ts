/**
 * An agent's shell: joins bus, store, runner and clock to `step`. It decides nothing itself; it parses
 * what comes in, carries out effects in order, and keeps what must not be lost in the outbox.
 */
import { errorSentence } from "../protocol/error-sentence.ts";
import { BusError, type Bus, type Subscription } from "../protocol/bus/bus.ts";
import type { Capability, Policy } from "../protocol/capability.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import { answerSchema } from "../protocol/command.ts";
import type { Digest } from "../protocol/id.ts";
import { fromBytes, toBytes } from "../protocol/json-bytes.ts";
import {
  beaconSchema,
  cancelSchema,
  drainSchema,
  extendSchema,
  offerSchema,
  receiptSchema,
} from "../protocol/order.ts";
import { welcomeSchema, type Register, type Heartbeat } from "../protocol/report.ts";
import { subjectsOf, type OrderName } from "../protocol/subjects.ts";
import type { Store } from "../store/store.ts";
import type * as z from "zod";
import type { ArtifactCache } from "../artifact/artifact-cache.ts";
import type { AgentEffect } from "./core/agent-effect.ts";
import type { AgentInput } from "./core/agent-input.ts";
import { newAgentState } from "./core/agent-state.ts";
import { step } from "./core/step.ts";
import { Outbox } from "./outbox.ts";
import { watchOwner, type OwnerSources } from "./owner/owner-watch.ts";
import type { Availability } from "./owner/availability.ts";
import type { Runner } from "./runner/runner.ts";
import { startNote } from "./start-note.ts";

/** What the machine is doing just now; null where unknown. */
export interface Load {
  readonly cpuLoad: number | null;
  readonly memFreeGiB: number | null;
}

export interface AgentOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
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
  /** Minutes since local midnight at a time in ms since the Unix epoch. */
  readonly minuteOfDay: (at: number) => number;
  readonly log: (line: string) => void;
  /** The agent cannot go on without a person: its disk is full or broken. */
  readonly onHalt: (reason: string) => void;
}

export interface Agent {
  running(): number;
  /** Stops at checkpoints, reports, and resolves when the coordinator has it all (or patience ends). */
  stop(): Promise<void>;
}

const tickMs = 100;
const heartbeatFirstMs = 1_000;
const greetTimeoutMs = 2_000;
const greetPauseMs = 500;
const shareRetryMs = 500;
/** An earlier run's outcomes go out before the greeting that would end its leases; this long at most, ms. */
const backlogPatienceMs = 3_000;
const leavePatienceMs = 8_000;

export function startAgent(options: AgentOptions): Agent {
  const { artifacts, bus, capability, clock, incarnation, log, mesh, name, policy, runner } = options;
  const subjects = subjectsOf(mesh);
  const state = newAgentState(name, incarnation, policy, runner.canSuspend);
  const onError = (error: unknown) => options.onHalt(errorSentence(error));
  const outbox = new Outbox({ mesh, agent: name, incarnation, bus, store: options.store, clock, onError });
  const subscriptions: Subscription[] = [];
  const noteStart = startNote(clock, log);
  const memoryMiB = memoryPerSlotMiB(capability, policy);
  let presenceMs = heartbeatFirstMs;
  let greeting = false;
  let stopped = false;

  function take(input: AgentInput): void {
    if (stopped) return;
    for (const effect of step(state, input, clock.monotonic())) carryOut(effect);
  }

  function carryOut(effect: AgentEffect): void {
    switch (effect.kind) {
      case "greet":
        void greet();
        return;
      case "report": {
        const { fence, kind } = effect.report;
        outbox.add(effect.report);
        if (kind === "finished" || kind === "stopped" || kind === "failed") artifacts.clear(fence);
        return;
      }
      case "fetch":
        void fetchFor(effect.lease);
        return;
      case "start": {
        const from = effect.lease.from === null ? "" : ` from epoch ${effect.lease.from.resource}`;
        noteStart(
          `${effect.lease.trial}: ${effect.lease.model} on ${effect.lease.backend}${from} to epoch ${effect.lease.target}`,
        );
        runner.start(
          { ...effect.job, checkpointDir: artifacts.workDirOf(effect.lease.fence), memoryMiB },
          (digest) => artifacts.kept(digest),
        );
        return;
      }
      case "stop":
        runner.stop(effect.fence, effect.how);
        return;
      case "suspend":
        runner.suspend(effect.fence);
        return;
      case "resume":
        runner.resume(effect.fence);
        return;
      case "share":
        void share(effect);
        return;
      case "metric": {
        const { lease, metrics, resource } = effect;
        bus.publish(
          subjects.metric(lease.sweep, lease.trial),
          toBytes({ fence: lease.fence, resource, metrics }),
        );
        return;
      }
      case "log": {
        const { lease, line, stream } = effect;
        bus.publish(subjects.log(lease.sweep, lease.trial), toBytes({ fence: lease.fence, stream, line }));
        return;
      }
    }
  }

  /** Says hello until the leader answers; its answer tells its clock. */
  async function greet(): Promise<void> {
    if (greeting) return;
    greeting = true;
    await outbox.emptied(backlogPatienceMs);
    while (!stopped && state.greetedIn !== state.epoch) {
      const askedAt = clock.monotonic();
      const register: Register = { incarnation, capability, policy: state.policy };
      try {
        const answer = answerSchema.safeParse(
          fromBytes(await bus.request(subjects.register(name), toBytes(register), greetTimeoutMs)),
        );
        if (answer.success && answer.data.ok) {
          const welcome = welcomeSchema.safeParse(answer.data.value);
          if (welcome.success) {
            presenceMs = welcome.data.presenceMs;
            take({ kind: "welcomed", epoch: welcome.data.epoch, at: welcome.data.at, askedAt });
            beat();
            continue;
          }
        }
        if (answer.success && !answer.data.ok)
          log(`the coordinator refuses this agent: ${answer.data.refusal.message}`);
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (bus.status() === "closed") break;
      }
      await sleep(clock, greetPauseMs);
    }
    greeting = false;
  }

  async function fetchFor(lease: Extract<AgentEffect, { kind: "fetch" }>["lease"]): Promise<void> {
    const { fence } = lease;
    const dataset = lease.dataset === null ? null : await artifacts.fetch(lease.dataset);
    if (dataset !== null && !dataset.ok)
      return take({ kind: "fetch-failed", fence, reason: dataset.refusal.message });
    const checkpoint = lease.from === null ? null : await artifacts.fetch(lease.from.digest);
    if (checkpoint !== null && !checkpoint.ok)
      return take({ kind: "fetch-failed", fence, reason: checkpoint.refusal.message });
    const parts: Record<Digest, string> = {};
    for (const digest of lease.parts) {
      const part = await artifacts.fetch(digest);
      if (!part.ok) return take({ kind: "fetch-failed", fence, reason: part.refusal.message });
      parts[digest] = part.value;
    }
    take({
      kind: "fetched",
      fence,
      files: { datasetPath: dataset?.value ?? null, checkpointPath: checkpoint?.value ?? null, parts },
    });
  }

  /** AGENT-4. Through a server's absence it tries again: the file is safe here meanwhile. */
  async function share({ digest, path, report }: Extract<AgentEffect, { kind: "share" }>): Promise<void> {
    while (!stopped) {
      try {
        await artifacts.share(path, digest);
        return take({ kind: "shared", report });
      } catch (error) {
        if (!(error instanceof BusError) || error.kind === "closed") {
          const reason = `its checkpoint could not be stored: ${errorSentence(error)}`;
          return take({
            kind: "runner",
            event: { kind: "failed", fence: report.fence, reason, retryable: true, usedMs: 0 },
          });
        }
        await sleep(clock, shareRetryMs);
      }
    }
  }

  function beat(): void {
    if (state.greetedIn === 0 || state.greetedIn !== state.epoch) return;
    const running = [...state.held.values()].map(({ lease, phase, resource, suspended, usedMs }) => ({
      fence: lease.fence,
      resource,
      usedMs,
      suspended: suspended || phase === "ready",
    }));
    const closed = state.draining || state.leaving ? "draining" : state.availability.reason;
    const heartbeat: Heartbeat = {
      incarnation,
      epoch: state.epoch,
      closed,
      ...options.load(),
      running,
      owner: owner.seen,
    };
    bus.publish(subjects.heartbeat(name), toBytes(heartbeat));
  }

  function obey(availability: Availability, idleMs: number | null): void {
    const before = atWork();
    take({ kind: "owner", availability });
    const stopped = before - atWork();
    const late = stopped > 0 && idleMs !== null ? `, ${Math.round(idleMs)} ms after the input` : "";
    const what = stopped > 0 ? ` (${stopped} trials stand still or leave${late})` : "";
    log(
      `owner: ${availability.kind}${availability.reason === null ? "" : `: ${availability.reason}`}${what}`,
    );
    beat();
  }

  /** Attempts whose processes are at work. */
  function atWork(): number {
    return [...state.held.values()].filter(
      ({ killed, phase, suspended }) => phase === "running" && !suspended && !killed,
    ).length;
  }

  function listen<T>(order: OrderName, schema: z.ZodType<T>, hear: (body: T) => void): void {
    const subscription = bus.subscribe(subjects.order(name, order), (message) => {
      const body = schema.safeParse(fromBytes(message.data));
      if (body.success) hear(body.data);
      else log(`an unreadable ${order} order was dropped`);
    });
    subscriptions.push(subscription);
  }

  function every(ms: () => number, run: () => void): void {
    clock.setTimer(ms(), () => {
      if (stopped) return;
      run();
      every(ms, run);
    });
  }

  runner.onEvent((event) => take({ kind: "runner", event }));
  listen("offer", offerSchema, (body) => take({ kind: "offer", ...body }));
  listen("extend", extendSchema, (body) => take({ kind: "extend", ...body }));
  listen("cancel", cancelSchema, (body) => take({ kind: "cancel", ...body }));
  listen("drain", drainSchema, (body) => take({ kind: "drain", ...body }));
  listen("receipt", receiptSchema, (body) => outbox.receipt(body.ids));
  subscriptions.push(
    bus.subscribe(subjects.epoch, (message) => {
      const beacon = beaconSchema.safeParse(fromBytes(message.data));
      if (beacon.success) take({ kind: "beacon", epoch: beacon.data.epoch });
    }),
  );
  const owner = watchOwner({
    policy,
    clock,
    minuteOfDay: options.minuteOfDay,
    memFreeGiB: () => options.load().memFreeGiB,
    running: () => [...state.held.values()].filter(({ phase }) => phase !== "reporting").length,
    sources: options.owner ?? null,
    onAvailability: obey,
    log,
  });
  every(
    () => tickMs,
    () => take({ kind: "tick" }),
  );
  every(
    () => presenceMs,
    () => {
      owner.assess();
      beat();
      outbox.resend();
    },
  );

  return {
    running: () => state.held.size,
    async stop() {
      take({ kind: "leave" });
      // Cut off for good: nobody would take its reports, which stay in the outbox.
      const patienceMs = bus.status() === "closed" ? 0 : leavePatienceMs;
      const deadline = clock.monotonic() + patienceMs;
      while (state.held.size > 0 && clock.monotonic() < deadline) await sleep(clock, tickMs);
      await outbox.emptied(Math.max(0, deadline - clock.monotonic()));
      stopped = true;
      owner.close();
      outbox.close();
      for (const subscription of subscriptions) subscription.close();
      await runner.close();
    },
  };
}

const memoryPerSlotMinMiB = 512;

function memoryPerSlotMiB(capability: Capability, policy: Policy): number {
  const usableGiB = Math.max(0, capability.host.memGiB - policy.leaveFreeMemGiB);
  return Math.max(memoryPerSlotMinMiB, Math.floor((usableGiB * 1024) / Math.max(1, policy.slots)));
}
