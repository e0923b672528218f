/**
 * Figures as people read them: tokens, ages, rates. Every figure is rounded here or in `figure.ts` and nowhere else,
 * so that a screen changes only when what it shows does.
 */
import { milliTokensPerToken } from "../protocol/token.ts";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Milli-tokens as tokens: `0.25`, `12.3`, `1.2k`, `3.4M`. */
export function tokens(milli: number): string {
  const amount = milli / milliTokensPerToken;
  if (amount === 0) return "0";
  if (amount < 9.995) return amount.toFixed(2);
  return short(amount);
}

/** A number at three or so figures: `7`, `99.5`, `850`, `1.2k`, `3.4M`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 999_500_000) return `${(value / 1e9).toFixed(1)}G`;
  if (size >= 999_500) return `${(value / 1e6).toFixed(1)}M`;
  if (size >= 999.5) return `${(value / 1e3).toFixed(1)}k`;
  if (Number.isInteger(value)) return String(value);
  return size >= 99.95 ? value.toFixed(0) : value.toFixed(1);
}

/** Tokens per second. */
export function rate(of: number | null): string {
  if (of === null) return "-";
  return of !== 0 && of < 9.995 ? of.toFixed(2) : short(of);
}

/** A span of time in its two largest units: `850 ms`, `12 s`, `3 m 05 s`, `2 h 10 m`, `5 d 3 h`. */
export function duration(ms: number): string {
  if (ms < secondMs) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)} s`;
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} m ${two(Math.floor((ms % minuteMs) / secondMs))} s`;
  if (ms < dayMs) return `${Math.floor(ms / hourMs)} h ${two(Math.floor((ms % hourMs) / minuteMs))} m`;
  return `${Math.floor(ms / dayMs)} d ${Math.floor((ms % dayMs) / hourMs)} h`;
}

/** How long ago, in whole seconds and up; a clock a little ahead of ours reads as now. */
export function age(at: number, now: number): string {
  const ms = now - at;
  return ms < secondMs ? "now" : `${duration(ms)} ago`;
}

/** How far ahead, at one figure or two: `now`, `in about 40 s`, `in about 4 min`, `in about 3 h`. */
export function ahead(ms: number): string {
  if (ms < secondMs) return "now";
  if (ms < minuteMs) return `in about ${Math.round(ms / secondMs)} s`;
  if (ms < 2 * hourMs) return `in about ${Math.round(ms / minuteMs)} min`;
  if (ms < 2 * dayMs) return `in about ${Math.round(ms / hourMs)} h`;
  return `in about ${Math.round(ms / dayMs)} days`;
}

/** A metric's value at four significant figures, without an exponent where it can be avoided. */
export function value(of: number | null): string {
  if (of === null) return "-";
  if (!Number.isFinite(of)) return String(of);
  if (Number.isInteger(of) && Math.abs(of) < 1e6) return String(of);
  const size = Math.abs(of);
  if (size >= 1e6 || size < 1e-4) return of.toExponential(2);
  return size >= 1000 ? of.toFixed(0) : of.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size)))).slice(0, 7);
}

export function gib(of: number | null): string {
  return of === null ? "-" : `${of < 9.95 ? of.toFixed(1) : of.toFixed(0)}G`;
}

/** Local time of day, as `14:05:09`. */
export function clockTime(at: number): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function two(of: number): string {
  return String(of).padStart(2, "0");
}
