/**
 * Brings an artifact into the local store: one source after the other is asked for what is still missing of it. A source that gave
 * something wrong is left and told. Not here: how often somebody tries again.
 */
import type { Digest } from "../../protocol/id.ts";
import { shortDigest } from "../../text/figure.ts";
import type { ChunkSource, SourceEnd } from "../chunk-source.ts";
import type { PartFile } from "../store/part-file.ts";
import type { ArtifactStore, HeldArtifact } from "../store/artifact-store.ts";

export interface FetchOptions {
  readonly sources: readonly ChunkSource[];
  /** Has it read from where it lies in one piece. */
  readonly readPlain: (digest: Digest) => Promise<HeldArtifact | SourceEnd>;
  readonly signal: AbortSignal;
  /** Hears what a source did wrong. */
  readonly say: (line: string) => void;
  /** Hears of what is being brought. */
  readonly onWork?: (part: PartFile) => void;
}

export type Fetched =
  | { readonly kind: "here"; readonly held: HeldArtifact }
  /** Another process of this machine brings it just now. */
  | { readonly kind: "busy" }
  /** `message`: a sentence; `passes`: it may be had later. */
  | {
      readonly kind: "failed";
      readonly message: string;
      readonly passes: boolean;
      readonly isDamaged: boolean;
    };

/** Throws the system's error and PartError. */
export async function fetchArtifact(
  store: ArtifactStore,
  digest: Digest,
  options: FetchOptions,
): Promise<Fetched> {
  const { onWork, readPlain, say, signal, sources } = options;
  const asked: { some: boolean; end: SourceEnd; name: string } = {
    some: false,
    end: { kind: "missing" },
    name: "any store",
  };
  const held = await store.bring(digest, async (work, part) => {
    onWork?.(part);
    for (const source of sources) {
      const end = await source.bring(work, signal);
      Object.assign(asked, { some: true, end, name: source.name });
      if (end.kind === "done" || end.kind === "plain") return;
      if (end.kind === "wrong") say(`artifact ${shortDigest(digest)}: ${source.name}: ${end.message}`);
    }
  });
  if (held !== null) return { kind: "here", held };
  if (!asked.some) return { kind: "busy" };
  if (asked.end.kind !== "plain") return failed(digest, asked.name, asked.end);
  const plain = await readPlain(digest);
  return "path" in plain ? { kind: "here", held: plain } : failed(digest, asked.name, plain);
}

function failed(digest: Digest, source: string, end: SourceEnd): Fetched {
  const what = `artifact ${shortDigest(digest)}`;
  switch (end.kind) {
    case "unavailable": {
      const message = `${what} cannot be read from ${source}: ${end.message}`;
      return { kind: "failed", message, passes: end.passes, isDamaged: false };
    }
    case "wrong": {
      const message = `${what} was damaged in ${source}, and no agent that runs has it whole`;
      return { kind: "failed", message, passes: false, isDamaged: true };
    }
    case "missing":
    case "done":
    case "plain":
      return { kind: "failed", message: `${what} is not in ${source}`, passes: false, isDamaged: false };
  }
}
