/** Rates (tokens/s) of the agents present that fit a model of a sweep, whether they have a free slot or not. */
import { bestRate, match } from "../../protocol/match.ts";
import { clampRate } from "../../protocol/token.ts";
import type { State, Sweep } from "../core/state.ts";

export function fittingRates(state: State, sweep: Sweep, model: string): number[] {
  const kind = `${sweep.spec.task}/${model}`;
  const rates: number[] = [];
  for (const { agent, capability, closed, draining, policy, present } of state.agents.values()) {
    if (!present || closed !== null || draining) continue;
    const wish = { agent, requester: sweep.requester, kind, requirement: sweep.spec.needs };
    if (match(wish, capability, policy).length > 0) continue;
    const rate = bestRate(wish, capability);
    if (rate !== null) rates.push(clampRate(rate.tokensPerSecond));
  }
  return rates;
}
