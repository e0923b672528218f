/** Short answers about a sweep that every surface words alike. */
import type { SweepSummary } from "../protocol/view.ts";

/** Trials that will not go on, whatever became of them. */
export function finishedOf({ counts }: SweepSummary): number {
  return counts.completed + counts.stopped + counts.failed + counts.cancelled;
}

export function registeredText({ registered }: SweepSummary): string {
  if (registered === null) return "nothing";
  const { alias, kept, model, version } = registered;
  if (kept !== undefined)
    return `${model}@${version}; ${model}@${kept.alias} stays at version ${kept.stays}, for ${kept.why}; \`trialmesh model promote ${model}@${version} ${kept.alias}\` moves it`;
  return `${model}@${version}${alias === null ? "" : `, ${model}@${alias} points to it`}`;
}
