/** Reads artifacts of this machine whole, tells which are damaged, and has what is wrong of them brought again. */
import type { Digest } from "../../protocol/id.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { refuseStored } from "../../artifact/store/open-artifact-store.ts";
import type { ArtifactDesk } from "./artifact-desk.ts";
import { bringArtifact, type Progress } from "./bring-artifact.ts";

export interface VerifiedArtifact {
  readonly digest: Digest;
  readonly state: "right" | "damaged" | "not here" | "healed";
  /** Which of its chunks are wrong, where that can be told. */
  readonly chunks: readonly number[] | null;
  /** Why it could not be healed. */
  readonly why: string | null;
}

export async function verifyArtifact(
  desk: ArtifactDesk,
  digest: Digest,
  heal: boolean,
  say: (line: string) => void,
  progress: Progress,
): Promise<Outcome<VerifiedArtifact>> {
  const { store } = desk;
  try {
    const found = await store.verify(digest);
    if (found.kind === "right") return accept({ digest, state: "right", chunks: null, why: null });
    const isThere = found.kind === "damaged" || store.entry(digest) !== null;
    const chunks = found.kind === "damaged" ? found.chunks : null;
    const state = isThere ? "damaged" : "not here";
    if (!heal || !isThere) return accept({ digest, state, chunks, why: null });
    store.lose(digest);
    const brought = await bringArtifact(desk, digest, say, progress);
    if (!brought.ok) return accept({ digest, state, chunks, why: brought.refusal.message });
    brought.value.release();
    return accept({ digest, state: "healed", chunks, why: null });
  } catch (error) {
    return refuseStored(error, store.folder);
  }
}
