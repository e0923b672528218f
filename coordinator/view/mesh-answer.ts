/** The whole mesh at a glance: agents with what they do, and the sums. */
import type { AgentDetailView, AgentView, MeshView } from "../../protocol/view.ts";
import { attemptByFence, mustGet, type Agent, type State } from "../state/state.ts";
import { members } from "../state/member.ts";
import { lackOf } from "../state/lack.ts";
import { trustedRate } from "../placement/pace.ts";
import type { QuerySource } from "./query-source.ts";

export function meshViewOf({ board, clock, mesh, position, state }: QuerySource): MeshView {
  const agents = members(state)
    .toSorted((a, b) => (a.agent < b.agent ? -1 : 1))
    .map((agent) => agentViewOf(state, agent, board.of(agent.agent)));
  let queued = 0;
  for (const sweep of state.sweeps.values()) queued += sweep.counts.queued;
  return {
    mesh,
    epoch: state.meta.epoch,
    leader: state.meta.leader,
    at: clock.now(),
    sequence: position.sequence,
    agents,
    slots: agents.reduce((sum, agent) => sum + (agent.state === "silent" ? 0 : agent.slots), 0),
    running: state.active.size,
    queued,
    tokensPerSecond: rateOfRunning(state),
  };
}

export function agentDetailOf({ board, state }: QuerySource, agent: Agent): AgentDetailView {
  const { packages = null } = agent.capability;
  return { agent: agentViewOf(state, agent, board.of(agent.agent)), packages };
}

function rateOfRunning(state: State): number {
  let sum = 0;
  for (const fence of state.active.keys()) sum += attemptByFence(state, fence)?.attempt.rate ?? 0;
  return sum;
}

function agentViewOf(state: State, agent: Agent, seen: ReturnType<QuerySource["board"]["of"]>): AgentView {
  const heartbeat = seen?.heartbeat ?? null;
  const running = [...(state.held.get(agent.agent) ?? [])].flatMap((fence) => {
    const found = attemptByFence(state, fence);
    if (found === null) return [];
    const { attempt, trial } = found;
    const live = heartbeat?.running.find((item) => item.fence === fence);
    const { requester } = mustGet(state.sweeps, trial.sweep, "sweep");
    return [
      {
        fence,
        trial: trial.trial,
        sweep: trial.sweep,
        requester,
        model: trial.model,
        backend: attempt.backend,
        resource: live?.resource ?? trial.checkpoint?.resource ?? 0,
        target: attempt.target,
        usedMs: live?.usedMs ?? 0,
        suspended: live?.suspended ?? false,
      },
    ];
  });
  return {
    agent: agent.agent,
    state: stateOf(agent),
    closed: agent.closed,
    cordonReason: agent.cordonReason,
    owner: heartbeat?.owner ?? null,
    slots: agent.policy.slots,
    running,
    cpuLoad: heartbeat?.cpuLoad ?? null,
    memFreeGiB: heartbeat?.memFreeGiB ?? null,
    host: agent.capability.host,
    backends: agent.capability.backends,
    rates: agent.capability.rates,
    python: agent.capability.python,
    packages: agent.capability.packages === undefined ? null : Object.keys(agent.capability.packages).length,
    sealKey: agent.capability.sealKey ?? null,
    sandbox: agent.capability.sandbox ?? null,
    lacks: lacksOf(state, agent),
    measured: measuredOf(agent),
    policy: agent.policy,
    lastSeenAt: seen?.at ?? null,
  };
}

/** The newest sweep's of each kind, newest first. */
function lacksOf(state: State, agent: Agent): AgentView["lacks"] {
  const found = new Map<string, string>();
  for (const sweep of state.sweeps.values()) {
    const what = lackOf(agent, sweep);
    if (what !== null) found.set(what, sweep.sweep);
  }
  return [...found].map(([what, sweep]) => ({ what, sweep })).toReversed();
}

/** Kinds of task whose measured speed differs from the claim. */
function measuredOf(agent: Agent): AgentView["measured"] {
  return Object.entries(agent.speed).flatMap(([kind, { attempts, logFactor }]) => {
    const claimed = Math.max(
      0,
      ...agent.capability.rates.filter((rate) => rate.kind === kind).map((rate) => rate.tokensPerSecond),
    );
    if (claimed === 0 || logFactor === 0) return [];
    return [{ kind, claimed, trusted: trustedRate(agent, kind, claimed), attempts }];
  });
}

function stateOf(agent: Agent): AgentView["state"] {
  if (!agent.present) return "silent";
  if (agent.draining) return "draining";
  if (agent.cordoned) return "cordoned";
  return agent.closed === null ? "present" : "closed";
}
