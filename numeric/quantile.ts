/** Order statistics of numbers that are all at hand. Of a stream they are `data/sketch/kll.ts`'s. */

/** The value below which a share of `values` lies, between neighbours by straight line (Hyndman and Fan 1996, type 7); NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  return quantileOfSorted(
    values.toSorted((a, b) => a - b),
    share,
  );
}

/** The same of values that rise. */
export function quantileOfSorted(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? below;
  return below === above ? below : below + (above - below) * (place - Math.floor(place));
}
