/** What the rest of a trial's segment will take, by its sweep's others, by others of its kind or by the probe. */
import type { State, Sweep } from "../state/state.ts";

/** Milliseconds at a price in tokens/s; null: nobody knows. `units`: epochs it still has to make. */
export function expectedMs(
  state: State,
  sweep: Sweep,
  model: string,
  { rate, units }: { readonly rate: number; readonly units: number },
): number | null {
  if (sweep.typicalCost !== null) return sweep.typicalCost / rate;
  const kind = `${sweep.spec.task}/${model}`;
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  const history = state.costs.get(kind);
  return history === undefined ? null : (Math.exp(history.mean) * rows * units) / rate;
}
