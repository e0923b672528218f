/** A coordinator's state to compare with another. */
import { canonicalText } from "../../coordinator/state/trial-key.ts";
import type { State } from "../../coordinator/state/state.ts";

/** The state's entities as one canonical text: equal texts mean equal states, in whatever order their fields came to be. */
export function stateText(state: State): string {
  const byKey = <T>(map: ReadonlyMap<string, T>) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return canonicalText([
    state.meta,
    byKey(state.accounts),
    byKey(state.ledgers),
    byKey(state.agents),
    byKey(state.sweeps),
    byKey(state.trials),
    [...state.packs].toSorted(([a], [b]) => a - b),
    byKey(state.datasets),
    byKey(state.models),
    byKey(state.fingerprints),
    byKey(state.costs),
    byKey(state.works),
    byKey(state.commands),
    byKey(state.pins),
    [...state.marks].toSorted(([a], [b]) => a - b),
    [...state.archives].toSorted(([a], [b]) => a - b),
    [...state.active].toSorted(([a], [b]) => a - b),
    byKey(state.records),
  ]);
}
