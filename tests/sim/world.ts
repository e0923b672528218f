// The whole mesh in one process: the real coordinator and agent code over a memory bus, memory disks,
// a simulated runner and virtual time. Everything that happens follows from the seed.
import { contentOf, readPack } from "../../artifact/pack.ts";
import { startCandidate, type Candidate } from "../../coordinator/leader/candidate.ts";
import { settingsFor, type CoordinatorSettings } from "../../coordinator/state/setting.ts";
import type { State } from "../../coordinator/state/state.ts";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { openClient, type MeshClient } from "../../protocol/client.ts";
import { randomStream, type RandomStream } from "../../search/space/random-stream.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type { Store } from "../../store/store.ts";
import * as z from "zod";
import type { MemoryBus } from "../support/bus/memory-bus.ts";
import { MemoryHub, noFaults } from "../support/bus/memory-hub.ts";
import { leaseNeeds } from "../support/lease-need.ts";
import { inlineSampler } from "../support/inline-sampler.ts";
import { MemoryDisk } from "../support/memory-store.ts";
import type { SimulatedStore } from "../support/simulated-runner.ts";
import { nextTick, VirtualClock } from "../support/virtual-clock.ts";
import { hearBeats, startAgentProcess, type AgentPlan, type AgentProcess } from "./agent-process.ts";
import { keyedHashKeys } from "./keyed-hash.ts";
import { newerKeys } from "./newer-keys.ts";
import { JournalLoss } from "./journal-loss.ts";
import { ProcessClock, type ClockFault } from "./process.ts";

export const mesh = "sim";
/** A storm lasts five minutes: what could go is looked at all the time. */
export const settings: CoordinatorSettings = {
  ...settingsFor(15_000),
  collectEveryMs: 20_000,
  collectRestMs: 30_000,
  archiveEveryMs: 15_000,
  archiveRestMs: 2_000,
};
const diskFlushMs = 3;
const slowDiskFlushMs = [50, 2_000] as const;
const skewMaxMs = 5_000;
/** Crystals are off by a ten-thousandth; the clocks of these machines by up to a hundredth. */
const paceErrorMax = 0.01;
/**
 * A machine that has slept cannot know, until it hears a beacon again, that its leases have ended meanwhile. Where another term has
 * begun it learns it from its own clock or from the answer to a heartbeat.
 */
const excusedMs = 5_000;
const excusedInNewTermMs = 20_000;
const lookEveryMs = 500;

/** Of what every coordinator has a copy of, so many messages are lost at most; and all that came after them. */
const lostMax = 5;
const candidateNames = ["one", "two"];

export class Violation extends Error {}

interface CandidateProcess {
  readonly clock: ProcessClock;
  readonly candidate: Candidate;
  readonly bus: MemoryBus;
  /** As it works on it: of a leader it may hold a batch more than the journal has yet. */
  state: State | null;
  /** The state's time when it held what is durable and nothing else, ms. */
  durableTo: number;
}

export interface WorldPlan {
  /** One of the two coordinators is of the next version. */
  readonly isMixed: boolean;
  readonly slowDisks: boolean;
}

export class World {
  readonly clock = new VirtualClock(nextTick);
  readonly hub: MemoryHub;
  readonly random: RandomStream;
  readonly keys = keyedHashKeys(mesh);
  /** Agents that have made figures up: what they said may still be on its way. */
  readonly liars = new Set<string>();
  readonly #lying = new Set<string>();
  readonly violations: string[] = [];
  readonly artifacts: SimulatedStore = new Map();
  readonly agents = new Map<string, AgentProcess>();
  readonly candidates = new Map<string, CandidateProcess>();
  readonly trace: string[] = [];
  readonly #plan: WorldPlan;
  readonly #kept = new Map<string, Set<string>>();
  readonly #made = new Map<string, Set<string>>();
  readonly #disks = new Map<string, MemoryDisk>();
  readonly #clockFaults = new Map<string, ClockFault>();
  /** When the owner of each machine last touched it, and until when they stay, in the world's time. */
  readonly #owners = new Map<string, { readonly from: number; readonly until: number }>();
  /** By process: at how many steps from now it dies. */
  readonly #fatalRemovals = new Map<string, () => void>();
  /** Removals from the mesh's store that were asked for. */
  removals = 0;
  readonly #fatalSteps = new Map<string, { left: number; readonly die: () => void }>();
  /** By connection: for how many reasons it is apart just now. */
  readonly #apart = new Map<string, number>();
  #restoring: JournalLoss | null = null;
  #lives = 0;
  #newestEpoch = 0;

  constructor(seed: number, plan: WorldPlan = { isMixed: false, slowDisks: false }) {
    this.hub = new MemoryHub({ clock: this.clock, seed });
    this.random = randomStream(seed, "world", 0);
    this.#plan = plan;
    this.#watchExcuses();
  }

  note(line: string): void {
    this.trace.push(`${this.clock.monotonic().toFixed(0).padStart(8)} ${line}`);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  between(min: number, max: number): number {
    return min + Math.floor(this.random.next() * (max - min + 1));
  }

  pick<T>(from: readonly T[]): T | undefined {
    return from[this.between(0, from.length - 1)];
  }

  /** While the journal is being restored whoever does it says what starts. */
  startCandidate(name: string, restoreJournal = false): void {
    if (this.candidates.has(name) || (this.#restoring !== null && !restoreJournal)) return;
    const clock = this.#clockFor(name);
    const bus = this.hub.connect(`${name}#${++this.#lives}`);
    this.#watchRemovals(name, bus);
    const process: CandidateProcess = {
      clock,
      bus,
      state: null,
      durableTo: 0,
      candidate: startCandidate({
        mesh,
        name,
        bus,
        keys: this.keysOf(name),
        store: this.#openDisk(`coordinator-${name}`),
        journalCopy: this.#openDisk(`copy-${name}`),
        sampler: inlineSampler,
        clock,
        random: () => this.random.next(),
        settings,
        restoreJournal,
        log: (line) => this.note(`${name}: ${line}`),
        onHalt: (reason) => {
          if (!clock.alive) return;
          if (this.#restoring === null) this.violations.push(`${name} halted: ${reason}`);
          else this.#restoring.halted(name, reason);
        },
        onState: (state) => {
          if (!clock.alive) return;
          this.#look(name, state);
          this.#step(name);
        },
      }),
    };
    this.candidates.set(name, process);
    this.note(`${name} starts`);
  }

  /** The second coordinator of a mixed mesh is of the next version. */
  keysOf(candidate: string): World["keys"] {
    return this.#plan.isMixed && candidate === "two" ? newerKeys(this.keys) : this.keys;
  }

  killCandidate(name: string): void {
    const process = this.candidates.get(name);
    if (process === undefined || this.#restoring !== null) return;
    process.clock.kill();
    this.hub.partition(process.bus.name);
    this.#disk(`coordinator-${name}`).crash();
    this.#disk(`copy-${name}`).crash();
    this.candidates.delete(name);
    this.note(`${name} is killed`);
  }

  leader(): string | null {
    for (const [name, { candidate }] of this.candidates) if (candidate.role() === "leader") return name;
    return null;
  }

  startAgent(plan: AgentPlan): void {
    const { name } = plan;
    if (this.agents.has(name)) return;
    const clock = this.#clockFor(name);
    const bus = this.hub.connect(`${name}#${++this.#lives}`);
    const process: AgentProcess = { clock, bus, runningFences: new Set(), registeredIn: 0, excuse: null };
    this.agents.set(name, process);
    const world = {
      mesh,
      trust: this.keys.trust,
      clock,
      bus,
      store: this.#openDisk(`agent-${name}`),
      incarnation: bus.name,
      artifacts: this.artifacts,
      kept: this.keptOf(name),
      made: this.#madeOf(name),
      holds: (agent: string, digest: string) => this.#holds(agent, digest),
      idleMs: () => this.#idleMs(name),
      lies: () => this.#lying.has(name),
      onStep: () => {
        if (clock.alive) this.#step(name);
      },
      log: (line: string) => this.note(`${name}: ${line}`),
      onHalt: (reason: string) => {
        if (clock.alive) this.violations.push(`${name} halted: ${reason}`);
      },
    };
    hearBeats(bus, mesh, name, (epoch) => {
      process.registeredIn = epoch;
    });
    startAgentProcess(plan, world, process.runningFences);
    this.note(`${name} starts`);
  }

  /** Large checkpoints on the disk of that machine. */
  keptOf(name: string): Set<string> {
    const kept = this.#kept.get(name) ?? new Set();
    this.#kept.set(name, kept);
    return kept;
  }

  /** By digest of what lies on machines' disks, how many of them have it. */
  keptAtAgents(): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    for (const kept of this.#kept.values())
      for (const digest of kept) found.set(digest, (found.get(digest) ?? 0) + 1);
    return found;
  }

  #madeOf(name: string): Set<string> {
    const made = this.#made.get(name) ?? new Set();
    this.#made.set(name, made);
    return made;
  }

  #holds(name: string, digest: string): boolean {
    const process = this.agents.get(name);
    const isReached = process?.bus.status() === "connected" && !process.clock.standsStill;
    return isReached && (this.keptOf(name).has(digest) || this.#madeOf(name).has(digest));
  }

  killAgent(name: string): void {
    const process = this.agents.get(name);
    if (process === undefined) return;
    process.clock.kill();
    this.hub.partition(process.bus.name);
    this.#disk(`agent-${name}`).crash();
    this.agents.delete(name);
    this.note(`${name} is killed`);
  }

  /** It makes up what its jobs use, until somebody starts it anew. */
  lie(plan: AgentPlan, ms: number): void {
    const { name } = plan;
    this.note(`${name} makes its figures up for ${ms}`);
    this.liars.add(name);
    this.#lying.add(name);
    this.clock.setTimer(ms, () => {
      this.#lying.delete(name);
      this.killAgent(name);
      this.startAgent(plan);
    });
  }

  /** The owner sits down at their machine for a while. */
  returnOwner(name: string, ms: number): void {
    const from = this.clock.monotonic();
    this.#owners.set(name, { from, until: from + ms });
    this.note(`the owner of ${name} is back for ${ms}`);
  }

  /** Does `die` at one of the next steps of this process: it writes, stores, sends, begins or reports something. */
  dieAtStep(name: string, steps: number, die: () => void): void {
    this.#fatalSteps.set(name, { left: steps, die });
  }

  /** Does `die` as this coordinator removes its next bytes from the mesh's store, before or after the server has. */
  dieAtRemoval(name: string, die: () => void): void {
    this.#fatalRemovals.set(name, die);
  }

  #watchRemovals(name: string, bus: MemoryBus): void {
    const remove = bus.removeMessages.bind(bus);
    bus.removeMessages = async (stream, subject, before) => {
      const die = this.#fatalRemovals.get(name);
      const isAfter = die !== undefined && this.chance(0.5);
      if (die !== undefined) {
        this.#fatalRemovals.delete(name);
        this.note(`${name} dies ${isAfter ? "after" : "before"} a removal`);
        if (!isAfter) die();
      }
      const removed = remove(stream, subject, before);
      this.removals++;
      if (isAfter) this.clock.setTimer(1, () => die?.());
      await removed;
    };
  }

  /** A process stands still and is cut off, then goes on where it was: a paused leader that still believes. */
  freeze(name: string, ms: number, how: "pause" | "sleep"): void {
    const process = this.agents.get(name) ?? this.candidates.get(name);
    // What stands still already is not woken by the end of another standstill.
    if (process === undefined || process.clock.standsStill) return;
    this.note(`${name} is ${how === "pause" ? "paused" : "asleep"} for ${ms}`);
    if (how === "pause") process.clock.pause();
    else process.clock.sleep();
    this.#part(process, ms, () => {
      process.clock.resume();
      const agent = this.agents.get(name);
      if (agent !== undefined) agent.excuse = { epoch: agent.registeredIn, leftMs: excusedMs };
    });
  }

  /** An excuse lasts as long as there is no leader to be heard, and longer where it leads a term that the agent is not registered in. */
  #watchExcuses(): void {
    this.clock.setTimer(lookEveryMs, () => {
      const leader = this.candidates.get(this.leader() ?? "");
      const isHeard = leader?.bus.status() === "connected" && !leader.clock.standsStill;
      for (const agent of this.agents.values()) {
        const { bus, clock, excuse } = agent;
        if (excuse === null || !isHeard || bus.status() !== "connected" || clock.standsStill) continue;
        excuse.leftMs -= lookEveryMs;
        const isNewTerm = this.#epoch() !== excuse.epoch;
        if (excuse.leftMs <= (isNewTerm ? excusedMs - excusedInNewTermMs : 0)) agent.excuse = null;
      }
      this.#watchExcuses();
    });
  }

  /** The time of day of its machine is set. */
  stepClock(name: string, byMs: number): void {
    const process = this.agents.get(name) ?? this.candidates.get(name);
    if (process === undefined) return;
    this.note(`the clock of ${name} is set by ${byMs}`);
    process.clock.step(byMs);
    const fault = this.#clockFaults.get(name);
    // The machine's clock outlives the process.
    if (fault !== undefined) this.#clockFaults.set(name, { ...fault, skewMs: fault.skewMs + byMs });
  }

  cutOff(name: string, ms: number): void {
    const process = this.agents.get(name) ?? this.candidates.get(name);
    if (process === undefined) return;
    this.note(`${name} is cut off for ${ms}`);
    this.#part(process, ms, () => {});
  }

  /** Nothing passes between it and the server for so long; nor after that, while there is another reason: it sleeps on, say. */
  #part({ bus, clock }: Pick<AgentProcess, "bus" | "clock">, ms: number, onOver: () => void): void {
    this.hub.partition(bus.name);
    this.#apart.set(bus.name, (this.#apart.get(bus.name) ?? 0) + 1);
    this.clock.setTimer(ms, () => {
      const left = (this.#apart.get(bus.name) ?? 1) - 1;
      this.#apart.set(bus.name, left);
      if (!clock.alive) return;
      onOver();
      if (left === 0) this.hub.heal(bus.name);
    });
  }

  stopServer(ms: number, how: "killed" | "without power"): void {
    this.note(`the server is ${how} for ${ms}`);
    if (how === "killed") this.hub.stop();
    else this.hub.crash();
    this.clock.setTimer(ms, () => this.hub.start());
  }

  /** The server loses what it had said was stored; somebody puts it back from a coordinator's copy. */
  loseJournal(ms: number): void {
    const isWhole = candidateNames.every((name) => this.candidates.get(name)?.clock.standsStill === false);
    if (this.#plan.isMixed || !isWhole || this.#restoring !== null) return;
    const ends = candidateNames.map((name) => this.copyEndOf(name));
    // What no coordinator has a copy of on its disk cannot be put back: then every one says so and none leads.
    if (Math.max(...ends) < this.journalEnd()) return;
    const kept = Math.min(...ends) - this.between(1, lostMax);
    if (kept < 1) return;
    const { journal } = streamsOf(mesh);
    this.note(`the journal is cut to ${kept} messages`);
    this.#restoring = new JournalLoss(this, candidateNames, () => {
      this.#restoring = null;
    });
    this.stopServer(ms, "without power");
    this.hub.loseTail(journal, this.hub.stream(journal).state().lastSequence - kept);
  }

  /** The sequence of the last message that the server has of it. */
  journalEnd(): number {
    return this.hub.stream(streamsOf(mesh).journal).state().lastSequence;
  }

  /** Whether a leader has decided what the journal does not have yet. */
  isAhead(): boolean {
    return [...this.candidates.values()].some(
      ({ candidate, durableTo, state }) =>
        candidate.role() === "leader" && state !== null && state.meta.at !== durableTo,
    );
  }

  /** Up to where its copy of the journal is on its disk. */
  copyEndOf(candidate: string): number {
    const end = this.#openDisk(`copy-${candidate}`).get("end");
    return z.object({ sequence: z.int() }).safeParse(end).data?.sequence ?? 0;
  }

  /** By itself, or in the pack that it is said to lie in; or two machines keep it. */
  holdsArtifact(digest: string, pack: number | undefined): boolean {
    if ((this.keptAtAgents().get(digest) ?? 0) >= 2) return true;
    const stream = this.hub.stream(streamsOf(mesh).blobs);
    if (stream.lastOf(subjectsOf(mesh).blob(digest, 0)) !== null) return true;
    const packed = pack === undefined ? null : stream.lastOf(subjectsOf(mesh).pack(pack));
    const contents = packed === null ? null : readPack(packed.data);
    return contents !== null && contentOf(contents, digest) !== null;
  }

  /** Digests of all that lies in the mesh's store. */
  storedArtifacts(): ReadonlySet<string> {
    const { subjects } = this.hub.stream(streamsOf(mesh).blobs).census(">");
    const digests = [...subjects.keys()].map((subject) => subject.split(".").at(-2) ?? "");
    return new Set(digests.filter((digest) => digest !== "pack"));
  }

  /** Packs there that hold something, by what they are called. */
  storedPacks(): readonly number[] {
    const { subjects } = this.hub
      .stream(streamsOf(mesh).blobs)
      .census(subjectsOf(mesh).pack(0).replace(/0$/, "*"));
    return [...subjects.keys()]
      .map((subject) => Number(subject.split(".").at(-1)))
      .filter((pack) => pack > 0);
  }

  /** Messages in the outbox of a living agent. */
  unreceiptedOf(agent: string): number {
    return [...this.#openDisk(`agent-${agent}`).range("outbox/")].length;
  }

  /** As the leader's last durable batch has it, ms; null where nobody leads. */
  journalTime(): number | null {
    return this.candidates.get(this.leader() ?? "")?.state?.meta.at ?? null;
  }

  calm(): void {
    this.hub.faults = { ...noFaults, delayMs: [1, 5] };
    this.#fatalSteps.clear();
    this.#fatalRemovals.clear();
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
    if (process !== undefined) {
      process.state = state;
      process.durableTo = state.meta.at;
    }
    for (const broken of brokenInvariants(state)) {
      this.violations.push(`${broken.rule} at ${broken.where}: ${broken.detail}`);
    }
    // METER-4: all but those are honest, whatever befalls them.
    for (const { agent, cordonReason } of state.agents.values()) {
      if (!this.liars.has(agent) && cordonReason?.includes("the clock") === true)
        this.violations.push(`METER-4: ${agent} is accused: ${cordonReason}`);
    }
    if (process?.candidate.role() !== "leader") return;
    // GC-1: what a lease needs, or could, is there. Of a deposed leader that wakes up nobody takes one.
    this.#newestEpoch = Math.max(this.#newestEpoch, state.meta.epoch);
    const isNewest = state.meta.epoch === this.#newestEpoch;
    for (const { digest, of } of isNewest ? leaseNeeds(state) : []) {
      if (!this.holdsArtifact(digest, state.packed.get(digest)))
        this.violations.push(`GC-1: ${of} needs ${digest}, which is not stored`);
    }
    // LEASE-7: a reservation is never given back while its agent still runs on it.
    for (const [agent, { clock, excuse, runningFences }] of this.agents) {
      if (clock.standsStill || excuse !== null) continue;
      for (const fence of runningFences) {
        if (!state.active.has(fence) && fence < state.meta.nextFence) {
          this.violations.push(
            `LEASE-7: fence ${fence} runs on ${agent}, but its reservation has been resolved`,
          );
        }
      }
    }
  }

  #step(name: string): void {
    const fatal = this.#fatalSteps.get(name);
    if (fatal === undefined || --fatal.left > 0) return;
    this.#fatalSteps.delete(name);
    fatal.die();
  }

  /** The highest that a living coordinator knows of. */
  #epoch(): number {
    const epochs = [...this.candidates.values()].map(({ state }) => state?.meta.epoch ?? 0);
    return Math.max(0, ...epochs);
  }

  #idleMs(name: string): number {
    const stay = this.#owners.get(name);
    const now = this.clock.monotonic();
    return stay === undefined ? now + 3_600_000 : Math.max(0, now - stay.until);
  }

  #clockFor(name: string): ProcessClock {
    let fault = this.#clockFaults.get(name);
    if (fault === undefined) {
      const pace = 1 + (this.random.next() * 2 - 1) * paceErrorMax;
      fault = { skewMs: this.between(-skewMaxMs, skewMaxMs), pace };
      this.#clockFaults.set(name, fault);
    }
    return new ProcessClock(this.clock, fault);
  }

  #disk(name: string): MemoryDisk {
    let disk = this.#disks.get(name);
    if (disk === undefined) {
      const isSlow = this.#plan.slowDisks && this.chance(0.5);
      disk = new MemoryDisk({
        timer: this.clock,
        flushMs: isSlow ? this.between(...slowDiskFlushMs) : diskFlushMs,
      });
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
