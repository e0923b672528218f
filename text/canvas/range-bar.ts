/** A range as a small bar, for a terminal or a log: ASCII only, so that it stands anywhere. */

interface Range {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

/** Where a range lies between 0 and `whole`: `[..-----|-----....]`, the upright at what is expected. */
export function rangeBar({ low, expected, high }: Range, whole: number, width: number): string {
  const column = (value: number) =>
    whole <= 0 ? 0 : Math.min(width - 1, Math.max(0, Math.round((value / whole) * (width - 1))));
  const [from, at, to] = [column(low), column(expected), column(high)];
  const cells = Array.from({ length: width }, (_, index) => {
    if (index === at) return "|";
    return index >= from && index <= to ? "-" : ".";
  });
  return `[${cells.join("")}]`;
}
