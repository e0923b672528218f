/**
 * When a queued trial will probably start: the slots that fit come free one after the other, and whoever is ahead takes them
 * first. A forecast from typical costs, never a promise; what no clock decides is named instead.
 */
import { meanOf } from "../../numeric/moment.ts";
import type { StartView, WhyView } from "../../protocol/why-view.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { available } from "../budget/ledger.ts";
import {
  activeAttempt,
  mustGet,
  type Account,
  type Attempt,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { startTag } from "../queue/fair-queue.ts";
import { couldStart } from "./could-start.ts";
import { startsTrials } from "../state/starts-trials.ts";
import { takesWork } from "../state/takes-work.ts";
import { feasibleChoices, type Choice } from "./feasible.ts";

/** A forecast further ahead than this many services says nothing. */
const servicesMax = 10_000;

export interface Waiting {
  readonly sweep: Sweep;
  readonly model: string;
  /** Trials of the same requester that are served before it. */
  readonly ownAhead: number;
  /** What a start needs, and what there is. */
  readonly budget: WhyView["budget"];
}

export function estimateStart(
  state: State,
  waiting: Waiting,
  at: number,
  settings: CoordinatorSettings,
): StartView {
  const { budget, model, ownAhead, sweep } = waiting;
  if (!startsTrials(sweep)) return { at: null, because: `when ${sweep.sweep} is resumed` };
  const choices = feasibleChoices([...state.agents.values()].filter(takesWork), sweep, model);
  if (choices.length === 0) return { at: null, because: "when an agent that fits joins or opens" };
  const account = mustGet(state.accounts, sweep.requester, "account");
  if (budget.short > 0) {
    return budget.limit === "cap"
      ? { at: null, because: `when the cap of ${sweep.sweep} is raised` }
      : afterRefill(account, budget.short, at);
  }
  const ahead = Math.min(servicesMax, ownAhead + othersAhead(state, account, at, settings));
  const slots = freeTimes(state, choices, at);
  const typicalMs = typicalService(state, sweep, model, choices);
  const unknown = {
    at: null,
    because: "when a slot that fits comes free; how long trials take is not known yet",
  };
  if (slots.length === 0 || (ahead > 0 && typicalMs === null)) return unknown;
  // The earliest slot is taken by each of those ahead in turn.
  for (let served = 0; served < ahead; served++) {
    const index = earliest(slots);
    slots[index] = (slots[index] ?? at) + (typicalMs ?? 0);
  }
  const start = slots[earliest(slots)] ?? at;
  if (!Number.isFinite(start)) return unknown;
  const others =
    ahead === 0 ? "it is next" : `${ahead} ${ahead === 1 ? "trial is" : "trials are"} served before it`;
  return { at: Math.round(start), because: `${others}, on ${slots.length} slots that fit` };
}

function afterRefill(account: Account, short: number, at: number): StartView {
  const { refill, refilledAt } = account;
  if (refill === null || available(account, null) + short > refill.upTo) {
    return { at: null, because: `when ${account.requester} is granted more tokens` };
  }
  const periods = Math.max(1, Math.ceil(short / refill.amount));
  return {
    at: Math.max(at, refilledAt + periods * refill.everyMs),
    because: "after its account is refilled",
  };
}

/** Services others get before this requester's turn: as many as lie between their start tags and its own. */
function othersAhead(state: State, account: Account, at: number, settings: CoordinatorSettings): number {
  const own = startTag(account, state.meta.virtualTime, at);
  let services = 0;
  for (const [requester, ids] of state.open) {
    if (requester === account.requester || !couldStart(state, requester, settings)) continue;
    const other = mustGet(state.accounts, requester, "account");
    const gap = own - startTag(other, state.meta.virtualTime, at);
    if (gap <= 0) continue;
    const sweeps = ids.map((id) => mustGet(state.sweeps, id, "sweep")).filter(startsTrials);
    const left = sweeps.reduce(
      (sum, { counts, proposed, total }) => sum + counts.queued + total - proposed,
      0,
    );
    const costs = sweeps.map(({ typicalCost }) => typicalCost ?? 0).filter((cost) => cost > 0);
    const cost = costs.length === 0 ? gap : meanOf(costs);
    services += Math.min(left, Math.ceil((gap * other.weight) / cost));
  }
  return services;
}

/** When each slot of the agents that fit comes free, ms; Infinity where nobody can say. */
function freeTimes(state: State, choices: readonly Choice[], at: number): number[] {
  const times: number[] = [];
  for (const { agent } of choices) {
    const held = [...(state.held.get(agent.agent) ?? [])];
    for (const fence of held) {
      const trial = mustGet(state.trials, mustGet(state.active, fence, "fence"), "trial");
      const attempt = activeAttempt(trial);
      if (attempt !== null) times.push(Math.max(at, endOf(state, trial, attempt)));
    }
    for (let free = held.length; free < agent.policy.slots; free++) times.push(at);
  }
  return times;
}

function endOf(state: State, trial: Trial, attempt: Attempt): number {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const units = attempt.target - (attempt.from?.resource ?? 0);
  const cost = sweep.typicalCost ?? pastCost(state, sweep, trial.model, units);
  return cost === null ? Infinity : attempt.at + cost / attempt.rate;
}

/** What so many units of resource have cost in trials of this kind; null where there were none. */
function pastCost(state: State, sweep: Sweep, model: string, units: number): number | null {
  const history = state.costs.get(`${sweep.spec.task}/${model}`);
  if (history === undefined) return null;
  return Math.exp(history.mean) * Math.max(1, sweep.spec.dataset?.rows.train ?? 1) * units;
}

/** How long a trial's next segment takes, ms; null where nobody can say. */
function typicalService(
  state: State,
  sweep: Sweep,
  model: string,
  choices: readonly Choice[],
): number | null {
  const costs = [...state.open.values()]
    .flat()
    .map((id) => mustGet(state.sweeps, id, "sweep").typicalCost)
    .filter((cost) => cost !== null);
  const mean = costs.length === 0 ? null : meanOf(costs);
  const [segment = 1] = stoppingPolicy(sweep.spec.stopping).rungs;
  const cost = sweep.typicalCost ?? pastCost(state, sweep, model, segment) ?? mean;
  if (cost === null) return null;
  const rate = meanOf(choices.map((choice) => choice.rate));
  return cost / rate;
}

function earliest(slots: readonly number[]): number {
  let best = 0;
  for (const [index, time] of slots.entries()) if (time < (slots[best] ?? Infinity)) best = index;
  return best;
}
