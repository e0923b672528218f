/**
 * What an agent's machine lacks of what a sweep's program needs, as an attempt there has shown. Not what can be known before:
 * that is `match`'s to say.
 */
import type { Agent, Sweep, Trial } from "./state.ts";

/** A run of an agent with what was installed there: a mark of another run says nothing about this one. */
export function runOf({ environment, incarnation }: { incarnation: string; environment?: string }): string {
  return `${incarnation}/${environment ?? ""}`;
}

export function runOfAgent({ capability: { environment }, incarnation }: Agent): string {
  return runOf({ incarnation, ...(environment === undefined ? {} : { environment }) });
}

/** Null where nothing is known to be missing. */
export function lackOf(agent: Agent, { lacking }: Sweep): string | null {
  if (lacking === undefined || !Object.hasOwn(lacking, agent.agent)) return null;
  const mark = lacking[agent.agent];
  return mark?.run === runOfAgent(agent) ? mark.what : null;
}

/** True where this trial itself has met the lack there, and would only meet it again. */
export function hasLackedOn(trial: Trial, agent: Agent, sweep: Sweep): boolean {
  if (lackOf(agent, sweep) === null) return false;
  return trial.attempts.some(
    (attempt) =>
      attempt.lacks !== undefined && attempt.agent === agent.agent && runOf(attempt) === runOfAgent(agent),
  );
}
