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
  return quantileAt(sorted.length, share, (at) => sorted[at]);
}

/** The same of `count` values of which `at` gives each by its place, rising. */
export function quantileAt(count: number, share: number, at: (place: number) => number | undefined): number {
  const place = share * (count - 1);
  const below = at(Math.floor(place)) ?? Number.NaN;
  const above = at(Math.ceil(place)) ?? below;
  const value = below === above ? below : below + (above - below) * (place - Math.floor(place));
  // Which of the equal 0 and -0 comes first is nobody's to say, and a record in JSON knows one of them only.
  return value + 0;
}
