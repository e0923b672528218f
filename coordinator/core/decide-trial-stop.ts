/**
 * Decides on stopping one trial of a sweep. STOP-1: it ends as stopped by whoever asked, with what it has measured, and what it used
 * is charged; what runs of it ends as soon as its agent hears of it, and only then is its outcome known.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { sweepOfTrial } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Decision, Sender } from "../state/input.ts";
import { activeAttempt, type State, type Trial } from "../state/state.ts";
import { isFinal } from "./apply-trial.ts";
import { trialStopped } from "./outcome-fact.ts";
import { ownSweep } from "./own-sweep.ts";

export function* stopTrial(
  state: State,
  sender: Sender,
  { trial: id, why }: CommandBody<"trial-stop">,
): Decision {
  const found = ownTrial(state, sender, id);
  if (!found.ok) return found;
  const trial = found.value;
  if (isFinal(trial.state)) return refuse("conflict", `${id} has ended already: ${trial.state}`, ["trial"]);
  if (trial.stopAsked !== undefined)
    return refuse("conflict", `${id} is being stopped already, as ${trial.stopAsked.by} asked`, ["trial"]);
  const asked = { by: sender.who, why };
  yield { kind: "TrialStopAsked", trial: id, ...asked };
  const attempt = activeAttempt(trial);
  if (attempt === null) {
    yield trialStopped(state, trial, asked);
    return accept({ trial: id, running: false });
  }
  // One that was to leave at its next checkpoint is not waited for any longer.
  if (attempt.cancel === null || attempt.patient) {
    const { fence } = attempt;
    const reason = `${id} was stopped by ${sender.who}`;
    yield { kind: "CancelRequested", fence, reason, how: "soon", preemptedFor: null };
  }
  return accept({ trial: id, running: true });
}

/** A trial of a sweep that the sender may command. */
export function ownTrial(state: State, sender: Sender, id: string): Outcome<Trial> {
  const found = ownSweep(state, sender, sweepOfTrial(id), "trial");
  if (!found.ok) return found;
  const trial = state.trials.get(id);
  if (trial !== undefined) return accept(trial);
  const { proposed, sweep } = found.value;
  const known = proposed === 0 ? `${sweep} has none yet` : `${sweep} has ${sweep}-1 to ${sweep}-${proposed}`;
  return refuse("unknown", `there is no trial ${id}; ${known}`, ["trial"]);
}
