/** A version's serving profile as whoever asks the server for it gets it: both days in one, with drift and what was expected. */
import type { ServingProfile } from "./serving-profile.ts";
import type { ServingWatch } from "./serving-watch.ts";

export function profileJson(kept: ServingProfile, { drift, expectations, whole }: ServingWatch): string {
  const { before: _, ...today } = kept;
  return `${JSON.stringify({
    ...today,
    ...whole,
    drift,
    expectations: (expectations?.states ?? []).map(({ failing, isBreached, rows, severity, title }) => ({
      ...{ title, severity, rows, failing, breached: isBreached },
    })),
  })}\n`;
}
