/**
 * Decides what of the stored bytes goes. Nothing refers to it: it is marked; still so when its grace is over: it is collected, and from
 * then on nothing new may rest on it (GC-2). What is stored, and when, is told by whoever has looked (`leader/collector.ts`); what
 * refers to it is asked here, in the same step that decides, so GC-1 holds at that moment whatever has happened since.
 */
import type { Digest } from "../../protocol/id.ts";
import { mentionedIn } from "../collect/mention.ts";
import { referredTo } from "../collect/reference.ts";
import { retentionOf } from "../collect/default-retention.ts";
import type { Event } from "../format/event.ts";
import type { Collection, Part } from "../state/input.ts";
import { digestsOf, packOfId } from "../state/pack-id.ts";
import { mustGet, type Mark, type State } from "../state/state.ts";

/** Artifacts in one mark: they go together, in one event of some 20 KiB. */
export const markedTogetherMax = 256;

/** False where this batch takes no more: it is decided on again then, and goes on where it was. */
export function* collect(state: State, collection: Collection, at: number, isFull: () => boolean): Part {
  const { found, isLook, spared } = collection;
  const referred = referredTo({ state, at, retention: retentionOf(state) });
  const stays = (id: string) =>
    digestsOf(state, id).some((digest) => referred.has(digest) || spared.has(digest));
  for (const number of [...state.openMarks]) {
    if (isFull()) return false;
    const mark = mustGet(state.marks, number, "mark");
    if (mark.state === "marked") yield* endGrace(mark, stays, collection, { at, askedMs: graceOf(state) });
  }
  let together: Mark["artifacts"] = [];
  const mentioned = isLook ? mentionedIn(state) : new Set<Digest>();
  const isKnown = (id: string) => mentioned.has(id) || state.packs.has(packOfId(id) ?? -1);
  for (const { bytes, digest } of found) {
    if (stays(digest) || state.marked.has(digest) || isLeaving(state, digest)) continue;
    together.push(isKnown(digest) ? { digest, bytes } : { digest, bytes, orphan: true });
    if (together.length < markedTogetherMax) continue;
    yield marked(state, together, at);
    together = [];
    if (isFull()) return false;
  }
  if (together.length > 0) yield marked(state, together, at);
  if (isLook) yield looked(state);
  return true;
}

/** Collected, and its removal is still to be done. */
function isLeaving(state: State, digest: Digest): boolean {
  const mark = state.gone.get(digest);
  return mark !== undefined && state.openMarks.has(mark);
}

/** Its bytes are no longer there; no event where that is known. */
export function* noteRemoved(state: State, number: number): Generator<Event, void, void> {
  if (state.marks.get(number)?.state === "collected") yield { kind: "ArtifactsRemoved", mark: number };
}

function* endGrace(
  { artifacts, mark, until }: Mark,
  stays: (digest: Digest) => boolean,
  { before, mayCollect }: Collection,
  { askedMs, at }: { readonly at: number; readonly askedMs: number | null },
): Generator<Event, void, void> {
  const again = artifacts.flatMap(({ digest }) => (stays(digest) ? [digest] : []));
  const left = artifacts.length - again.length;
  if (again.length > 0) yield { kind: "ArtifactsUnmarked", mark, digests: again };
  if (left === 0) return;
  const due = askedMs === null ? until : Math.min(until, at + askedMs);
  if (due < until) yield { kind: "MarkHastened", mark, until: due };
  if (mayCollect && at >= due) yield { kind: "ArtifactsCollected", mark, before };
}

function marked(state: State, artifacts: Mark["artifacts"], at: number): Event {
  const graceMs = graceOf(state) ?? retentionOf(state).graceMs;
  return { kind: "ArtifactsMarked", mark: state.meta.nextMark ?? 1, until: at + graceMs, artifacts };
}

/** What somebody asked for instead of the grace that is set. */
function graceOf({ meta }: State): number | null {
  return meta.collection?.graceMs ?? null;
}

function looked(state: State): Event {
  let [artifacts, bytes] = [0, 0];
  for (const number of state.openMarks)
    for (const artifact of mustGet(state.marks, number, "mark").artifacts) {
      artifacts++;
      bytes += artifact.bytes;
    }
  return { kind: "CollectionLooked", artifacts, bytes };
}
