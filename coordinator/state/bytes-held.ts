/**
 * Whether the mesh still has the bytes of an artifact, as far as the journal says. GC-2: once they are collected nothing new may rest on
 * them: no lease, no answer that needs them, no version; whoever decides on one asks here.
 */
import type { Digest } from "../../protocol/id.ts";
import { keptOf } from "./kept-of.ts";
import type { State, Trial } from "./state.ts";

/** False from the moment of its collection on, until somebody has brought its bytes again. */
export function isHeld(state: State, digest: Digest): boolean {
  return !state.gone.has(digest);
}

/** Whether what a trial stands for is still there; true where it never had anything. */
export function isKeptHeld(state: State, trial: Trial): boolean {
  const kept = keptOf(trial);
  return kept === null || isHeld(state, kept.digest);
}

/** Of what was collected and whose removal is still to be done: the sequence that its messages are below; else null. */
export function leavesBefore(state: State, digest: Digest): number | null {
  const number = state.gone.get(digest);
  return number === undefined || !state.openMarks.has(number)
    ? null
    : (state.marks.get(number)?.before ?? null);
}
