/**
 * The orders of the trials at a sweep's rungs, one for each group of its policy. They follow the lists of the state, which only
 * grow, and are made again from them where there are none: a memory, not a part of the state. Sweeps of one objective only.
 */
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { RungOrder } from "../../search/stopping/rung-order.ts";
import type { Scores } from "../../search/stopping/stopping-policy.ts";
import type { TrialId } from "../../protocol/id.ts";
import { scoresOf } from "../state/objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";

interface Orders {
  /** Trials of the list that stand in the orders. */
  seen: number;
  readonly byGroup: readonly RungOrder[];
}

const known = new WeakMap<readonly TrialId[], Orders>();

/** By group; each up to date with the state. */
export function rungOrdersOf(state: State, sweep: Sweep, resource: number): readonly RungOrder[] {
  const ids = state.rungs.get(sweep.sweep)?.get(resource);
  if (ids === undefined) return [];
  const { ordered } = stoppingPolicy(sweep.spec.stopping);
  let orders = known.get(ids);
  if (orders === undefined) {
    orders = { seen: 0, byGroup: Array.from({ length: ordered.groups }, () => new RungOrder()) };
    known.set(ids, orders);
  }
  for (const id of ids.slice(orders.seen)) {
    const trial = mustGet(state.trials, id, "trial");
    const curve = curveOf(sweep, trial, resource);
    const entry = rankedOf(trial, curve);
    orders.byGroup[ordered.groupOf(trial.number)]?.add(entry, ordered.comparedOf(curve));
  }
  orders.seen = ids.length;
  return orders.byGroup;
}

/** Its scores at each of its rungs up to this one. */
export function curveOf(sweep: Sweep, { rungs }: Trial, resource: number): readonly Scores[] {
  return rungs.filter((rung) => rung.resource <= resource).map((rung) => scoresOf(sweep.spec, rung));
}

export function rankedOf({ number, trial }: Trial, curve: readonly Scores[]) {
  return { trial, number, score: curve.at(-1)?.[0] ?? Number.NaN };
}
