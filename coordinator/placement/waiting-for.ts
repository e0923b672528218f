/** Why a sweep that could go on does not: in one sentence, or null while it runs. */
import { capOf, fundsFor } from "../budget/funds-for.ts";
import { members } from "../state/member.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";
import { packagesPredicate } from "../../protocol/match.ts";
import { formatTokens } from "../../protocol/token.ts";
import { takesWork } from "../state/takes-work.ts";
import { feasibleChoices, mismatchesByMatch, type Choice } from "./feasible.ts";
import { lackOf } from "../state/lack.ts";
import { lackSentence } from "./lacked-everywhere.ts";
import { startCost } from "./start-cost.ts";
import { hasFailedOn } from "./tried-elsewhere.ts";

export function waitingFor(state: State, sweep: Sweep, settings: CoordinatorSettings): string | null {
  if (sweep.counts.running > 0) return null;
  if (members(state).length === 0) return "no agent has joined the mesh yet";
  if (sweep.spec.search.method === "outside" && sweep.counts.queued === 0) {
    return "nobody has proposed another trial yet";
  }
  const kinds = modelsLeft(state, sweep);
  if (kinds.length === 0) return null;
  const needed = startCost(state, sweep, kinds, settings);
  if (needed === null) return `no agent that is present fits ${kinds.join(", ")}${lacksOf(state, sweep)}`;
  const free = fundsFor(state, sweep);
  if (free < needed) {
    const cap = capOf(mustGet(state.accounts, sweep.requester, "account"), sweep);
    const whose =
      cap !== null && sweep.spent + sweep.pending + needed > cap
        ? "its own cap"
        : `the budget of ${sweep.requester}`;
    return `${whose} has ${formatTokens(free)} tokens left, the next trial needs ${formatTokens(needed)}`;
  }
  return busy(state, sweep, kinds);
}

/** Null where a slot that fits is free: what waits is about to start, or to be proposed. */
function busy(state: State, sweep: Sweep, kinds: readonly string[]): string | null {
  const isFree = ({ agent }: Choice) => state.fleet.isFree(agent.agent);
  const agents = [...state.agents.values()].filter(takesWork);
  if (!kinds.some((model) => feasibleChoices(agents, sweep, model).some(isFree)))
    return "every agent that fits is busy";
  // PLACE-2: free may be only those on which all that waits has failed.
  const waiting = [...(state.queues.get(sweep.sweep)?.values() ?? [])].flatMap(
    (queue) => queue.first() ?? [],
  );
  const isRefused = (id: string) => {
    const trial = mustGet(state.trials, id, "trial");
    const free = feasibleChoices(agents, sweep, trial.model).filter(isFree);
    return free.length > 0 && free.every(({ agent }) => hasFailedOn(trial, agent.agent));
  };
  return waiting.length > 0 && waiting.every(isRefused)
    ? "every agent that fits and that it has not failed on is busy"
    : null;
}

/** Of those present, who lacks what. */
function lacksOf(state: State, sweep: Sweep): string {
  const lacks = [...state.agents.values()].flatMap((agent) => {
    if (!agent.present) return [];
    const [known] = mismatchesByMatch(agent, sweep, sweep.spec.models[0]?.model ?? "").filter(
      ({ predicate }) => predicate === packagesPredicate,
    );
    const what = known?.wanted ?? lackOf(agent, sweep);
    return what === null ? [] : [{ agent: agent.agent, what }];
  });
  return lacks.length === 0 ? "" : `: ${lackSentence(lacks)}`;
}

/** Models that still have something to run. */
function modelsLeft(state: State, sweep: Sweep): string[] {
  const queues = [...(state.queues.get(sweep.sweep) ?? [])];
  const waiting = queues.filter(([, queue]) => queue.first() !== null).map(([model]) => model);
  if (waiting.length > 0) return waiting;
  const more = !sweep.exhausted && sweep.proposed < sweep.total;
  return more ? sweep.spec.models.map(({ model }) => model) : [];
}
