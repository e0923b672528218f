/**
 * Applies what is archived, and keeps in step which ended trials are in no archive. ARCHIVE-1: an ended trial that
 * was ever handed out is in exactly one archive, or waits for one.
 */
import type { EventOf } from "../format/event.ts";
import type { Archive, State, Trial } from "../state/state.ts";
import { noteBrought } from "./apply-artifact.ts";

/** A trial that has ended. One that nobody was given has said nothing. */
export function awaitArchive(state: State, { attempts, sweep, trial }: Trial): void {
  if (attempts.length === 0) return;
  const waiting = state.unarchived.get(sweep);
  if (waiting === undefined) state.unarchived.set(sweep, new Set([trial]));
  else waiting.add(trial);
}

/** After an archive was read, or made: what is derived of it. */
export function indexArchive(state: State, archive: Archive): void {
  state.archives.set(archive.archive, archive);
  const others = state.archivesOf.get(archive.sweep);
  if (others === undefined) state.archivesOf.set(archive.sweep, [archive.archive]);
  else others.push(archive.archive);
  const waiting = state.unarchived.get(archive.sweep);
  for (const trial of archive.trials)
    if (waiting?.delete(trial) !== true)
      throw new Error(`broken invariant: ${trial} does not wait for archive ${archive.archive}`);
  if (waiting?.size === 0) state.unarchived.delete(archive.sweep);
}

export function applyArchive(state: State, event: EventOf<"TrialsArchived">, at: number): void {
  const { archive, bytes, curves, curvesTo, logs, logsTo, sweep, trials } = event;
  // Whoever says so has seen to it that they are there.
  for (const digest of [curves, logs]) if (digest !== undefined) noteBrought(state, digest);
  const made: Archive = {
    ...{ archive, sweep, at, trials, bytes, curvesTo, logsTo },
    ...(curves === undefined ? null : { curves }),
    ...(logs === undefined ? null : { logs }),
  };
  indexArchive(state, made);
  state.meta.nextArchive = archive + 1;
  state.dirty.add(`archive/${archive}`);
}
