/**
 * A sweep that has what it was after ends: what waits is cancelled, what runs as soon as its agent hears
 * of it (`propose.ts`). Such a sweep has ended well (`targetReached`), not been stopped.
 */
import { whyStopping } from "./cancel-trials.ts";
import type { Steps } from "../state/input.ts";
import type { Sweep } from "../state/state.ts";

export function* endAtTarget(sweep: Sweep): Steps {
  if (sweep.best === null)
    throw new Error(`broken invariant: ${sweep.sweep} is at its target without a result`);
  const why = whyStopping(sweep);
  yield { kind: "SweepStopping", sweep: sweep.sweep, by: sweep.requester, why };
}
