/** What the record says was there, kept or not: somebody may ask what became of it, so it is remembered that it went. */
import type { Digest } from "../../protocol/id.ts";
import type { State } from "../state/state.ts";
import { inputsOf } from "../state/sweep-input.ts";

/** What trials left. Whoever brings it again has done the same work, and says so at once. */
export function leftByTrials(state: State): Set<Digest> {
  const found = new Set<Digest>();
  for (const { best, checkpoint } of state.trials.values()) {
    if (checkpoint !== null) found.add(checkpoint.digest);
    if (best !== undefined) found.add(best.digest);
  }
  return found;
}

/** That, what sweeps were run with, where curves and logs lie, and what versions are made of: a removed one must not come back without. */
export function mentionedIn(state: State): Set<Digest> {
  const found = leftByTrials(state);
  for (const { curves, logs } of state.archives.values())
    for (const digest of [curves, logs]) if (digest !== undefined) found.add(digest);
  for (const { versions } of state.models.values()) for (const { artifact } of versions) found.add(artifact);
  for (const { versions } of state.datasets.values())
    for (const { digest, recipe } of versions) found.add(digest).add(recipe);
  for (const sweep of state.sweeps.values()) for (const digest of inputsOf(sweep)) found.add(digest);
  return found;
}
