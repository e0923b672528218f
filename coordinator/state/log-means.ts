/** Logarithms of an amount, summed up: how many, their mean, and their spread. The definition, not what anybody concludes from it. */
import type { LogMeans } from "./state.ts";

export const noValues: LogMeans = { count: 0, mean: 0, squares: 0 };

/** Adds a value to a mean with its sum of squared distances (Welford 1962). */
export function withValue({ count, mean, squares }: LogMeans, value: number): LogMeans {
  const next = count + 1;
  const gap = value - mean;
  const moved = mean + gap / next;
  return { count: next, mean: moved, squares: squares + gap * (value - moved) };
}
