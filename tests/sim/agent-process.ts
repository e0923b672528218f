// One simulated agent: the real agent code over the hub, a memory disk, a simulated runner and a clock of its own. It can be made to
// die at any of its steps: as something is written, stored, sent, begun or reported.
import { startAgent, type AgentOptions } from "../../agent/agent.ts";
import { putBlob, takePacked } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import type { ArtifactCache } from "../../artifact/artifact-cache.ts";
import { unmeasuredRate } from "../../agent/capability/unmeasured-rate.ts";
import type { Job, Runner } from "../../agent/runner/runner.ts";
import { openPolicy, type Capability } from "../../protocol/capability.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { heartbeatSchema } from "../../protocol/report.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import type { Store } from "../../store/store.ts";
import { simulatedRunner, type SimulatedStore } from "../support/simulated-runner.ts";
import type { MemoryBus } from "../support/bus/memory-bus.ts";
import type { ProcessClock } from "./process.ts";
import { isLarge, ReplicaMachine } from "./replica-machine.ts";

export interface AgentPlan {
  readonly name: string;
  readonly slots: number;
  /** Model → tokens per second. */
  readonly rates: Readonly<Record<string, number>>;
  /** Its owner lends it only while away. */
  readonly idleOnly: boolean;
}

export interface AgentProcess {
  readonly clock: ProcessClock;
  readonly bus: MemoryBus;
  readonly runningFences: Set<number>;
  /** The term that it takes orders of; 0 before its first. */
  registeredIn: number;
  /** What it missed while it stood still excuses what runs there; null where nothing does. */
  excuse: Excuse | null;
}

/** It can know better once it has heard a leader for so long. */
export interface Excuse {
  /** The term it was registered in when it stood still. */
  readonly epoch: number;
  leftMs: number;
}

/** What the world gives it. */
export interface AgentWorld extends Pick<AgentOptions, "mesh" | "trust" | "log" | "onHalt"> {
  readonly clock: ProcessClock;
  readonly bus: Bus;
  readonly store: Store;
  readonly incarnation: string;
  readonly artifacts: SimulatedStore;
  /** Large checkpoints on its disk. */
  readonly kept: Set<string>;
  readonly made: Set<string>;
  readonly holds: (agent: string, digest: string) => boolean;
  readonly idleMs: () => number;
  /** Whether it makes up what its jobs use. */
  readonly lies: () => boolean;
  /** Told of each step before it is taken: it may be the last. */
  readonly onStep: () => void;
}

/** Short minutes: a storm lasts five of ours. */
const idlePolicy = { startMinutes: 0.1, loadMax: 0.3, resumeMinutes: 0.08, vacateMinutes: 0.4 };
const cacheRetryMs = 500;
const madeUpFactor = 50;

/** Tells the term of each of its heartbeats as it leaves; the first in a term follows the registration at once. */
export function hearBeats(
  bus: MemoryBus,
  mesh: string,
  agent: string,
  onBeat: (epoch: number) => void,
): void {
  const subject = subjectsOf(mesh).heartbeat(agent);
  const publish = bus.publish.bind(bus);
  bus.publish = (to, data) => {
    const beat = to === subject ? heartbeatSchema.safeParse(fromBytes(data)) : null;
    if (beat?.success === true) onBeat(beat.data.epoch);
    publish(to, data);
  };
}

/** Starts it; what runs on it is kept in `runningFences`. */
export function startAgentProcess(plan: AgentPlan, world: AgentWorld, runningFences: Set<number>): void {
  const { artifacts, bus, clock, onStep, store } = world;
  const inner = simulatedRunner({
    clock,
    store: artifacts,
    epoch: (job, resource) => epochOf(plan, job, resource),
  });
  inner.onEvent((event) => {
    onStep();
    if (event.kind === "finished" || event.kind === "stopped" || event.kind === "failed")
      runningFences.delete(event.fence);
  });
  const runner: Runner = {
    start: (job) => {
      onStep();
      runningFences.add(job.fence);
      inner.start(job);
    },
    stop: (fence, how) => inner.stop(fence, how),
    suspend: (fence) => inner.suspend(fence),
    resume: (fence) => inner.resume(fence),
    serve: (fence, serving, parts) => inner.serve(fence, serving, parts),
    canSuspend: inner.canSuspend,
    processes: () => inner.processes(),
    onEvent: (listener) =>
      inner.onEvent((event) =>
        listener(
          world.lies() && "usedMs" in event ? { ...event, usedMs: event.usedMs * madeUpFactor + 1 } : event,
        ),
      ),
    close: () => inner.close(),
  };
  const machine = new ReplicaMachine({
    ...world,
    name: plan.name,
    contentOf: (digest) => artifacts.get(`sim:${digest}`)?.content ?? new Uint8Array(),
  });
  startAgent({
    mesh: world.mesh,
    name: plan.name,
    bus,
    trust: world.trust,
    store: steppedStore(store, onStep),
    runner,
    artifacts: cacheOver(world, machine),
    onWelcomed: (epoch) => machine.welcomed(epoch),
    clock,
    incarnation: world.incarnation,
    capability: capabilityOf(plan),
    policy: plan.idleOnly ? { ...openPolicy(plan.slots), idle: idlePolicy } : openPolicy(plan.slots),
    owner: {
      idle: [
        {
          name: "the owner",
          read: () => Promise.resolve({ kind: "idle", source: "the owner", ms: world.idleMs() }),
        },
      ],
      power: () => Promise.resolve({ onBattery: null, celsius: null }),
      othersLoad: () => Promise.resolve(0),
    },
    load: () => ({ cpuLoad: null, memFreeGiB: null }),
    minuteOfDay: () => 0,
    log: world.log,
    onHalt: world.onHalt,
  });
}

function steppedStore(store: Store, onStep: () => void): Store {
  return {
    get: (key) => store.get(key),
    range: (prefix) => store.range(prefix),
    count: () => store.count(),
    fault: () => store.fault(),
    write: async (changes) => {
      onStep();
      await store.write(changes);
      onStep();
    },
    close: () => store.close(),
  };
}

function cacheOver(
  { artifacts, bus, clock, mesh, onStep }: AgentWorld,
  machine: ReplicaMachine,
): ArtifactCache {
  const { blobs } = streamsOf(mesh);
  const subjects = subjectsOf(mesh);
  const retry = async <T>(run: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        onStep();
        const result = await run();
        onStep();
        return result;
      } catch (error) {
        if (!(error instanceof BusError) || error.kind === "closed") throw error;
        await sleep(clock, cacheRetryMs);
      }
    }
  };
  return {
    workDirOf: (fence) => `sim/${fence}`,
    clear: () => {},
    kept: () => null,
    read: () => Promise.resolve(null),
    keep: (digest) => Promise.resolve(`sim:${digest}`),
    fetch: async (digest) => {
      const look = () =>
        retry(
          async () =>
            (await bus.getMessage(blobs, subjects.blob(digest, 0))) !== null ||
            (await takePacked(bus, placeOf(mesh), digest)) !== null,
        );
      const isFound = isLarge(digest) ? await machine.wait(digest, look) : await look();
      return isFound ? accept(`sim:${digest}`) : refuse("unknown", `no artifact ${digest}`);
    },
    share: async (path, digest, given, made) => {
      if (made !== undefined && (await machine.replicate(digest, made))) return;
      const content = given ?? artifacts.get(path)?.content ?? new Uint8Array();
      onStep();
      await putBlob(bus, placeOf(mesh), content);
      onStep();
    },
    offer: (digest) => void machine.store(digest),
    drop: (digest) => machine.drop(digest),
    replica: (order) => machine.obey(order),
  };
}

function epochOf(plan: AgentPlan, job: Job, resource: number) {
  const random = randomStream(job.seed, `${job.trial}/${plan.name}/${job.fence}`, resource);
  const rate = plan.rates[job.model] ?? 1;
  const durationMs = Math.round((400 + random.next() * 8_000) / rate);
  const quality = randomStream(1, JSON.stringify(job.params), 0).next();
  const accuracy = quality * (1 - 0.5 / (resource + 1));
  const bad = randomStream(2, `${job.fence}/${plan.name}`, resource).next();
  if (bad < 0.01)
    return { durationMs, metrics: {}, failure: { reason: "the runner crashed", retryable: true } };
  if (quality < 0.02)
    return { durationMs, metrics: {}, failure: { reason: "loss is not finite", retryable: false } };
  if (quality > 0.99) return { durationMs, metrics: { other: 1 } };
  return { durationMs, metrics: { accuracy, loss: 1 - accuracy } };
}

function capabilityOf({ rates }: AgentPlan): Capability {
  return {
    host: {
      os: "linux",
      arch: "x64",
      cpuModel: "simulated",
      cores: 4,
      memGiB: 16,
      diskGiB: 100,
      gpus: [],
      cpuFeatures: [],
    },
    node: "24.0.0",
    backends: (["cpu", "none"] as const).map((name) => ({
      ...{ name, works: true, reason: null, version: null },
      dtypes: ["f32"],
    })),
    rates: [
      ...Object.entries(rates).map(([model, tokensPerSecond]) => ({
        kind: `simulated/${model}`,
        backend: "cpu" as const,
        examplesPerSecond: tokensPerSecond,
        tokensPerSecond,
      })),
      unmeasuredRate("serve/replica", "none"),
    ],
    labels: {},
    python: null,
  };
}
