/** What an agent says of an attempt, made of what its runner told. Not when it is said: see `step`. */
import type { Fence } from "../../protocol/id.ts";
import type { Metrics, Report } from "../../protocol/report.ts";
import type { RunnerEvent } from "../runner/runner.ts";
import type { AgentEffect } from "./effect.ts";
import { nothingDone } from "./end-attempt.ts";
import type { Held, KeptCheckpoint } from "./state.ts";

/** Hands the last whole checkpoint to the mesh, unless it was. */
export function shareCheckpoint(held: Held, now: number): AgentEffect[] {
  const { checkpoint, lease } = held;
  if (checkpoint === null || checkpoint.resource <= held.sharedResource) return [];
  held.sharedAt = now;
  held.sharedResource = checkpoint.resource;
  const report = { kind: "checkpoint", ...keptOf(lease.fence, checkpoint) } as const;
  return [{ kind: "share", path: checkpoint.path, digest: checkpoint.digest, report }];
}

type Stopped = Extract<Report, { kind: "stopped" }>;

/**
 * A killed attempt has no more than its last whole checkpoint. AGENT-6: where the owner is the cause, no time
 * beyond that checkpoint is charged.
 */
export function stoppedReport(
  held: Held,
  event: Extract<RunnerEvent, { kind: "stopped" }>,
): { readonly report: Stopped; readonly path: string | null } {
  const { fence, from } = held.lease;
  const why = held.stopping?.why ?? "shutdown";
  const byOwner = why === "owner" || held.suspended;
  if (held.killed || byOwner) {
    const { checkpoint } = held;
    const keptMs = checkpoint?.usedMs ?? 0;
    const usedMs = byOwner ? keptMs : Math.max(keptMs, event.usedMs);
    if (checkpoint === null)
      return { report: { ...nothingDone(fence, from?.resource ?? 0), usedMs, why }, path: null };
    return {
      report: { kind: "stopped", ...keptOf(fence, checkpoint), usedMs, why },
      path: checkpoint.path,
    };
  }
  const { bytes, digest, metrics, resource, usedMs } = event;
  return {
    report: { kind: "stopped", fence, resource, digest, bytes, metrics: finiteOf(metrics), usedMs, why },
    path: event.path,
  };
}

export function keptOf(
  fence: Fence,
  { bytes, digest, metrics, resource, usedMs }: Omit<KeptCheckpoint, "path">,
) {
  return { fence, resource, digest, bytes, metrics: finiteOf(metrics), usedMs };
}

/** JSON has no NaN: what is not finite is left out, and its absence is noticed by whoever needs it. */
export function finiteOf(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
