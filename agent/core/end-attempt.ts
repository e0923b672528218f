/** How attempts end on an agent: asked, killed, released, remembered. When and why is for `step` and `obeyOwner` to say. */
import type { Fence } from "../../protocol/id.ts";
import type { AgentEffect } from "./agent-effect.ts";
import type { AgentState, Held, StopReason } from "./agent-state.ts";

const endedKept = 10_000;

/**
 * Asks an attempt to end at its next checkpoint; at `killAt`, monotonic ms, patience is over. AGENT-6: what is
 * suspended is not woken for it, but ends with the checkpoint it has. Asked again, the shorter patience holds.
 */
export function stop(state: AgentState, held: Held, why: StopReason, killAt: number): AgentEffect[] {
  if (held.phase === "reporting" || held.killed) return [];
  if (held.stopping !== null) {
    held.stopping.killAt = Math.min(held.stopping.killAt, killAt);
    return [];
  }
  held.stopping = { why, killAt };
  switch (held.phase) {
    case "fetching":
      return []; // it ends when the fetch does, or when its time is up
    case "ready":
      return endUnstarted(state, held, why);
    case "running":
      return held.suspended ? kill(held) : [{ kind: "stop", fence: held.lease.fence, how: "checkpoint" }];
  }
}

export function kill(held: Held): AgentEffect[] {
  held.killed = true;
  return [{ kind: "stop", fence: held.lease.fence, how: "kill" }];
}

export function endUnstarted(state: AgentState, held: Held, why: StopReason): AgentEffect[] {
  const { fence, from } = held.lease;
  release(state, fence);
  return [{ kind: "report", report: { ...nothingDone(fence, from?.resource ?? 0), why } }];
}

export function nothingDone(fence: Fence, resource: number) {
  return { kind: "stopped", fence, resource, digest: null, bytes: 0, metrics: {}, usedMs: 0 } as const;
}

export function release(state: AgentState, fence: Fence): void {
  state.held.delete(fence);
  remember(state, fence);
}

export function remember(state: AgentState, fence: Fence): void {
  state.ended.add(fence);
  if (state.ended.size > endedKept) {
    for (const oldest of state.ended) {
      state.ended.delete(oldest);
      break;
    }
  }
}
