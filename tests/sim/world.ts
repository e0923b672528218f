// The whole mesh in one process: the real coordinator and agent code over a memory bus, memory disks,
// a simulated runner and virtual time. Everything that happens follows from the seed.
import { startAgent, type Agent } from "../../agent/agent.ts";
import type { ArtifactCache } from "../../artifact/artifact-cache.ts";
import type { Job } from "../../agent/runner/runner.ts";
import { simulatedRunner, type SimulatedStore } from "../support/simulated-runner.ts";
import { startCandidate, type Candidate } from "../../coordinator/leader/candidate.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import type { State } from "../../coordinator/state/state.ts";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { MemoryHub, noFaults } from "../support/bus/memory-hub.ts";
import { openPolicy, type Capability } from "../../protocol/capability.ts";
import { openClient, type MeshClient } from "../../protocol/client.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import type { Store } from "../../store/store.ts";
import { inlineSampler } from "../support/inline-sampler.ts";
import { randomStream, type RandomStream } from "../../search/space/random-stream.ts";
import { keysOf } from "../support/order-key.ts";
import { VirtualClock } from "../support/virtual-clock.ts";
import { ProcessClock } from "./process.ts";

export const mesh = "sim";
export const settings = settingsFor(15_000);
const diskFlushMs = 3;
const skewMaxMs = 5_000;

export class Violation extends Error {}

interface AgentProcess {
  readonly clock: ProcessClock;
  readonly agent: Agent;
  readonly busName: string;
  readonly runningFences: Set<number>;
}

interface CandidateProcess {
  readonly clock: ProcessClock;
  readonly candidate: Candidate;
  readonly busName: string;
  state: State | null;
}

export interface AgentPlan {
  readonly name: string;
  readonly slots: number;
  /** Model → tokens per second. */
  readonly rates: Readonly<Record<string, number>>;
  /** Its owner lends it only while away. */
  readonly idleOnly: boolean;
}

/** Short minutes: a storm lasts five of ours. */
const idlePolicy = { startMinutes: 0.1, loadMax: 0.3, resumeMinutes: 0.08, vacateMinutes: 0.4 };

export class World {
  readonly clock = new VirtualClock();
  readonly hub: MemoryHub;
  readonly random: RandomStream;
  readonly keys = keysOf(mesh);
  readonly violations: string[] = [];
  readonly artifacts: SimulatedStore = new Map();
  readonly agents = new Map<string, AgentProcess>();
  readonly candidates = new Map<string, CandidateProcess>();
  readonly #disks = new Map<string, MemoryDisk>();
  readonly #skews = new Map<string, number>();
  /** When the owner of each machine last touched it, and until when they stay, in the world's time. */
  readonly #owners = new Map<string, { readonly from: number; readonly until: number }>();
  readonly trace: string[] = [];
  #lives = 0;

  constructor(seed: number) {
    this.hub = new MemoryHub({ clock: this.clock, seed });
    this.random = randomStream(seed, "world", 0);
  }

  note(line: string): void {
    this.trace.push(`${String(this.clock.monotonic()).padStart(8)} ${line}`);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  between(min: number, max: number): number {
    return min + Math.floor(this.random.next() * (max - min + 1));
  }

  startCandidate(name: string): void {
    const clock = this.#clockFor(name);
    const busName = `${name}#${++this.#lives}`;
    const process: CandidateProcess = {
      clock,
      busName,
      state: null,
      candidate: startCandidate({
        mesh,
        name,
        bus: this.hub.connect(busName),
        keys: this.keys,
        store: this.#openDisk(`coordinator-${name}`),
        journalCopy: this.#openDisk(`copy-${name}`),
        sampler: inlineSampler,
        clock,
        random: () => this.random.next(),
        settings,
        log: (line) => this.note(`${name}: ${line}`),
        onHalt: (reason) => {
          if (clock.alive) this.violations.push(`${name} halted: ${reason}`);
        },
        onState: (state) => {
          if (clock.alive) this.#look(name, state);
        },
      }),
    };
    this.candidates.set(name, process);
    this.note(`${name} starts`);
  }

  killCandidate(name: string): void {
    const process = this.candidates.get(name);
    if (process === undefined) return;
    process.clock.kill();
    this.hub.partition(process.busName);
    this.#disk(`coordinator-${name}`).crash();
    this.#disk(`copy-${name}`).crash();
    this.candidates.delete(name);
    this.note(`${name} is killed`);
  }

  /** The process stands still and is cut off, then goes on where it was: a paused leader that still believes. */
  pauseCandidate(name: string, ms: number): void {
    const process = this.candidates.get(name);
    if (process === undefined) return;
    this.note(`${name} is paused for ${ms}`);
    process.clock.pause();
    this.hub.partition(process.busName);
    this.clock.setTimer(ms, () => {
      process.clock.resume();
      if (process.clock.alive) this.hub.heal(process.busName);
    });
  }

  leader(): string | null {
    for (const [name, { candidate }] of this.candidates) if (candidate.role() === "leader") return name;
    return null;
  }

  startAgent(plan: AgentPlan): void {
    const clock = this.#clockFor(plan.name);
    const busName = `${plan.name}#${++this.#lives}`;
    const bus = this.hub.connect(busName);
    const runningFences = new Set<number>();
    const inner = simulatedRunner({
      clock,
      store: this.artifacts,
      epoch: (job, resource) => this.#epoch(plan, job, resource),
    });
    const runner: typeof inner = {
      start: (job) => {
        runningFences.add(job.fence);
        inner.start(job);
      },
      stop: (fence, how) => inner.stop(fence, how),
      suspend: (fence) => inner.suspend(fence),
      resume: (fence) => inner.resume(fence),
      canSuspend: inner.canSuspend,
      processes: () => inner.processes(),
      onEvent: (listener) => inner.onEvent(listener),
      close: () => inner.close(),
    };
    inner.onEvent((event) => {
      if (event.kind === "finished" || event.kind === "stopped" || event.kind === "failed")
        runningFences.delete(event.fence);
    });
    const agent = startAgent({
      mesh,
      name: plan.name,
      bus,
      trust: this.keys.trust,
      store: this.#openDisk(`agent-${plan.name}`),
      runner,
      artifacts: this.#cache(bus, clock),
      clock,
      incarnation: busName,
      capability: capabilityOf(plan),
      policy: plan.idleOnly ? { ...openPolicy(plan.slots), idle: idlePolicy } : openPolicy(plan.slots),
      owner: {
        idle: [
          {
            name: "the owner",
            read: () => Promise.resolve({ kind: "idle", source: "the owner", ms: this.#idleMs(plan.name) }),
          },
        ],
        power: () => Promise.resolve({ onBattery: null, celsius: null }),
        othersLoad: () => Promise.resolve(0),
      },
      load: () => ({ cpuLoad: null, memFreeGiB: null }),
      minuteOfDay: () => 0,
      log: (line) => this.note(`${plan.name}: ${line}`),
      onHalt: (reason) => {
        if (clock.alive) this.violations.push(`${plan.name} halted: ${reason}`);
      },
    });
    this.agents.set(plan.name, { clock, agent, busName, runningFences });
    this.note(`${plan.name} starts`);
  }

  /** The owner sits down at their machine for a while. */
  returnOwner(name: string, ms: number): void {
    const from = this.clock.monotonic();
    this.#owners.set(name, { from, until: from + ms });
    this.note(`the owner of ${name} is back for ${ms}`);
  }

  #idleMs(name: string): number {
    const stay = this.#owners.get(name);
    const now = this.clock.monotonic();
    return stay === undefined ? now + 3_600_000 : Math.max(0, now - stay.until);
  }

  killAgent(name: string): void {
    const process = this.agents.get(name);
    if (process === undefined) return;
    process.clock.kill();
    this.hub.partition(process.busName);
    this.#disk(`agent-${name}`).crash();
    this.agents.delete(name);
    this.note(`${name} is killed`);
  }

  partitionAgent(name: string, ms: number): void {
    const process = this.agents.get(name);
    if (process === undefined) return;
    this.note(`${name} is cut off for ${ms}`);
    this.hub.partition(process.busName);
    this.clock.setTimer(ms, () => {
      if (process.clock.alive) this.hub.heal(process.busName);
    });
  }

  stopServer(ms: number): void {
    this.note(`the server is down for ${ms}`);
    this.hub.stop();
    this.clock.setTimer(ms, () => this.hub.start());
  }

  calm(): void {
    this.hub.faults = { ...noFaults, delayMs: [1, 5] };
  }

  client(role: "owner" | "requester", who: string): MeshClient {
    let keys = 0;
    return openClient({
      mesh,
      role,
      who,
      bus: this.hub.connect(`client-${who}#${++this.#lives}`),
      clock: this.clock,
      newKey: () => `key-${who}-${++keys}`,
      patienceMs: 600_000,
    });
  }

  /** Every durable state a coordinator shows must hold every invariant, and so must what agents do meanwhile. */
  #look(name: string, state: State): void {
    const process = this.candidates.get(name);
    if (process !== undefined) process.state = state;
    for (const broken of brokenInvariants(state)) {
      this.violations.push(`${broken.rule} at ${broken.where}: ${broken.detail}`);
    }
    // METER-4: all of them are honest, whatever befalls them.
    for (const { agent, cordonReason } of state.agents.values()) {
      if (cordonReason?.includes("the clock") === true)
        this.violations.push(`METER-4: ${agent} is accused: ${cordonReason}`);
    }
    if (process?.candidate.role() !== "leader") return;
    // LEASE-7: a reservation is never given back while its agent still runs on it.
    for (const [agent, { runningFences }] of this.agents) {
      for (const fence of runningFences) {
        if (!state.active.has(fence) && fence < state.meta.nextFence) {
          this.violations.push(
            `LEASE-7: fence ${fence} runs on ${agent}, but its reservation has been resolved`,
          );
        }
      }
    }
  }

  #epoch(plan: AgentPlan, job: Job, resource: number) {
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

  #cache(bus: Bus, clock: ProcessClock): ArtifactCache {
    const { blobs } = streamsOf(mesh);
    const subjects = subjectsOf(mesh);
    const retry = async <T>(run: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          return await run();
        } catch (error) {
          if (!(error instanceof BusError) || error.kind === "closed") throw error;
          await sleep(clock, 500);
        }
      }
    };
    return {
      workDirOf: (fence) => `sim/${fence}`,
      clear: () => {},
      kept: () => null,
      fetch: async (digest) => {
        const found = await retry(() => bus.getMessage(blobs, subjects.blob(digest, 0)));
        return found === null ? refuse("unknown", `no artifact ${digest}`) : accept(`sim:${digest}`);
      },
      share: async (_path, digest) => {
        await bus.append(blobs, subjects.blob(digest, 0), new Uint8Array([1]));
      },
    };
  }

  #clockFor(name: string): ProcessClock {
    let skew = this.#skews.get(name);
    if (skew === undefined) {
      skew = this.between(-skewMaxMs, skewMaxMs);
      this.#skews.set(name, skew);
    }
    return new ProcessClock(this.clock, skew);
  }

  #disk(name: string): MemoryDisk {
    let disk = this.#disks.get(name);
    if (disk === undefined) {
      disk = new MemoryDisk({ timer: this.clock, flushMs: diskFlushMs });
      this.#disks.set(name, disk);
    }
    return disk;
  }

  #openDisk(name: string): Store {
    const opening = this.#disk(name).open("1");
    if (opening.kind === "refused") throw new Violation(opening.refusal.message);
    return opening.store;
  }
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
    backends: [{ name: "cpu", works: true, reason: null, version: null, dtypes: ["f32"] }],
    rates: Object.entries(rates).map(([model, tokensPerSecond]) => ({
      kind: `simulated/${model}`,
      backend: "cpu",
      examplesPerSecond: tokensPerSecond,
      tokensPerSecond,
    })),
    labels: {},
    python: null,
  };
}
