/** What the cheapest start of a trial would reserve now, in milli-tokens; null where no agent that takes work fits. */
import type { MilliTokens } from "../../protocol/token.ts";
import { leastReservation } from "../budget/ledger.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { takesWork } from "../state/takes-work.ts";
import { feasibleChoices } from "./feasible.ts";
import { limitsFor } from "./horizon-limits.ts";

export function startCost(
  state: State,
  sweep: Sweep,
  models: readonly string[],
  settings: CoordinatorSettings,
): MilliTokens | null {
  const agents = [...state.agents.values()].filter(takesWork);
  const costs = models.flatMap((model) => {
    const trial = nextOf(state, sweep, model);
    return feasibleChoices(agents, sweep, model).map(({ rate }) =>
      leastReservation(rate, limitsFor(state, sweep, { model, rate, trial }, settings)),
    );
  });
  return costs.length === 0 ? null : Math.min(...costs);
}

/** The trial of this model that is served next; null where none waits. */
function nextOf(state: State, sweep: Sweep, model: string): Trial | null {
  const id = state.queues.get(sweep.sweep)?.get(model)?.first() ?? null;
  return id === null ? null : mustGet(state.trials, id, "trial");
}
