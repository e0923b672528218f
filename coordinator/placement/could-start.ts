/**
 * Could this requester start something if a slot came free? Who could not takes no part in sharing: it is neither ahead of
 * anybody nor has it a share that others must leave to it. Asks kinds of machine, not machines, so price and memory are those of one of each kind.
 */
import { fundsFor } from "../budget/funds-for.ts";
import { leastReservation } from "../budget/ledger.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { startsTrials } from "../state/starts-trials.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";
import { clampRate } from "../../protocol/token.ts";
import { requestOfAny } from "./feasible.ts";
import { limitsFor } from "./horizon-limits.ts";

export function couldStart(state: State, requester: string, settings: CoordinatorSettings): boolean {
  return (state.open.get(requester) ?? []).some((id) => {
    const sweep = mustGet(state.sweeps, id, "sweep");
    return startsTrials(sweep) && sweep.counts.queued > 0 && sweepCouldStart(state, sweep, settings);
  });
}

function sweepCouldStart(state: State, sweep: Sweep, settings: CoordinatorSettings): boolean {
  const funds = fundsFor(state, sweep);
  if (funds === 0) return false;
  for (const [model, queue] of state.queues.get(sweep.sweep) ?? []) {
    const first = queue.first();
    if (first === null) continue;
    const rate = lowestRate(state, sweep, model);
    if (rate === null) continue;
    const trial = mustGet(state.trials, first, "trial");
    if (leastReservation(rate, limitsFor(state, sweep, { model, rate, trial }, settings)) <= funds)
      return true;
  }
  return false;
}

/** Of the kinds of machine that fit and take work; null where there is none. */
function lowestRate(state: State, sweep: Sweep, model: string): number | null {
  const { key, request } = requestOfAny(sweep, model);
  let lowest: number | null = null;
  for (const group of state.fleet.workingGroups()) {
    const backends = state.fleet.backendsOn(group, request, key);
    for (const { backend, kind, tokensPerSecond } of group.capability.rates) {
      if (kind !== request.kind || !backends.includes(backend)) continue;
      lowest = Math.min(lowest ?? Infinity, clampRate(tokensPerSecond));
    }
  }
  return lowest;
}
