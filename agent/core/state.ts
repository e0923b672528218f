/**
 * What an agent knows while it runs: its leases, the leader's epoch and clock, what it still has to say.
 * Plain data; only `step` changes it. What must outlive the process is in the outbox and the cache.
 */
import type { Policy } from "../../protocol/capability.ts";
import type { Fence } from "../../protocol/id.ts";
import type { Lease } from "../../protocol/order.ts";
import type { Report } from "../../protocol/report.ts";

export type StopReason = Extract<Report, { kind: "stopped" }>["why"];

export interface Held {
  lease: Lease;
  phase: "fetching" | "running" | "reporting";
  /** End of the prepaid horizon on this agent's monotonic clock, ms. */
  deadline: number;
  stopping: {
    why: StopReason;
    /** When patience ends and the runner is killed, monotonic ms. */ killAt: number;
  } | null;
  killed: boolean;
  resource: number;
  usedMs: number;
  /** When the last checkpoint was handed to the mesh, monotonic ms. */
  sharedAt: number;
}

export interface AgentState {
  readonly name: string;
  readonly incarnation: string;
  policy: Policy;
  /** Highest epoch seen; orders of a lower one are refused. */
  epoch: number;
  /** Epoch in which the leader has greeted us; orders count only then, for only then its clock is known. */
  greetedIn: number;
  /** Monotonic time here at coordinator's time 0, as a lower bound: never later than the truth. */
  clockOffset: number;
  /** Why the owner's policy takes no work now; null when it does. */
  closed: string | null;
  draining: boolean;
  leaving: boolean;
  readonly held: Map<Fence, Held>;
  /** Fences that have ended here, newest last, so that a repeated offer starts nothing. */
  readonly ended: Set<Fence>;
}

export function newAgentState(name: string, incarnation: string, policy: Policy): AgentState {
  return {
    name,
    incarnation,
    policy,
    epoch: 0,
    greetedIn: 0,
    clockOffset: 0,
    closed: null,
    draining: false,
    leaving: false,
    held: new Map(),
    ended: new Set(),
  };
}
