/**
 * Notices when what a Python has installed changes, by the times of the folders it lies in, and asks it again then. An installation
 * that is under way is let finish: it is asked once nothing has changed between two looks.
 */
import { stat } from "node:fs/promises";
import type { Clock } from "../../protocol/time/clock.ts";
import type { PythonAnswer, PythonFacts, Watched } from "./ask-python.ts";

export interface PythonWatchOptions {
  readonly first: PythonAnswer;
  readonly ask: () => Promise<PythonAnswer>;
  readonly clock: Clock;
  readonly onChange: (facts: PythonFacts) => void;
  /** When that was changed, as `Watched` tells it. */
  readonly changedAt?: (path: string) => Promise<string | null>;
}

const lookEveryMs = 2_000;
/** One that did not answer, or is not there yet. */
const askAgainMs = 60_000;

/** NEED-6: tells of a change once it is over. What it gives is to be called where it is watched no longer. */
export function watchPython(options: PythonWatchOptions): () => void {
  const { ask, changedAt = systemChangedAt, clock, first, onChange } = options;
  let answer = first;
  let askedAt = clock.monotonic();
  let before = textOf(first.watched);
  let closed = false;

  const look = async (): Promise<void> => {
    const isDue = answer.watched.length === 0 && clock.monotonic() - askedAt >= askAgainMs;
    const seen = await Promise.all(
      answer.watched.map(async ({ path }) => ({ path, changed: await changedAt(path) })),
    );
    const now = textOf(seen);
    const hasSettled = now === before && now !== textOf(answer.watched);
    before = now;
    if (!isDue && !hasSettled) return;
    const known = JSON.stringify(answer.facts);
    const again = await ask();
    // A machine that is too busy to answer has lost nothing.
    answer = again.late ? { ...answer, watched: [] } : again;
    askedAt = clock.monotonic();
    before = textOf(answer.watched);
    if (!closed && JSON.stringify(answer.facts) !== known) onChange(answer.facts);
  };
  const next = (): void => {
    clock.setTimer(lookEveryMs, () => {
      if (!closed) void look().finally(next);
    });
  };
  next();
  return () => {
    closed = true;
  };
}

function textOf(watched: readonly Watched[]): string {
  return JSON.stringify(watched.map(({ changed, path }) => [path, changed]));
}

async function systemChangedAt(path: string): Promise<string | null> {
  try {
    return String((await stat(path, { bigint: true })).mtimeNs);
  } catch {
    return null;
  }
}
