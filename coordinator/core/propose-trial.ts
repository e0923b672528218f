/** Makes a proposal a trial of its sweep, wherever it came from, and answers it from the record where there is one. */
import { trialId } from "../../protocol/id.ts";
import type { Params } from "../../protocol/value.ts";
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import type { Event } from "../format/event.ts";
import { isHeld } from "../state/bytes-held.ts";
import { startsTrials } from "../state/starts-trials.ts";
import { trialKey } from "../state/trial-key.ts";
import { judge } from "./judge.ts";
import { answerFromRecord, canAnswer, recordFor } from "./reuse.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";

export interface NewTrial {
  readonly model: string;
  readonly params: Params;
  /** Number of the trial it starts from; null to begin from nothing. */
  readonly parent: number | null;
  /** Draws made by the sweep's sampler, this one included. */
  readonly draws: number;
  /** The key that the same trial had in an earlier sweep, which the weights it started from then belong to. */
  readonly recordedKey?: string;
}

/** It could have more trials, now or once it is resumed. */
export function hasRoom(sweep: Sweep): boolean {
  return sweep.state === "running" && !sweep.exhausted && sweep.proposed < sweep.total;
}

/** Its search is to go on now. */
export function canPropose(sweep: Sweep): boolean {
  return hasRoom(sweep) && startsTrials(sweep);
}

export function isKnown(state: State, sweep: Sweep, model: string, params: Params): boolean {
  return mustGet(state.keys, sweep.sweep, "keys of").has(trialKey(sweep.fingerprint, model, params));
}

/** The trial where it is to be run, null where the record had the answer. */
export function* proposeTrial(
  state: State,
  sweep: Sweep,
  { draws, model, params, parent, recordedKey }: NewTrial,
): Generator<Event, Trial | null, void> {
  const number = sweep.proposed + 1;
  const from = parentOf(state, sweep, parent);
  const rungs = stoppingPolicy(sweep.spec.stopping).rungsOf(number);
  const plainKey = trialKey(sweep.fingerprint, model, params);
  // One that starts from another's weights is not what the same parameters give from the beginning.
  const ownKey = from === null ? plainKey : `${plainKey}/${from.checkpoint.digest}`;
  const isRecorded = recordedKey !== undefined && recordFor(state, sweep, recordedKey, number) !== null;
  const key = isRecorded ? recordedKey : ownKey;
  const shorter =
    from === null && recordFor(state, sweep, key, number) === null
      ? shorterRun(state, sweep, model, params)
      : null;
  const reached = (from ?? shorter)?.checkpoint.resource ?? 0;
  const trial = trialId(sweep.sweep, number);
  const shared = shorter?.rungs.flatMap(({ resource }) => (rungs.includes(resource) ? [resource] : [])) ?? [];
  // Where it has been judged before it went on, it is judged here among the others.
  const isAtRung = shared.includes(reached);
  yield {
    kind: "TrialProposed",
    trial,
    sweep: sweep.sweep,
    number,
    model,
    params,
    key,
    draws,
    target: isAtRung ? reached : (rungs.find((rung) => rung > reached) ?? 1),
    ...(from === null ? null : { parent: from.trial }),
    ...(shorter === null ? null : { resumes: shorter.trial }),
    ...(shared.length === 0 ? null : { rungs: shared }),
  };
  const made = mustGet(state.trials, trial, "trial");
  if (canAnswer(state, sweep, made)) {
    yield* answerFromRecord(state, sweep, made);
    return null;
  }
  if (isAtRung) yield* judge(state, made);
  return made;
}

/** REUSE-3: a longer run of the same goes on from the shorter one's checkpoint instead of from nothing. */
function shorterRun(state: State, sweep: Sweep, model: string, params: Params) {
  if (!sweep.spec.reuse) return null;
  const id = state.furthest.get(trialKey(sweep.warmStart, model, params));
  if (id === undefined) return null;
  const { best, checkpoint, rungs, sweep: of, trial } = mustGet(state.trials, id, "trial");
  if (mustGet(state.sweeps, of, "sweep").removed !== undefined) return null;
  if (checkpoint === null || checkpoint.resource >= sweep.spec.stopping.max) return null;
  // GC-2: it goes on from its newest checkpoint, and is told of its best.
  if (!isHeld(state, checkpoint.digest) || (best !== undefined && !isHeld(state, best.digest))) return null;
  return { trial, checkpoint, rungs };
}

/** The trial whose checkpoint it goes on from: one that still has some way to go. */
function parentOf(state: State, sweep: Sweep, parent: number | null) {
  if (parent === null) return null;
  const { checkpoint, trial } = mustGet(state.trials, trialId(sweep.sweep, parent), "trial");
  if (checkpoint === null || checkpoint.resource >= sweep.spec.stopping.max) return null;
  if (!isHeld(state, checkpoint.digest)) return null;
  return { trial, checkpoint };
}
