/**
 * What an agent's machine lacks of what a sweep's program needs, as an attempt there has shown. Not what can be known before:
 * that is `match`'s to say.
 */
import type { Agent, Sweep, Trial } from "./state.ts";

/** The run of an agent with what is installed there: a mark of another run says nothing about this one. */
export function runOf({ capability, incarnation }: Agent): string {
  return `${incarnation}/${capability.environment ?? ""}`;
}

/** Null where nothing is known to be missing. */
export function lackOf(agent: Agent, { lacking }: Sweep): string | null {
  if (lacking === undefined || !Object.hasOwn(lacking, agent.agent)) return null;
  const mark = lacking[agent.agent];
  return mark?.run === runOf(agent) ? mark.what : null;
}

/** True where this trial itself has met the lack there, and would only meet it again. */
export function hasLackedOn(trial: Trial, agent: Agent, sweep: Sweep): boolean {
  if (lackOf(agent, sweep) === null) return false;
  return trial.attempts.some(
    ({ agent: name, incarnation, lacks }) =>
      lacks !== undefined && name === agent.agent && incarnation === agent.incarnation,
  );
}
