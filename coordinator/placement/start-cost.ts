/** What the cheapest start of a trial would reserve now, in milli-tokens; null where no agent that takes work fits. */
import type { MilliTokens } from "../../protocol/token.ts";
import { leastReservation } from "../budget/ledger.ts";
import type { CoordinatorSettings } from "../core/setting.ts";
import type { State, Sweep } from "../core/state.ts";
import { feasibleChoices, takesWork } from "./feasible.ts";

export function startCost(
  state: State,
  sweep: Sweep,
  models: readonly string[],
  settings: CoordinatorSettings,
): MilliTokens | null {
  const agents = [...state.agents.values()].filter(takesWork);
  const rates = models.flatMap((model) => feasibleChoices(agents, sweep, model).map(({ rate }) => rate));
  return rates.length === 0 ? null : leastReservation(Math.min(...rates), settings);
}
