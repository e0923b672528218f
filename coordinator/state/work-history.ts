/** What past attempts of one kind of work have cost, the newest of them. Kept as they were: what they say of others is the estimate's business. */
import { fnv1a } from "../../numeric/fnv.ts";
import type { StoredSweepSpec } from "../format/stored-sweep.ts";
import type { WorkHistory, WorkSample } from "./state.ts";

/** Newer ones say more, and more would say little. Another number is another shape of the entity: `projectionVersion`. */
const samplesMax = 48;

/** Attempts of one kind of work can be compared: those of a model of trialmesh, or of programs that are called in the same way. */
export function workOf({ program, task }: StoredSweepSpec, model: string): string {
  if (program === null) return `${task}/${model}`;
  const call = program.kind === "module" ? program.entry : program.command;
  return `${task}/${fnv1a(JSON.stringify(call)).toString(16)}`;
}

/** What of it may have changed from one sweep to the next. */
export function codeOf({ codeVersion, program }: StoredSweepSpec): string {
  return program === null ? codeVersion : program.bundle;
}

export function withSample(history: WorkHistory | undefined, work: string, sample: WorkSample): WorkHistory {
  return { work, samples: [...(history?.samples ?? []), sample].slice(-samplesMax) };
}
