/** Which agents fit a sweep's trials of one model, by which backend, and at what price. The one place that asks `match`. */
import type { BackendName } from "../../protocol/capability.ts";
import { bestRate, match, type Mismatch } from "../../protocol/match.ts";
import { clampRate } from "../../protocol/token.ts";
import type { Agent, Sweep } from "../core/state.ts";

export interface Choice {
  readonly agent: Agent;
  readonly backend: BackendName;
  /** Tokens per second, clamped; the lease freezes it. */
  readonly rate: number;
}

/** True where the agent is there and its owner and ours let it take new work, busy or not. */
export function takesWork(agent: Agent): boolean {
  return agent.present && agent.closed === null && !agent.draining;
}

/** Why the agent does not fit; empty where it does. */
export function mismatchesOf(agent: Agent, sweep: Sweep, model: string): readonly Mismatch[] {
  return match(wishOf(agent, sweep, model), agent.capability, agent.policy);
}

export function feasibleChoices(agents: Iterable<Agent>, sweep: Sweep, model: string): Choice[] {
  const choices: Choice[] = [];
  for (const agent of agents) {
    if (mismatchesOf(agent, sweep, model).length > 0) continue;
    const rate = bestRate(wishOf(agent, sweep, model), agent.capability);
    if (rate !== null) choices.push({ agent, backend: rate.backend, rate: clampRate(rate.tokensPerSecond) });
  }
  return choices;
}

function wishOf({ agent }: Agent, { requester, spec }: Sweep, model: string) {
  return { agent, requester, kind: `${spec.task}/${model}`, requirement: spec.needs };
}
