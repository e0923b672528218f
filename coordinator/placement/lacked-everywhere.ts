/** Whether any machine that fits has what a trial's program needs, as far as attempts have shown, and who lacks what. */
import { hasLackedOn, lackOf } from "../state/lack.ts";
import type { State, Sweep, Trial } from "../state/state.ts";
import { mismatchesByMatch } from "./feasible.ts";

export interface Lack {
  readonly agent: string;
  readonly what: string;
}

/** Named in a sentence; of more, how many. */
const agentsNamedMax = 8;

/**
 * LACK-2: who lacks what, where all agents that fit, present or not, lack `what` or have shown this very trial another lack;
 * null while there is one to try.
 */
export function lackedByAll(state: State, sweep: Sweep, trial: Trial, what: string): readonly Lack[] | null {
  const lacks: Lack[] = [];
  for (const agent of state.agents.values()) {
    if (mismatchesByMatch(agent, sweep, trial.model).length > 0) continue;
    const known = lackOf(agent, sweep);
    if (known === null || (known !== what && !hasLackedOn(trial, agent, sweep))) return null;
    lacks.push({ agent: agent.agent, what: known });
  }
  return lacks.length === 0 ? null : lacks;
}

/** True where each agent that fits lacks something: what is missing there need not be missed by every trial. */
export function lackSomethingAll(state: State, sweep: Sweep, model: string): boolean {
  if (sweep.lacking === undefined) return false;
  const fitting = [...state.agents.values()].filter(
    (agent) => mismatchesByMatch(agent, sweep, model).length === 0,
  );
  return fitting.every((agent) => lackOf(agent, sweep) !== null);
}

/** Such as `the Python module "yaml" is missing on attic and tower`. */
export function lackSentence(lacks: readonly Lack[]): string {
  const byWhat = new Map<string, string[]>();
  for (const { agent, what } of lacks) byWhat.set(what, [...(byWhat.get(what) ?? []), agent]);
  return [...byWhat].map(([what, agents]) => `${what} is missing on ${namesOf(agents)}`).join("; ");
}

function namesOf(agents: readonly string[]): string {
  const named = agents.slice(0, agentsNamedMax);
  const rest = agents.length - named.length;
  const all = rest > 0 ? [...named, `${rest} more`] : named;
  return all.length < 2 ? all.join("") : `${all.slice(0, -1).join(", ")} and ${all.at(-1) ?? ""}`;
}
