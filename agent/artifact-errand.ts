/**
 * The two errands an agent runs for a lease: its artifacts fetched onto this machine, a checkpoint shared with the mesh, or made ready to go
 * with its report. Each comes back with what `step` is to be told; where the bytes lie is the cache's.
 */
import { errorSentence } from "../protocol/error-sentence.ts";
import type { ArtifactCache } from "../artifact/artifact-cache.ts";
import { startsAsNode } from "../artifact/chunk-tree.ts";
import { BusError } from "../protocol/bus/bus.ts";
import type { Serving } from "../protocol/deployment.ts";
import type { Digest, Fence } from "../protocol/id.ts";
import { accept, type Outcome } from "../protocol/refusal.ts";
import type { Report } from "../protocol/report.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { AgentEffect, SharedFile } from "./core/agent-effect.ts";
import type { AgentInput } from "./core/agent-input.ts";
import type { RecentContent } from "./recent-content.ts";

type Fetch = Extract<AgentEffect, { kind: "fetch" }>;
type Share = Extract<AgentEffect, { kind: "share" }>;

const shareRetryMs = 500;

/** What an agent gets artifacts by. */
export interface Errands {
  readonly artifacts: ArtifactCache;
  /** Small checkpoints that went with reports lately: they are no files yet. */
  readonly recent: Pick<RecentContent, "get">;
}

/** Dataset, checkpoint and other artifacts of a lease, one after the other; the first that fails ends it. */
export async function fetchFiles(errands: Errands, { lease }: Fetch): Promise<AgentInput> {
  const { fence } = lease;
  const { artifacts } = errands;
  const dataset = lease.dataset === null ? null : await artifacts.fetch(lease.dataset, fence);
  if (dataset !== null && !dataset.ok)
    return { kind: "fetch-failed", fence, reason: dataset.refusal.message };
  const checkpoint = lease.from === null ? null : await checkpointFile(errands, lease.from.digest, fence);
  if (checkpoint !== null && !checkpoint.ok)
    return { kind: "fetch-failed", fence, reason: checkpoint.refusal.message };
  // Without it the trial trains just as well: only the test's figures of that epoch would be missing.
  const best = lease.best === undefined ? null : await checkpointFile(errands, lease.best.digest, fence);
  const served = lease.serving === undefined ? null : await fetchServed(errands, fence, lease.serving);
  if (served?.ok === false) return { kind: "fetch-failed", fence, reason: served.refusal.message };
  const parts: Record<Digest, string> = { ...served?.value };
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

/** What a replica is to answer with, by digest. A dataset that is gone is left out: the model answers what its checkpoint alone can read. */
export async function fetchServed(
  { artifacts, recent }: Errands,
  fence: Fence,
  { versions }: Serving,
): Promise<Outcome<Record<Digest, string>>> {
  const files: Record<Digest, string> = {};
  for (const { artifact, dataset } of versions) {
    const bytes = await checkpointFile({ artifacts, recent }, artifact, fence);
    if (!bytes.ok) return bytes;
    files[artifact] = bytes.value;
    const version = dataset === null ? null : await artifacts.fetch(dataset, fence);
    if (dataset !== null && version?.ok === true) files[dataset] = version.value;
  }
  return accept(files);
}

async function checkpointFile(
  { artifacts, recent }: Errands,
  digest: Digest,
  fence: Fence,
): Promise<Outcome<string>> {
  const content = recent.get(digest);
  // A disk that takes nothing is for the cache to wait for.
  const kept = content === null ? null : await artifacts.keep(digest, content, fence).catch(() => null);
  return kept === null ? artifacts.fetch(digest, fence) : accept(kept);
}

/**
 * AGENT-4. Through a server's absence it tries again, for as long as `wanted` says: the files are safe here meanwhile.
 * Null where it was not wanted any more. CARRY-1: a file of no more than `carries` bytes goes with the report.
 */
export async function shareFile(
  artifacts: ArtifactCache,
  { files, report }: Share,
  clock: Clock,
  { carries, wanted }: { readonly carries: () => number; readonly wanted: () => boolean },
): Promise<AgentInput | null> {
  while (wanted()) {
    try {
      const contents = new Map<Digest, Uint8Array>();
      for (const file of files) {
        const { bytes, digest, path } = file;
        // One that cannot be read is left to `share`, which says why.
        const content = bytes > carries() ? null : await contentOf(artifacts, file);
        if (content === null) await artifacts.share(path, digest, file.content, leaseOf(report));
        else contents.set(digest, content);
      }
      return { kind: "shared", report, contents };
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

/** TREE-2: null too where its digest is not that of its bytes alone. */
async function contentOf(
  artifacts: ArtifactCache,
  { content, digest, path }: SharedFile,
): Promise<Uint8Array | null> {
  const bytes = content ?? (await artifacts.read(path, digest));
  return bytes === null || startsAsNode(bytes) ? null : bytes;
}

/** For whose sake an agent may hold it. What a dataset's version is to be, everybody reads from the mesh's store. */
function leaseOf(report: Report): Fence | undefined {
  return report.kind === "finished" && report.built !== undefined ? undefined : report.fence;
}
