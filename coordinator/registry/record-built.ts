/**
 * Puts a dataset version on record when the trial that built it is done, whoever is still there to ask for it. A version
 * that another sweep built is recorded too, where what was expected of it then is what is expected of it now.
 */
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { Steps } from "../state/input.ts";
import { mustGet, type State, type Trial } from "../state/state.ts";
import { originOf } from "./origin.ts";
import { addDataset, versionWith } from "./record-dataset.ts";

/** What sweeps that build datasets train; nothing else may say what goes on record. */
const buildTask = "dataset";

/** DSET-4: in the step that completes the trial, so that there is no moment at which one is without the other. */
export function* recordBuilt(state: State, trial: Trial): Steps {
  const { requester, spec } = mustGet(state.sweeps, trial.sweep, "sweep");
  const { records } = spec;
  const origin = originOf(state, trial);
  const { built, checkpoint } = origin;
  if (records === undefined || built === undefined || checkpoint === null) return;
  const { check, ...facts } = built;
  if (check === null || facts.dataset !== records.dataset) return;
  if (origin !== trial) {
    const before = mustGet(state.sweeps, origin.sweep, "sweep").spec.records?.expectations ?? null;
    // Other expectations, or a record that may have been checked since: for whoever asked, who checks it again.
    if (before !== records.expectations || versionWith(state, facts.dataset, checkpoint.digest) !== null)
      return;
  }
  yield* addDataset(state, requester, {
    ...facts,
    check,
    digest: checkpoint.digest,
    bytes: origin.checkpointBytes,
    recipe: records.recipe,
    trial: origin.trial,
  });
}

/** Why a sweep may not have put on record what it says; null where it may. */
export function recordingRefusal({ dataset, program, records, task }: SweepSpec): Outcome<never> | null {
  if (records === undefined) return null;
  if (task !== buildTask || program !== null)
    return refuse("invalid", `a sweep of task ${task} builds no dataset that could be recorded`, ["records"]);
  if (dataset?.name === records.dataset) return null;
  const message = `the sweep builds ${dataset?.name ?? "no dataset"} and is to record ${records.dataset}; both must be one`;
  return refuse("invalid", message, ["records", "dataset"]);
}
