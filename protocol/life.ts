/** The states of trials and sweeps, as people see them. */
import * as z from "zod";

export const trialStates = [
  "queued",
  "running",
  "paused",
  "completed",
  "stopped",
  "failed",
  "cancelled",
] as const;
export const trialStateSchema = z.enum(trialStates);
export type TrialState = z.infer<typeof trialStateSchema>;

export const sweepStates = ["running", "waiting", "paused", "done", "stopped"] as const;

export const sweepStateSchema = z.enum(sweepStates);
