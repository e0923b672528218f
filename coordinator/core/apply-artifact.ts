/** Applies the events of pins, marks and their ends, and keeps in step what is derived of them: which digest is marked, which is gone. */
import type { Digest } from "../../protocol/id.ts";
import type { Event, EventOf } from "../format/event.ts";
import { packOfId } from "../state/pack-id.ts";
import { mustGet, type Mark, type State } from "../state/state.ts";

export type ArtifactEvent = Extract<
  Event,
  {
    kind:
      | "ArtifactPinned"
      | "ArtifactUnpinned"
      | "RetentionSet"
      | "CollectionAsked"
      | "CollectionLooked"
      | "ArtifactsMarked"
      | "MarkHastened"
      | "ArtifactsUnmarked"
      | "ArtifactsCollected"
      | "ArtifactsRemoved";
  }
>;

export function applyArtifact(state: State, event: ArtifactEvent, at: number): void {
  switch (event.kind) {
    case "ArtifactPinned": {
      const { by, digest, until, why } = event;
      state.pins.set(digest, { digest, by, why, at, ...(until === undefined ? null : { until }) });
      state.dirty.add(`pin/${digest}`);
      return noteBrought(state, digest);
    }
    case "ArtifactUnpinned":
      state.pins.delete(event.digest);
      state.dirty.add(`pin/${event.digest}`);
      return;
    case "RetentionSet":
      state.meta.retention = event.retention;
      return;
    case "CollectionAsked": {
      const { by, graceMs } = event;
      state.meta.collection = { by, at, ...(graceMs === undefined ? null : { graceMs }) };
      return;
    }
    case "CollectionLooked":
      delete state.meta.collection;
      state.meta.looked = { at, artifacts: event.artifacts, bytes: event.bytes };
      return;
    case "ArtifactsMarked":
      return addMark(state, event, at);
    case "MarkHastened":
      markOf(state, event.mark).until = event.until;
      return;
    case "ArtifactsUnmarked": {
      const spared = new Set(event.digests);
      for (const digest of spared) state.marked.delete(digest);
      return keepOfMark(state, markOf(state, event.mark), ({ digest }) => !spared.has(digest));
    }
    case "ArtifactsCollected": {
      const mark = markOf(state, event.mark);
      mark.state = "collected";
      mark.before = event.before;
      mark.artifacts = onceEach(
        mark.artifacts.flatMap((artifact) => [artifact, ...unpack(state, artifact.digest)]),
      );
      for (const { digest } of mark.artifacts) {
        // What had gone by itself before has lain in the pack since.
        const known = state.gone.get(digest) ?? state.marked.get(digest) ?? mark.mark;
        if (known !== mark.mark) noteBrought(state, digest);
        state.marked.delete(digest);
        state.gone.set(digest, mark.mark);
      }
      return;
    }
    case "ArtifactsRemoved":
      return endMark(state, markOf(state, event.mark));
  }
}

/**
 * Somebody has brought these bytes, and says so in what is applied: they are neither gone nor about to go. Where their removal is
 * still to be done, it is whoever removes that leaves them out.
 */
export function noteBrought(state: State, digest: Digest): void {
  const number = state.gone.get(digest) ?? state.marked.get(digest);
  if (number === undefined) return;
  state.gone.delete(digest);
  state.marked.delete(digest);
  keepOfMark(state, markOf(state, number), (artifact) => artifact.digest !== digest);
}

/** After a mark was read or changed: what is derived of it. */
export function indexMark(state: State, mark: Mark): void {
  const into = mark.state === "marked" ? state.marked : state.gone;
  for (const { digest } of mark.artifacts) into.set(digest, mark.mark);
  if (mark.state === "removed") state.openMarks.delete(mark.mark);
  else state.openMarks.add(mark.mark);
}

function addMark(state: State, event: EventOf<"ArtifactsMarked">, at: number): void {
  const { artifacts, until } = event;
  const mark: Mark = { mark: event.mark, at, until, state: "marked", artifacts };
  // What has gone once and was stored again goes again.
  for (const { digest } of artifacts) noteBrought(state, digest);
  state.marks.set(mark.mark, mark);
  state.meta.nextMark = mark.mark + 1;
  state.dirty.add(`mark/${mark.mark}`);
  indexMark(state, mark);
}

/** A pack is no place any more for what lay in it. */
function unpack(state: State, id: string): Mark["artifacts"] {
  const number = packOfId(id);
  const pack = number === null ? undefined : state.packs.get(number);
  if (number === null || pack === undefined) return [];
  state.packs.delete(number);
  state.dirty.add(id);
  for (const digest of pack.digests) state.packed.delete(digest);
  return pack.digests.map((digest) => ({ digest, bytes: 0 }));
}

/** Bytes that lay by themselves may lie in a pack too, and in several. */
function onceEach(artifacts: Mark["artifacts"]): Mark["artifacts"] {
  const seen = new Set<Digest>();
  return artifacts.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}

/** What nobody speaks of is forgotten with it. */
function endMark(state: State, mark: Mark): void {
  const isForgotten = ({ digest, orphan }: Mark["artifacts"][number]) =>
    orphan === true || packOfId(digest) !== null;
  mark.state = "removed";
  state.openMarks.delete(mark.mark);
  for (const artifact of mark.artifacts) if (isForgotten(artifact)) state.gone.delete(artifact.digest);
  keepOfMark(state, mark, (artifact) => !isForgotten(artifact));
}

function keepOfMark(
  state: State,
  mark: Mark,
  isKept: (artifact: Mark["artifacts"][number]) => boolean,
): void {
  mark.artifacts = mark.artifacts.filter(isKept);
  state.dirty.add(`mark/${mark.mark}`);
  if (mark.artifacts.length > 0) return;
  state.marks.delete(mark.mark);
  state.openMarks.delete(mark.mark);
}

function markOf(state: State, mark: number): Mark {
  state.dirty.add(`mark/${mark}`);
  return mustGet(state.marks, mark, "mark");
}
