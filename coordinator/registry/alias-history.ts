/**
 * Where an alias may go back to. Its history is read as an editor's undo reads changes: putting it on a version adds to
 * what lies behind it, going back takes away. REG-3: going back twice goes back further, never to and fro.
 */
import { liveVersions } from "./live-version.ts";
import type { Model } from "../state/state.ts";

type AliasMove = Model["ledger"][number];

interface AliasHistory {
  /** How it came to where it points and to what lies behind that, the oldest first. */
  readonly arrivals: readonly AliasMove[];
  /** Versions it was rolled back from since it was last put on one. */
  readonly left: ReadonlySet<number>;
}

export interface StepBack {
  readonly version: number;
  /** The move away from it that is taken back. */
  readonly undone: AliasMove;
}

function historyOf(model: Model, alias: string): AliasHistory {
  let arrivals: AliasMove[] = [];
  const left = new Set<number>();
  for (const move of model.ledger) {
    if (move.alias !== alias) continue;
    const behind = arrivals.slice(0, -1).findLastIndex(({ to }) => to === move.to);
    if (move.kind === "rollback" && behind >= 0) {
      arrivals = arrivals.slice(0, behind + 1);
      if (move.from !== null) left.add(move.from);
    } else {
      // Older ledgers have rollbacks to where the alias had not been; those put it there, whatever they are called.
      arrivals.push(move);
      left.clear();
    }
  }
  return { arrivals, left };
}

/** Where `rollback` takes the alias when it is not told; null where nothing is left to go back to. */
export function stepBack(model: Model, alias: string): StepBack | null {
  const { arrivals, left } = historyOf(model, alias);
  const now = arrivals.at(-1)?.to;
  const live = new Set(liveVersions(model).map(({ version }) => version));
  const at = arrivals.findLastIndex(({ to }) => to !== now && !left.has(to) && live.has(to));
  return stepAt(arrivals, at);
}

/** As `stepBack`, to a version that was named; null where the alias does not have it behind it. */
export function stepBackTo(model: Model, alias: string, version: number): StepBack | null {
  const { arrivals } = historyOf(model, alias);
  return stepAt(
    arrivals,
    arrivals.slice(0, -1).findLastIndex(({ to }) => to === version),
  );
}

function stepAt(arrivals: readonly AliasMove[], at: number): StepBack | null {
  const [arrival, undone] = [arrivals[at], arrivals[at + 1]];
  return arrival === undefined || undone === undefined ? null : { version: arrival.to, undone };
}
