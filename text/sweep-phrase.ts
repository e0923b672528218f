/** Short answers about a sweep that every surface words alike. */
import type { SweepSummary } from "../protocol/view.ts";

/** Trials that will not go on, whatever became of them. */
export function finishedOf({ counts }: SweepSummary): number {
  return counts.completed + counts.stopped + counts.failed + counts.cancelled;
}

export function registeredText({ registered }: SweepSummary): string {
  if (registered === null) return "nothing";
  const alias = registered.alias === null ? "" : `, ${registered.model}@${registered.alias} points to it`;
  return `${registered.model}@${registered.version}${alias}`;
}
