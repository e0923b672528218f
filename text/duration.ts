/** Spans of time as people write them on a command line: `90m`, `12h`, `1d`. */
import * as z from "zod";
import { shortText } from "../protocol/bound.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const units: readonly (readonly [name: string, ms: number])[] = [
  ["d", dayMs],
  ["h", hourMs],
  ["m", minuteMs],
];
/** Ten years. */
const spanMaxMs = 3_650 * dayMs;
const form = /^(\d+(?:\.\d+)?)([mhd])$/;

/** A written span as ms; from a minute to ten years. */
export const durationText = shortText.transform((text, context) => {
  const found = form.exec(text);
  const unit = units.find(([name]) => name === found?.[2])?.[1];
  if (found === null || unit === undefined) {
    context.addIssue("is a number and m, h or d, such as 90m, 12h or 1d");
    return z.NEVER;
  }
  const ms = Math.round(Number(found[1]) * unit);
  if (ms < minuteMs || ms > spanMaxMs) {
    context.addIssue("is 1m to 3650d");
    return z.NEVER;
  }
  return ms;
});

/** In the largest unit that needs no fraction; seconds where none does. */
export function formatDuration(ms: number): string {
  for (const [name, unit] of units) if (ms >= unit && ms % unit === 0) return `${ms / unit}${name}`;
  return `${Math.round(ms / 1000)} s`;
}
