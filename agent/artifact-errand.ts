/**
 * The two errands an agent runs for a lease: its artifacts fetched onto this machine, a checkpoint shared with the mesh.
 * Each comes back with what `step` is to be told; where the bytes lie is the cache's.
 */
import { errorSentence } from "../protocol/error-sentence.ts";
import type { ArtifactCache } from "../artifact/artifact-cache.ts";
import { BusError } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { AgentEffect } from "./core/agent-effect.ts";
import type { AgentInput } from "./core/agent-input.ts";

type Fetch = Extract<AgentEffect, { kind: "fetch" }>;
type Share = Extract<AgentEffect, { kind: "share" }>;

const shareRetryMs = 500;

/** Dataset, checkpoint and other artifacts of a lease, one after the other; the first that fails ends it. */
export async function fetchFiles(artifacts: ArtifactCache, { lease }: Fetch): Promise<AgentInput> {
  const { fence } = lease;
  const dataset = lease.dataset === null ? null : await artifacts.fetch(lease.dataset, fence);
  if (dataset !== null && !dataset.ok)
    return { kind: "fetch-failed", fence, reason: dataset.refusal.message };
  const checkpoint = lease.from === null ? null : await artifacts.fetch(lease.from.digest, fence);
  if (checkpoint !== null && !checkpoint.ok)
    return { kind: "fetch-failed", fence, reason: checkpoint.refusal.message };
  // Without it the trial trains just as well: only the test's figures of that epoch would be missing.
  const best = lease.best === undefined ? null : await artifacts.fetch(lease.best.digest, fence);
  const parts: Record<Digest, string> = {};
  for (const digest of lease.parts) {
    const part = await artifacts.fetch(digest, fence);
    if (!part.ok) return { kind: "fetch-failed", fence, reason: part.refusal.message };
    parts[digest] = part.value;
  }
  return {
    kind: "fetched",
    fence,
    files: {
      datasetPath: dataset?.value ?? null,
      checkpointPath: checkpoint?.value ?? null,
      ...(best?.ok === true ? { bestPath: best.value } : {}),
      parts,
    },
  };
}

/**
 * AGENT-4. Through a server's absence it tries again, for as long as `wanted` says: the files are safe here meanwhile.
 * Null where it was not wanted any more.
 */
export async function shareFile(
  artifacts: ArtifactCache,
  { files, report }: Share,
  clock: Clock,
  wanted: () => boolean,
): Promise<AgentInput | null> {
  while (wanted()) {
    try {
      for (const { digest, path } of files) await artifacts.share(path, digest);
      return { kind: "shared", report };
    } catch (error) {
      if (!(error instanceof BusError) || error.kind === "closed") {
        const reason = `its checkpoint could not be stored: ${errorSentence(error)}`;
        return { kind: "share-failed", report, reason };
      }
      await sleep(clock, shareRetryMs);
    }
  }
  return null;
}
