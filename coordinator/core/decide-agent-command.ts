/** Decides on an owner's commands about agents: drain, cordon, and that a credential was taken back. */
import type { CommandBody } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Decision, Sender } from "../state/input.ts";
import { members } from "../state/member.ts";
import { attemptByFence, type Agent, type State } from "../state/state.ts";

/** Nothing new is placed there, and what runs leaves at its next checkpoint for another agent. */
export function* drain(state: State, _sender: Sender, body: CommandBody<"agent-drain">): Decision {
  const { agent } = body;
  const known = knownAgent(state, agent);
  if (!known.ok) return known;
  yield { kind: "AgentDraining", agent, drain: body.drain };
  const running = [...(state.held.get(agent) ?? [])];
  for (const fence of body.drain ? running : []) {
    const found = attemptByFence(state, fence);
    if (found === null || found.attempt.cancel !== null) continue;
    // DEPLOY-4: not before another answers.
    if (state.sweeps.get(found.trial.sweep)?.deployment !== undefined) continue;
    const reason = "the agent is draining";
    yield { kind: "CancelRequested", fence, reason, how: "checkpoint", preemptedFor: null };
  }
  return accept({ agent, running });
}

/** Nothing new is placed there; what runs goes on to its end. */
export function* cordon(state: State, _sender: Sender, body: CommandBody<"agent-cordon">): Decision {
  const { agent } = body;
  const known = knownAgent(state, agent);
  if (!known.ok) return known;
  if (known.value.cordoned !== body.cordon) yield { kind: "AgentCordoned", agent, cordon: body.cordon };
  return accept({ agent, running: [...(state.held.get(agent) ?? [])] });
}

/** Its credential was taken back. What it holds is its own until the prepaid time ends. */
export function* leave(state: State, _sender: Sender, { agent }: CommandBody<"agent-revoked">): Decision {
  const known = knownAgent(state, agent);
  if (!known.ok) return known;
  yield { kind: "AgentSilent", agent, revoked: true };
  return accept({ agent });
}

function knownAgent(state: State, name: string): Outcome<Agent> {
  const known = members(state);
  const found = known.find(({ agent }) => agent === name);
  if (found !== undefined) return accept(found);
  const names = known.map(({ agent }) => agent);
  return refuse("unknown", `there is no agent ${name}; ${suggestion(name, names)}`, ["agent"]);
}
