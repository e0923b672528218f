/**
 * Placement of one trial: feasible → rank. Which requester's turn it is, the fair queue has said before;
 * whether the money suffices, the budget says after.
 */
import type { Agent, State, Sweep, Trial } from "../core/state.ts";
import { feasibleChoices, takesWork, type Choice } from "./feasible.ts";

/** An agent slower than this share of the fastest is not preferred only for holding the checkpoint. */
const localityShare = 0.5;

export function freeSlots(state: State, agent: Agent): number {
  if (!takesWork(agent)) return 0;
  return Math.max(0, agent.policy.slots - (state.held.get(agent.agent)?.size ?? 0));
}

/** The best of `agents` that fits, or null: the fastest, unless another has the checkpoint at hand. */
export function chooseAgent(
  state: State,
  agents: readonly Agent[],
  sweep: Sweep,
  trial: Trial,
): Choice | null {
  const feasible = feasibleChoices(agents, sweep, trial.model);
  if (feasible.length === 0) return null;
  const failedOn = new Set(
    trial.attempts.filter(({ ending }) => ending === "failed" || ending === "lost").map(({ agent }) => agent),
  );
  const last = trial.attempts.at(-1);
  const fastest = Math.max(...feasible.map(({ rate }) => rate));
  const rank = (choice: Choice): number => {
    const { agent } = choice.agent;
    let score = choice.rate / fastest;
    if (trial.checkpoint !== null && last?.agent === agent && score >= localityShare) score += 1;
    if (failedOn.has(agent)) score -= 10;
    // Among equals, the least loaded machine.
    return score - ((state.held.get(agent)?.size ?? 0) / Math.max(1, choice.agent.policy.slots)) * 0.01;
  };
  let best: Choice | null = null;
  let bestRank = -Infinity;
  for (const choice of feasible) {
    const value = rank(choice);
    if (value > bestRank || (value === bestRank && best !== null && choice.agent.agent < best.agent.agent)) {
      best = choice;
      bestRank = value;
    }
  }
  return best;
}
