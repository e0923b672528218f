/** Figures as people read them: metrics, times, sizes, shares. Parameters are in `shown-parameter.ts`, amounts in `protocol/token.ts`. */
import { bytesPerGiB, bytesPerKiB, bytesPerMiB } from "../protocol/byte-unit.ts";
import { shownName } from "./printable.ts";

const significantDigits = 4;

/** A whole number has all its digits. */
export function formatMetric(value: number | null): string {
  if (value === null) return "-";
  return String(Number.isSafeInteger(value) ? value : Number(value.toPrecision(significantDigits)));
}

/** The time of day, or the date with it when it was on another day. `at` and `now` in ms since the Unix epoch. */
export function formatTime(at: number | null, now: number): string {
  if (at === null) return "-";
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return new Date(now).toDateString() === date.toDateString() ? time : `${day} ${time}`;
}

export function formatBytes(bytes: number): string {
  if (bytes < bytesPerKiB) return `${bytes} B`;
  if (bytes < bytesPerMiB) return `${(bytes / bytesPerKiB).toFixed(1)} KiB`;
  return bytes < bytesPerGiB
    ? `${(bytes / bytesPerMiB).toFixed(1)} MiB`
    : `${(bytes / bytesPerGiB).toFixed(1)} GiB`;
}

/** Microseconds, with two digits where there are few. */
export function formatMicros(us: number): string {
  return us < 10
    ? `${us.toPrecision(2)} µs`
    : us < 10_000
      ? `${Math.round(us)} µs`
      : `${Math.round(us / 1_000)} ms`;
}

/** A share, 0 to 1, in whole percent. */
export function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}

/** With one digit, where some are small: what is not nothing never reads as nothing. A share of nothing is none. */
export function finePercent(share: number): string {
  if (!(share > 0)) return "0%";
  return share < 0.001 ? "<0.1%" : `${(100 * share).toFixed(1)}%`;
}

/** The same as a number, for charts. */
export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10;
}

/** A share that somebody wrote, with the digits it has. */
export function exactPercent(share: number): string {
  return `${Number((100 * share).toPrecision(4))}%`;
}

/** How much is done, rounded down, so that 100% is all; `-` of nothing. */
export function percentDone(done: number, of: number): string {
  return of <= 0 ? "-" : `${Math.floor((100 * Math.min(done, of)) / of)}%`;
}

export function formatGiB(gib: number | null): string {
  return gib === null ? "unknown" : `${gib.toFixed(1)} GiB`;
}

/** `first`: the one it was judged by, which stands before the others. */
export function formatMetrics(metrics: Readonly<Record<string, number>>, first?: string): string {
  return Object.entries(metrics)
    .toSorted(([a], [b]) => Number(b === first) - Number(a === first))
    .map(([name, value]) => `${shownName(name)} ${formatMetric(value)}`)
    .join(", ");
}

/** Enough of a digest to tell one from another. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
