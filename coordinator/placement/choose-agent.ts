/**
 * Placement of one trial: feasible → rank → limit. Which requester's turn it is, the fair queue has said before; whether
 * the money suffices, the budget says after; why nothing fits is explained by `view/why-answer.ts` from the same answers.
 *
 * PLACE-1: only an agent that fits, takes work and has a free slot is chosen.
 * PLACE-2: agents on which the trial failed or was lost come last; where it failed it comes again only while nothing else
 * fits, so one where it was only lost goes before it.
 * PLACE-3: among the rest the sweep's preference decides: the fastest or the cheapest; where the data lies counts for half.
 * PLACE-4: what is to be moved counts for the time that it takes (`move-cost.ts`).
 */
import { meanOf } from "../../numeric/moment.ts";
import type { Agent, State, Sweep, Trial } from "../state/state.ts";
import { choiceInGroup, requestOfAny, type Choice } from "./feasible.ts";
import type { AgentGroup } from "../state/fleet.ts";
import { hasLackedOn, lackOf } from "../state/lack.ts";
import { moveMs, neededBy, nothingKnown, trainingShare, type Holdings, type Needed } from "./move-cost.ts";
import { lackSomethingAll } from "./lacked-everywhere.ts";
import { hasFailedOn } from "./tried-elsewhere.ts";

/** Free agents of one kind that are compared; more would differ little and cost time. */
const candidatesPerGroupMax = 16;
/** Of one kind, so many are looked at where each must be asked by itself. */
const asksPerGroupMax = 4096;

/** Weights of what speaks for an agent, beside its speed or price which counts 1. */
const checkpointWeight = 0.5;
const datasetWeight = 0.25;
const labelWeight = 0.5;
const failedPenalty = 10;
const loadPenalty = 0.01;

/** The best free agent that fits, or null. */
export function chooseAgent(
  state: State,
  sweep: Sweep,
  trial: Trial,
  holdings: Holdings = nothingKnown,
): Choice | null {
  const all = candidatesFor(state, sweep, trial, holdings);
  const untried = all.filter(({ agent }) => !hasFailedOn(trial, agent.agent));
  // `schedule` waits for one where it has not failed: among those that are free, it must be the one that is named.
  const candidates = untried.length > 0 ? untried : all;
  if (candidates.length === 0) return null;
  const meritOf =
    sweep.spec.prefers.first === "fastest"
      ? speedMerit(candidates)
      : priceMerit(candidates, sweep, trial.model);
  let best: Choice | null = null;
  let bestRank = -Infinity;
  const needed = sweep.spec.prefers.nearData ? neededBy(state, sweep, trial) : [];
  for (const choice of candidates) {
    const movingMs = moveMs(needed, choice.agent.agent, holdings);
    const merit = meritOf(choice) * trainingShare(state, sweep, trial, choice.rate, movingMs);
    const value =
      merit +
      nearness(trial, needed, choice.agent.agent, holdings) +
      extras(state, sweep, trial, choice.agent);
    if (value > bestRank || (value === bestRank && best !== null && choice.agent.agent < best.agent.agent)) {
      best = choice;
      bestRank = value;
    }
  }
  return best;
}

/** 1 for the fastest. */
function speedMerit(candidates: readonly Choice[]): (choice: Choice) => number {
  const fastest = Math.max(...candidates.map(({ rate }) => rate));
  return ({ rate }) => rate / fastest;
}

/** 1 for the cheapest. */
function priceMerit(candidates: readonly Choice[], sweep: Sweep, model: string): (choice: Choice) => number {
  const cheapest = Math.min(...candidates.map((choice) => costOn(choice, sweep, model)));
  return (choice) => cheapest / costOn(choice, sweep, model);
}

/**
 * LACK-1: an agent that is marked as lacking something is none, while another that fits is not marked. Where all are, a trial
 * may still need nothing of that, and is tried where it has not been.
 */
function candidatesFor(state: State, sweep: Sweep, trial: Trial, holdings: Holdings): Choice[] {
  const near = [...nearby(state, sweep, trial, holdings)];
  const found = gather(state, sweep, trial, near, (agent) => lackOf(agent, sweep) === null);
  if (found.length > 0 || !lackSomethingAll(state, sweep, trial.model)) return found;
  return gather(state, sweep, trial, near, (agent) => !hasLackedOn(trial, agent, sweep));
}

/** All free agents that fit a replica and are meant, or the first so many of each kind. */
export function freeChoices(
  state: State,
  sweep: Sweep,
  trial: Trial,
  isMeant: (agent: Agent) => boolean,
): readonly Choice[] {
  return gather(state, sweep, trial, [], isMeant);
}

/** `near`: looked at whatever the limits. */
function gather(
  state: State,
  sweep: Sweep,
  trial: Trial,
  near: readonly string[],
  isMeant: (agent: Agent) => boolean,
): Choice[] {
  const { fleet } = state;
  const { model } = trial;
  const { key, request } = requestOfAny(sweep, model);
  const found = new Map<string, Choice>();
  const consider = (name: string) => {
    if (found.has(name) || !fleet.isFree(name)) return;
    const choice = choiceInGroup(state, name, sweep, model);
    if (choice !== null && isMeant(choice.agent)) found.set(name, choice);
  };
  for (const name of sweep.spec.needs.agents?.only ?? near) consider(name);
  for (const group of fleet.freeGroups()) {
    if (fleet.backendsOn(group, request, key).length > 0) considerSome(group, consider, found);
  }
  return [...found.values()];
}

function considerSome(
  group: AgentGroup,
  consider: (name: string) => void,
  found: ReadonlyMap<string, Choice>,
): void {
  const enough = found.size + candidatesPerGroupMax;
  let asked = 0;
  for (const name of group.free) {
    if (found.size >= enough || ++asked > asksPerGroupMax) return;
    consider(name);
  }
}

/** Agents that have the trial's checkpoint or its dataset, which a limit must not pass over. */
function* nearby(state: State, sweep: Sweep, trial: Trial, holdings: Holdings): Iterable<string> {
  const last = trial.attempts.at(-1);
  if (last !== undefined) yield last.agent;
  const { dataset, prefers } = sweep.spec;
  if (!prefers.nearData) return;
  if (trial.checkpoint !== null) yield* firstOf(holdings.holdersOf(trial.checkpoint.digest));
  if (dataset !== null) yield* firstOf(state.dataAt.get(dataset.digest) ?? []);
}

function* firstOf(agents: Iterable<string>): Iterable<string> {
  let count = 0;
  for (const name of agents) {
    if (++count > candidatesPerGroupMax) return;
    yield name;
  }
}

/** What is there already. */
function nearness(
  { checkpoint }: Trial,
  needed: readonly Needed[],
  agent: string,
  holdings: Holdings,
): number {
  let extra = 0;
  for (const each of needed)
    if (holdings.has(agent, each.digest) === true || each.wasSent(agent))
      extra += each.digest === checkpoint?.digest ? checkpointWeight : datasetWeight;
  return extra;
}

function extras(state: State, sweep: Sweep, trial: Trial, agent: Agent): number {
  const name = agent.agent;
  let extra = 0;
  for (const [label, value] of Object.entries(sweep.spec.prefers.labels)) {
    if (agent.capability.labels[label] === value) extra += labelWeight;
  }
  if (trial.attempts.some((one) => one.agent === name && isMishap(one.ending))) extra -= failedPenalty;
  const load = (state.held.get(name)?.size ?? 0) / Math.max(1, agent.policy.slots);
  return extra - load * loadPenalty;
}

function isMishap(ending: string | null): boolean {
  return ending === "failed" || ending === "lost";
}

/** Tokens for a unit of resource there, from what this sweep has measured; a typical amount where it has not. */
function costOn({ agent, rate }: Choice, sweep: Sweep, model: string): number {
  const measured = sweep.pace[model];
  if (measured === undefined) return 1;
  const own = measured[agent.agent];
  const typical = meanOf(Object.values(measured).map(({ mean }) => mean));
  const claimed = agent.capability.rates.find(({ kind }) => kind === `${sweep.spec.task}/${model}`);
  const trust = claimed === undefined ? 1 : rate / claimed.tokensPerSecond;
  return Math.exp(own?.mean ?? typical) * trust;
}
