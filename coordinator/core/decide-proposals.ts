/**
 * Decides on what a sampler has thought up: proposals become trials. What comes late, for a sweep that has gone on meanwhile,
 * is dropped; the sampler is asked again.
 */
import type { Proposals, Steps } from "../state/input.ts";
import { canPropose, isKnown, proposeTrial } from "./propose-trial.ts";
import type { State } from "../state/state.ts";

export function* decideProposals(state: State, proposals: Proposals): Steps {
  const sweep = state.sweeps.get(proposals.sweep);
  if (sweep === undefined || !canPropose(sweep) || sweep.proposed !== proposals.basis) return;
  // Whatever comes of it, it may want more.
  state.attention.add(sweep.sweep);
  const { note, position } = proposals;
  if (note !== null && note !== sweep.note) yield { kind: "SearchNoted", sweep: sweep.sweep, note };
  let taken = 0;
  for (const { model, params, parent } of proposals.suggestions) {
    if (!canPropose(sweep) || isKnown(state, sweep, model, params)) continue;
    yield* proposeTrial(state, sweep, { model, params, parent, draws: position });
    taken++;
  }
  // Nothing new in a space that was searched for it: it is used up.
  if (taken === 0) yield { kind: "SweepExhausted", sweep: sweep.sweep, draws: position };
}
