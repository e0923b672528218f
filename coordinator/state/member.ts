/** The agents that belong to the mesh: those whose credentials were taken back do no more, until they join anew. */
import type { Agent, State } from "./state.ts";

export function members(state: State): readonly Agent[] {
  return [...state.agents.values()].filter(({ revoked }) => revoked !== true);
}
