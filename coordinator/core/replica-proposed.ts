/** The event that makes a replica: a trial of its deployment's sweep, with nothing to search and no end. */
import { replicaModel } from "../../protocol/deployment.ts";
import { trialId } from "../../protocol/id.ts";
import type { EventOf } from "../format/event.ts";
import type { Sweep, Trial } from "../state/state.ts";

/** `inPlaceOf`: one that has begun so often that it gives way. */
export function replicaProposed(sweep: Sweep, inPlaceOf?: Trial): EventOf<"TrialProposed"> {
  const number = sweep.proposed + 1;
  const trial = trialId(sweep.sweep, number);
  return {
    ...({ kind: "TrialProposed", trial, sweep: sweep.sweep, number, model: replicaModel } as const),
    ...{ params: {}, key: `replica/${trial}`, draws: 0, target: 1 },
    ...(inPlaceOf === undefined ? null : { resumes: inPlaceOf.trial }),
  };
}
