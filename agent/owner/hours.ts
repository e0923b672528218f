/** An owner's hours as spans of the local day. A span may cross midnight. Pure; not a calendar. */
import type { Policy } from "../../protocol/capability.ts";

export type Span = NonNullable<Policy["hours"]>[number];

const minutesPerDay = 24 * 60;

export function withinHours(hours: readonly Span[], minuteOfDay: number): boolean {
  return hours.some((span) => holds(span, minuteOfDay));
}

export function hoursText(hours: readonly Span[]): string {
  return hours.map(spanText).join(", ");
}

/** What is contradictory in hours, in words for their owner; null when nothing is. */
export function hoursProblem(hours: readonly Span[]): string | null {
  if (hours.length === 0) return "they name no span; write times as in 22:00-07:00, or always";
  const empty = hours.find(({ from, to }) => from === to);
  if (empty !== undefined)
    return `${spanText(empty)} ends where it begins; write always for the whole day, or a later end`;
  for (const [index, one] of hours.entries()) {
    // Of two spans that overlap, one begins within the other.
    const other = hours
      .slice(index + 1)
      .find((candidate) => holds(one, minuteOf(candidate.from)) || holds(candidate, minuteOf(one.from)));
    if (other !== undefined)
      return `${spanText(one)} and ${spanText(other)} overlap; write them as one span, or apart`;
  }
  return null;
}

/** The end does not belong to the span. */
function holds({ from, to }: Span, minute: number): boolean {
  const start = minuteOf(from);
  const length = (minuteOf(to) - start + minutesPerDay) % minutesPerDay;
  // Equal ends, in policies kept from before they were refused, mean the whole day.
  return length === 0 || (minute - start + minutesPerDay) % minutesPerDay < length;
}

function spanText({ from, to }: Span): string {
  return `${from}-${to}`;
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
