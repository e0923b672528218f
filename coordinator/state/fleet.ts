/**
 * The agents, grouped by what decides whether a trial fits: machines that can do the same, of owners who allow the same,
 * are asked once. So the work of a decision grows with the kinds of machine and not with their number. Derived from the
 * agents and from what they hold; changes nothing by itself.
 */
import type { BackendName, Capability, Policy } from "../../protocol/capability.ts";
import { backendsFor, matchMachine, type PlacementRequest } from "../../protocol/match.ts";

/** What the fleet must know of an agent. */
interface Machine {
  readonly agent: string;
  readonly capability: Capability;
  readonly policy: Policy;
}

/** Agents that fit the same requests, but for what `match` asks of each machine by itself. */
export interface AgentGroup {
  readonly number: number;
  readonly capability: Capability;
  readonly policy: Policy;
  /** Names of agents with a free slot that take work, longest free first. */
  readonly free: Set<string>;
  members: number;
  /** Members that take work, busy or not. */
  working: number;
}

export class Fleet {
  readonly #groups = new Map<string, AgentGroup>();
  readonly #groupOf = new Map<string, AgentGroup>();
  readonly #working = new Set<string>();
  /** Groups with a free agent. */
  readonly #open = new Set<AgentGroup>();
  /** By request: the backends on which it runs there, none where it does not fit. */
  #fits = new Map<string, Map<number, readonly BackendName[]>>();
  #groupsMade = 0;
  readonly #installed = new InstalledSets();

  /** To be called after anything about the agent changed. `works`: it takes work; `free`: and has a slot. */
  update(agent: Machine, works: boolean, free: boolean): void {
    const name = agent.agent;
    this.#setWorking(name, false);
    const group = this.#groupFor(agent);
    const before = this.#groupOf.get(name);
    if (before !== group) {
      if (before !== undefined) this.#leave(name, before);
      this.#groupOf.set(name, group);
      group.members++;
    }
    this.#setWorking(name, works);
    if (free) {
      group.free.add(name);
      this.#open.add(group);
    } else if (group.free.delete(name) && group.free.size === 0) {
      this.#open.delete(group);
    }
  }

  isFree(name: string): boolean {
    return this.#groupOf.get(name)?.free.has(name) === true;
  }

  hasFree(): boolean {
    return this.#open.size > 0;
  }

  freeGroups(): Iterable<AgentGroup> {
    return this.#open;
  }

  groupOf(name: string): AgentGroup | null {
    return this.#groupOf.get(name) ?? null;
  }

  /** Backends on which the request runs on machines of this group; empty where it does not fit. */
  backendsOn(group: AgentGroup, request: PlacementRequest, requestKey: string): readonly BackendName[] {
    let byGroup = this.#fits.get(requestKey);
    if (byGroup === undefined) {
      if (this.#fits.size >= requestsRememberedMax) this.#fits = new Map();
      byGroup = new Map();
      this.#fits.set(requestKey, byGroup);
    }
    let backends = byGroup.get(group.number);
    if (backends === undefined) {
      const fits = matchMachine(request, group.capability, group.policy).length === 0;
      backends = fits ? backendsFor(request, group.capability) : [];
      byGroup.set(group.number, backends);
    }
    return backends;
  }

  /** Groups with an agent that takes work, busy or not. */
  *workingGroups(): Iterable<AgentGroup> {
    for (const group of this.#groups.values()) if (group.working > 0) yield group;
  }

  #setWorking(name: string, works: boolean): void {
    const group = this.#groupOf.get(name);
    if (group === undefined || this.#working.has(name) === works) return;
    if (works) this.#working.add(name);
    else this.#working.delete(name);
    group.working += works ? 1 : -1;
  }

  #groupFor(agent: Machine): AgentGroup {
    const known = this.#groupOf.get(agent.agent);
    if (known !== undefined && known.capability === agent.capability && known.policy === agent.policy) {
      return known;
    }
    const key = groupKey(agent, this.#installed.numberOf(agent.capability));
    let group = this.#groups.get(key);
    if (group === undefined) {
      const { capability, policy } = agent;
      group = { number: ++this.#groupsMade, capability, policy, free: new Set(), members: 0, working: 0 };
      this.#groups.set(key, group);
    }
    return group;
  }

  #leave(name: string, group: AgentGroup): void {
    group.members--;
    group.free.delete(name);
    if (group.free.size === 0) this.#open.delete(group);
    if (group.members === 0) {
      for (const [key, other] of this.#groups) if (other === group) this.#groups.delete(key);
    }
  }
}

/** Beyond this many different requests the answers are forgotten and found again. */
const requestsRememberedMax = 4096;

/** Everything `matchMachine` looks at, and nothing that differs between machines of one kind, such as measured speed. */
function groupKey({ capability, policy }: Machine, installed: number): string {
  const { host } = capability;
  return JSON.stringify([
    [host.os, host.arch, host.cores, host.gpus, host.cpuFeatures],
    capability.backends.map(({ dtypes, name, works }) => [name, works, dtypes]),
    capability.rates.map(({ backend, kind }) => [kind, backend]),
    Object.entries(capability.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [capability.python, installed, capability.sandbox?.rung],
    [policy.slots > 0, policy.requesters, policy.tasks, policy.programs, policy.leaveFreeCores],
  ]);
}

/** A set of packages may be long, and is compared at each change of an agent: each has a number. */
class InstalledSets {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<Capability, number>();

  numberOf(capability: Capability): number {
    let number = this.#known.get(capability);
    if (number === undefined) {
      const { packages } = capability;
      const entries = packages === undefined ? null : Object.entries(packages);
      const text = JSON.stringify(entries?.toSorted(([a], [b]) => (a < b ? -1 : 1)) ?? null);
      number = this.#numbers.get(text) ?? this.#numbers.size + 1;
      this.#numbers.set(text, number);
      this.#known.set(capability, number);
    }
    return number;
  }
}
