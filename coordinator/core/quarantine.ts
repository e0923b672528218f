/**
 * An agent that fails trials which others then finish is quarantined: something is wrong with it and not with them. A success
 * of its own in between shows that it can, and the count begins anew. So is one whose word of the time it used cannot be true.
 */
import type { Steps } from "../state/input.ts";
import type { Attempt, State, Trial } from "../state/state.ts";

/** So many in a row: one or two may be bad luck. */
const contradictedMax = 3;

/** The failures that a trial's success on another agent speaks against: those since it last got somewhere. */
export function contradictedBy(trial: Trial, finisher: string): readonly Attempt[] {
  const ended = trial.attempts.slice(0, -1);
  const since = ended.findLastIndex(({ ending }) => ending === "finished") + 1;
  const failed = ended.slice(since).filter(
    // LACK-3: a machine that lacks what one program needs is marked for that, and is fine for others.
    ({ agent, ending, lacks }) => ending === "failed" && lacks === undefined && agent !== finisher,
  );
  // Twice on one agent is one and the same.
  return failed.filter(({ agent }, index) => failed.findIndex((other) => other.agent === agent) === index);
}

/** After a trial has finished on an agent. */
export function* quarantine(state: State, trial: Trial, finisher: string): Steps {
  for (const { agent, note } of contradictedBy(trial, finisher)) {
    const known = state.agents.get(agent);
    if (known === undefined || known.cordoned || known.contradicted < contradictedMax) continue;
    const reason = `it failed ${known.contradicted} trials in a row that others then finished; the last on it: ${note}`;
    yield { kind: "AgentCordoned", agent, cordon: true, reason };
  }
}

/** METER-4: `fault`: why what it says of an attempt's time cannot be true; null where it can. */
export function* accuse(state: State, { agent, fence }: Attempt, fault: string | null): Steps {
  const known = state.agents.get(agent);
  // Named once: it goes on saying so as long as the attempt runs.
  if (fault === null || known === undefined || known.cordonReason !== null) return;
  const reason = `its word of the time it used for fence ${fence} disagrees with the clock: ${fault}`;
  yield { kind: "AgentCordoned", agent, cordon: true, reason };
}

/** CARRY-2: `why`: what it sent as a checkpoint's bytes is something else. */
export function* accuseForged(state: State, agent: string, why: string): Steps {
  const known = state.agents.get(agent);
  if (known === undefined || known.cordonReason !== null) return;
  yield { kind: "AgentCordoned", agent, cordon: true, reason: why };
}
