/**
 * Decides on what a sampler has thought up: proposals become trials. What comes late, for a sweep that has gone on meanwhile,
 * is dropped, and so is what the batch has no room for; the sampler is asked again.
 */
import type { Proposals, Steps } from "../state/input.ts";
import { canPropose, isKnown, proposeTrial } from "./propose-trial.ts";
import type { State } from "../state/state.ts";

export function* decideProposals(state: State, proposals: Proposals, isFull: () => boolean): Steps {
  const sweep = state.sweeps.get(proposals.sweep);
  if (sweep === undefined || !canPropose(sweep) || sweep.proposed !== proposals.basis) return;
  // Whatever comes of it, it may want more.
  state.attention.add(sweep.sweep);
  const { note, position } = proposals;
  if (note !== null && note !== sweep.note) yield { kind: "SearchNoted", sweep: sweep.sweep, note };
  let isNew = false;
  for (const { model, params, parent } of proposals.suggestions) {
    if (isNew && isFull()) return;
    if (!canPropose(sweep) || isKnown(state, sweep, model, params)) continue;
    yield* proposeTrial(state, sweep, { model, params, parent, draws: position });
    isNew = true;
  }
  // Nothing new in a space that was searched for it: it is used up.
  if (!isNew) yield { kind: "SweepExhausted", sweep: sweep.sweep, draws: position };
}
