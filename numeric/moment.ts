/** Sum, mean and variance of numbers that are all at hand. Of a stream they are `data/profile/number-stream.ts`'s. */

/** Term by term, from the first on. */
export function sumOf(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** NaN of nothing. */
export function meanOf(values: readonly number[] | Float64Array): number {
  return sumOf(values) / values.length;
}

/** Of a whole population: the mean square of the distances from the mean, in two passes; NaN of nothing. */
export function varianceOf(values: readonly number[] | Float64Array): number {
  const mean = meanOf(values);
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return squares / values.length;
}
