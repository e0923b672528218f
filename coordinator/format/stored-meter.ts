/** What the coordinator has seen of the time an attempt used, as it stands in the journal and in the projection. */
import * as z from "zod";
import { storedMs } from "./stored-value.ts";

/**
 * `offered`: nobody has taken it up. `preparing`: its agent fetches, starts or hands over. `working`: its job runs.
 * `standing`: it stands still for the machine's owner.
 */
export const storedMeterPhase = z.enum(["offered", "preparing", "working", "standing"]);

const seen = {
  /** As its agent said last. */
  phase: storedMeterPhase,
  /** Time in each phase that is certain: between two signs of life, at both of which it was in it. */
  preparedMs: storedMs,
  workedMs: storedMs,
  stoodMs: storedMs,
  /** What its agent said last that it had used, not more than it can have been. */
  usedMs: storedMs,
};

export const storedMeterFact = z.strictObject({
  ...seen,
  /** Where it was taken up now; see below. */
  takenFrom: storedMs.exactOptional(),
});
export const storedMeter = z.strictObject({
  ...seen,
  /** From when on it can have used time at most; after an election in the new leader's time, never too late. */
  from: storedMs,
  /** As `from`, and not before the last heartbeat in which its agent did not have it yet. */
  takenFrom: storedMs,
  /** Up to when its phases are counted, in the coordinator's time. */
  seenAt: storedMs,
});
