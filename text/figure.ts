/** Figures as people read them: metrics, times, sizes, parameters. Amounts are in `protocol/token.ts`. */
import type { Params } from "../protocol/value.ts";

const significantDigits = 4;

export function formatMetric(value: number | null): string {
  return value === null ? "-" : Number(value.toPrecision(significantDigits)).toString();
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
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return bytes < 1024 ** 3
    ? `${(bytes / 1024 ** 2).toFixed(1)} MiB`
    : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

export function formatGiB(gib: number | null): string {
  return gib === null ? "unknown" : `${gib.toFixed(1)} GiB`;
}

export function formatParams(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}=${typeof value === "number" ? formatMetric(value) : String(value)}`)
    .join(" ");
}

export function formatMetrics(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${formatMetric(value)}`)
    .join(", ");
}

/** Enough of a digest to tell one from another. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
