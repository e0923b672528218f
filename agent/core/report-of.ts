/** What an agent says of an attempt, made of what its runner reported. Not when it is said: see `step`. */
import type { Metrics, Report } from "../../protocol/report.ts";
import type { BestFile, RunnerEvent } from "../runner/runner.ts";
import type { AgentEffect, SharedFile } from "./agent-effect.ts";
import { paceOf } from "./epoch-pace.ts";
import { nothingDone } from "./end-attempt.ts";
import type { Held, KeptCheckpoint } from "./agent-state.ts";

/** Hands the last whole checkpoint to the mesh, unless it was. */
export function shareCheckpoint(held: Held, now: number): AgentEffect[] {
  const { checkpoint, lease } = held;
  if (checkpoint === null) return [];
  // A program saves when it likes, also twice between two of its reports.
  const isNewer =
    checkpoint.resource > held.sharedResource ||
    (lease.program !== null && checkpoint.digest !== held.sharedDigest);
  if (!isNewer) return [];
  held.sharedAt = now;
  held.sharedResource = checkpoint.resource;
  held.sharedDigest = checkpoint.digest;
  const report = { kind: "checkpoint", ...keptOf(held, checkpoint) } as const;
  return [{ kind: "share", files: filesOf(checkpoint), report }];
}

type Stopped = Extract<Report, { kind: "stopped" }>;

/**
 * A killed attempt has no more than its last whole checkpoint. AGENT-6: where the owner is the cause, no time
 * beyond that checkpoint is charged.
 */
export function stoppedReport(
  held: Held,
  event: Extract<RunnerEvent, { kind: "stopped" }>,
): { readonly report: Stopped; readonly files: readonly SharedFile[] } {
  const { fence, from } = held.lease;
  const why = held.stopping?.why ?? "shutdown";
  const byOwner = why === "owner" || held.suspended;
  if (held.killed || byOwner) {
    const { checkpoint } = held;
    // What a replica has answered is not lost with it.
    const keptMs = held.replica === null ? (checkpoint?.usedMs ?? 0) : event.usedMs;
    const usedMs = byOwner ? keptMs : Math.max(keptMs, event.usedMs);
    if (checkpoint === null)
      return {
        report: { ...nothingDone(fence, from?.resource ?? 0), metrics: finiteOf(event.metrics), usedMs, why },
        files: [],
      };
    return {
      report: { kind: "stopped", ...keptOf(held, checkpoint), usedMs, why },
      files: filesOf(checkpoint),
    };
  }
  const { best, bytes, content, digest, metrics, path, resource, usedMs } = event;
  return {
    report: { kind: "stopped", ...keptOf(held, { resource, digest, bytes, metrics, usedMs, best }), why },
    files: path === null || digest === null ? [] : filesOf({ path, digest, bytes, content, best }),
  };
}

/** What has to be in the mesh's store before it is said that it is kept, or to go with the report. */
export function filesOf({
  best,
  ...newest
}: SharedFile & { readonly best?: SharedFile | undefined }): readonly SharedFile[] {
  return best === undefined ? [fileOf(newest)] : [fileOf(best), fileOf(newest)];
}

function fileOf({ bytes, content, digest, path }: SharedFile): SharedFile {
  return content === undefined ? { path, digest, bytes } : { path, digest, bytes, content };
}

export function keptOf<D extends string | null>(
  { approximate, epochs, lease }: Held,
  {
    best,
    bytes,
    digest,
    metrics,
    resource,
    usedMs,
  }: Omit<KeptCheckpoint, "path" | "digest"> & { readonly digest: D },
) {
  const pace = paceOf(epochs);
  return {
    fence: lease.fence,
    resource,
    digest,
    bytes,
    metrics: finiteOf(metrics),
    usedMs,
    ...(best === undefined ? {} : { best: bestOf(best) }),
    ...(approximate ? { approximate } : {}),
    ...(pace === null ? {} : { pace }),
  };
}

function bestOf({ bytes, digest, metrics, resource }: BestFile) {
  return { resource, digest, bytes, metrics: finiteOf(metrics) };
}

/** JSON has no NaN: what is not finite is left out, and its absence is noticed by whoever needs it. */
export function finiteOf(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}
