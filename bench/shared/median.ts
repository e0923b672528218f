/** Of a few measurements. */
import { quantile } from "../../numeric/quantile.ts";

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
