/** Whether a trial has failed on every agent that fits it, or should wait for one that it has not failed on. */
import type { State, Sweep, Trial } from "../state/state.ts";
import { takesWork } from "../state/takes-work.ts";
import { choiceOn } from "./feasible.ts";

export function hasFailedOn(trial: Trial, agent: string): boolean {
  return trial.attempts.some(
    (attempt) => attempt.agent === agent && attempt.ending === "failed" && attempt.lacks === undefined,
  );
}

/** True where an agent that fits takes work, busy or not, on which the trial has not failed. */
export function isUntriedSomewhere(state: State, sweep: Sweep, trial: Trial): boolean {
  return [...state.agents.values()].some(
    (agent) =>
      takesWork(agent) && !hasFailedOn(trial, agent.agent) && choiceOn(agent, sweep, trial.model) !== null,
  );
}
