/** The part of `apply` about agents: who they are, and whether they take work. */
import type { EventOf } from "../format/event.ts";
import type { Agent, State } from "../state/state.ts";
import { shiftClaims } from "./claim-shift.ts";
import { agentOf } from "./entity.ts";
import { indexAgent } from "./index-state.ts";

export type AgentEvent = EventOf<
  "AgentJoined" | "AgentSeen" | "AgentSilent" | "AgentClosed" | "AgentDraining" | "AgentCordoned"
>;

export function applyAgent(state: State, event: AgentEvent): void {
  switch (event.kind) {
    case "AgentJoined":
      return join(state, event);
    case "AgentSeen":
      agentOf(state, event.agent).present = true;
      return indexAgent(state, event.agent);
    case "AgentSilent": {
      const agent = agentOf(state, event.agent);
      agent.present = false;
      if (event.revoked === true) agent.revoked = true;
      return indexAgent(state, event.agent);
    }
    case "AgentClosed":
      agentOf(state, event.agent).closed = event.reason;
      return indexAgent(state, event.agent);
    case "AgentDraining":
      agentOf(state, event.agent).draining = event.drain;
      return indexAgent(state, event.agent);
    case "AgentCordoned": {
      const agent = agentOf(state, event.agent);
      agent.cordoned = event.cordon;
      agent.cordonReason = event.cordon ? (event.reason ?? null) : null;
      if (!event.cordon) agent.contradicted = 0;
      return indexAgent(state, event.agent);
    }
  }
}

/** So many are told from a new run when they are heard again. Part of what a journal adds up to: never to be retuned. */
const earlierKept = 8;

function earlierRuns(known: Agent, incarnation: string): readonly string[] {
  if (known.incarnation === incarnation) return known.earlier;
  return [known.incarnation, ...known.earlier].slice(0, earlierKept);
}

function join(state: State, event: EventOf<"AgentJoined">): void {
  const known = state.agents.get(event.agent);
  state.agents.set(event.agent, {
    agent: event.agent,
    incarnation: event.incarnation,
    earlier: known === undefined ? [] : [...earlierRuns(known, event.incarnation)],
    capability: event.capability,
    policy: event.policy,
    present: true,
    closed: null,
    draining: known !== undefined && known.incarnation === event.incarnation && known.draining,
    cordoned: known?.cordoned ?? false,
    cordonReason: known?.cordonReason ?? null,
    contradicted: known?.contradicted ?? 0,
    speed: { ...known?.speed },
  });
  state.dirty.add(`agent/${event.agent}`);
  if (event.claims !== undefined) shiftClaims(state, event.agent, event.claims);
  return indexAgent(state, event.agent);
}
