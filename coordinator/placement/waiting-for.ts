/** Why a sweep that could go on does not: in one sentence, or null while it runs. */
import { available, leastReservation } from "../budget/ledger.ts";
import type { CoordinatorSettings } from "../core/setting.ts";
import { mustGet, type State, type Sweep } from "../core/state.ts";
import { formatTokens, rateMax } from "../../protocol/token.ts";
import { fittingRates } from "./fitting-rates.ts";

export function waitingFor(state: State, sweep: Sweep, settings: CoordinatorSettings): string | null {
  if (sweep.counts.running > 0) return null;
  if (state.agents.size === 0) return "no agent has joined the mesh yet";
  const kinds = modelsLeft(state, sweep);
  if (kinds.length === 0) return null;
  const rates = kinds.flatMap((model) => fittingRates(state, sweep, model));
  if (rates.length === 0) return `no agent that is present fits ${kinds.join(", ")}`;
  const account = mustGet(state.accounts, sweep.requester, "account");
  const free = available(account, { spent: sweep.spent, pending: sweep.pending, cap: sweep.spec.cap });
  const needed = leastReservation(Math.min(rateMax, ...rates), settings);
  if (free < needed) {
    const whose =
      sweep.spec.cap !== null && sweep.spent + sweep.pending + needed > sweep.spec.cap
        ? "its own cap"
        : `the budget of ${sweep.requester}`;
    return `${whose} has ${formatTokens(free)} tokens left, the next trial needs ${formatTokens(needed)}`;
  }
  return "every agent that fits is busy";
}

/** Models that still have something to run. */
function modelsLeft(state: State, sweep: Sweep): string[] {
  const ready = sweep.ready.map((id) => mustGet(state.trials, id, "trial").model);
  if (ready.length > 0) return [...new Set(ready)];
  const more = !sweep.exhausted && sweep.proposed < sweep.total;
  return more ? sweep.spec.models.map(({ model }) => model) : [];
}
