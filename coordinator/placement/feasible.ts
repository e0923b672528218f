/** Which agents fit a sweep's trials of one model, by which backend, and at what price. The one place that asks `match`. */
import type { BackendName } from "../../protocol/capability.ts";
import {
  backendsFor,
  lacksPredicate,
  match,
  matchItself,
  type Mismatch,
  type PlacementRequest,
} from "../../protocol/match.ts";
import type { Agent, State, Sweep } from "../state/state.ts";
import { lackOf } from "../state/lack.ts";
import { trustedRate } from "./pace.ts";

export interface Choice {
  readonly agent: Agent;
  readonly backend: BackendName;
  /** Tokens per second, clamped; the lease freezes it. */
  readonly rate: number;
}

/** Why the agent does not fit; empty where it does. */
export function mismatchesOf(agent: Agent, sweep: Sweep, model: string): readonly Mismatch[] {
  const lacks = lackOf(agent, sweep);
  const found = mismatchesByMatch(agent, sweep, model);
  return lacks === null ? found : [...found, { predicate: lacksPredicate, wanted: lacks, has: "" }];
}

/** As `mismatchesOf`, but for what attempts have shown to be missing there. */
export function mismatchesByMatch(agent: Agent, sweep: Sweep, model: string): readonly Mismatch[] {
  return match(requestOf(agent.agent, sweep, model), agent.capability, agent.policy);
}

/** The agent's fastest way to run this, or null where it does not fit. */
export function choiceOn(agent: Agent, sweep: Sweep, model: string): Choice | null {
  if (mismatchesOf(agent, sweep, model).length > 0) return null;
  const request = requestOf(agent.agent, sweep, model);
  return fastest(agent, request, backendsFor(request, agent.capability));
}

/** As `choiceOn`, where the fleet has answered already for all machines of its kind; what is missing there is not asked. */
export function choiceInGroup(state: State, name: string, sweep: Sweep, model: string): Choice | null {
  const agent = state.agents.get(name);
  const group = state.fleet.groupOf(name);
  if (agent === undefined || group === null) return null;
  const { key, request: ofAny } = requestOfAny(sweep, model);
  const request = { ...ofAny, agent: name };
  const backends = state.fleet.backendsOn(group, request, key);
  if (backends.length === 0 || matchItself(request, agent.capability, agent.policy).length > 0) return null;
  return fastest(agent, request, backends);
}

export function feasibleChoices(agents: Iterable<Agent>, sweep: Sweep, model: string): Choice[] {
  const choices: Choice[] = [];
  for (const agent of agents) {
    const choice = choiceOn(agent, sweep, model);
    if (choice !== null) choices.push(choice);
  }
  return choices;
}

function requestOf(agent: string, { requester, spec }: Sweep, model: string): PlacementRequest {
  return { agent, requester, kind: `${spec.task}/${model}`, requirement: spec.needs };
}

/** A request that names no agent. Requests with equal keys fit the same kinds of machine. */
interface KeyedRequest {
  readonly request: PlacementRequest;
  readonly key: string;
}

/** Made once for each sweep and model, and again where what it needs was changed: every decision asks. */
const requests = new WeakMap<
  Sweep,
  { readonly needs: object; readonly byModel: Map<string, KeyedRequest> }
>();

export function requestOfAny(sweep: Sweep, model: string): KeyedRequest {
  let ofSweep = requests.get(sweep);
  const { needs } = sweep.spec;
  if (ofSweep?.needs !== needs) {
    ofSweep = { needs, byModel: new Map() };
    requests.set(sweep, ofSweep);
  }
  let keyed = ofSweep.byModel.get(model);
  if (keyed === undefined) {
    const request = requestOf("", sweep, model);
    keyed = { request, key: `${request.kind}\n${request.requester}\n${JSON.stringify(request.requirement)}` };
    ofSweep.byModel.set(model, keyed);
  }
  return keyed;
}

function fastest(agent: Agent, { kind }: PlacementRequest, backends: readonly BackendName[]): Choice | null {
  let best: Choice | null = null;
  for (const rate of agent.capability.rates) {
    if (rate.kind !== kind || !backends.includes(rate.backend)) continue;
    const trusted = trustedRate(agent, kind, rate.tokensPerSecond);
    if (best === null || trusted > best.rate) best = { agent, backend: rate.backend, rate: trusted };
  }
  return best;
}
