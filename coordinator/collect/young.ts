/** How long what was stored, or what somebody was told is there, is left alone although nothing refers to it yet. */
import type { Digest } from "../../protocol/id.ts";
import { packOfId } from "../state/pack-id.ts";
import type { State } from "../state/state.ts";
import { retentionOf } from "./default-retention.ts";

interface Young {
  readonly state: State;
  /** What trials left: the report that names it has come, and whoever brings it again says so at once. */
  readonly left: { has(digest: Digest): boolean };
  /** For these and for packs, ms; for anything else it is what is set for uploads. */
  readonly restMs: number;
}

/** By digest, or id of a pack, ms. */
export function youngMsFor({ left, restMs, state }: Young): (digest: Digest) => number {
  const { uploadMs } = retentionOf(state);
  return (digest) => (left.has(digest) || state.packs.has(packOfId(digest) ?? -1) ? restMs : uploadMs);
}
