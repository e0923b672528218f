/**
 * The margin for stepped and whole-number axes (Hamano et al. 2022): however small the step size has become, each such
 * axis keeps a chance of leaving the value its mean stands on. Moves the mean and stretches the axis, nothing else.
 */
import type { Cell } from "../space/axis.ts";
import { normalCumulative, normalQuantile } from "../../numeric/normal-law.ts";
import type { CmaState } from "./generation.ts";

/** `cellAt` gives the cell of the axis in which a coordinate lies, or null where the axis is continuous. */
export function withMargin(
  state: CmaState,
  lambda: number,
  cellAt: (axis: number, coordinate: number) => Cell | null,
): CmaState {
  const d = state.mean.length;
  const alpha = 1 / (d * lambda);
  const mean = Float64Array.from(state.mean);
  const stretch = Float64Array.from(state.stretch);
  for (let axis = 0; axis < d; axis++) {
    const at = mean[axis] ?? 0.5;
    const cell = cellAt(axis, at);
    if (cell === null) continue;
    const unstretched = state.sigma * Math.sqrt(state.covariance[axis * d + axis] ?? 1);
    const deviation = unstretched * (stretch[axis] ?? 1);
    const isLowest = cell.low <= 0;
    const isHighest = cell.high >= 1;
    if (isLowest && isHighest) continue;
    if (isLowest || isHighest) {
      // One way out only: the mean stays close enough to it.
      const way = isLowest ? cell.high : cell.low;
      const reach = deviation * -normalQuantile(alpha);
      const distance = Math.min(Math.abs(at - way), reach);
      mean[axis] = isLowest ? way - distance : way + distance;
      continue;
    }
    const below = normalCumulative((cell.low - at) / deviation);
    const above = normalCumulative((at - cell.high) / deviation);
    const inside = Math.max(0, 1 - below - above);
    const least = alpha / 2;
    if (below >= least && above >= least) continue;
    const raised = [Math.max(least, below), Math.max(least, above)] as const;
    const excess = 1 - raised[0] - raised[1] - inside;
    const spare = raised[0] + raised[1] + inside - 3 * least;
    const [lower, upper] = raised.map((p) => p + (excess * (p - least)) / spare);
    if (lower === undefined || upper === undefined) continue;
    const toLower = -normalQuantile(lower);
    const toUpper = -normalQuantile(upper);
    if (!(toLower + toUpper > 0)) continue;
    mean[axis] = (cell.low * toUpper + cell.high * toLower) / (toLower + toUpper);
    stretch[axis] = (cell.high - cell.low) / (toLower + toUpper) / unstretched;
  }
  return { ...state, mean, stretch };
}
