/** Journal and store give the state there is: replayed event by event, and loaded from its entities. */
import assert from "node:assert/strict";
import { apply } from "../../coordinator/core/apply.ts";
import { entityAt, loadState } from "../../coordinator/core/projection.ts";
import { eventSchema } from "../../coordinator/format/event.ts";
import { emptyState, type State } from "../../coordinator/state/state.ts";
import type { Fold } from "./fold.ts";
import { stateText } from "./state-text.ts";

/** What is derived and decides what comes next: it must not hang on how the state came about. */
function derivedText(state: State): string {
  const rungs = [...state.rungs].map(([sweep, of]) => [
    sweep,
    [...of]
      .map(([resource, ids]) => [resource, ids.toSorted()])
      .toSorted(([a], [b]) => Number(a) - Number(b)),
  ]);
  const queues = [...state.queues].map(([sweep, of]) => [
    sweep,
    [...of].flatMap(([model, queue]) => {
      const waiting = [...queue.waiting()];
      return waiting.length === 0 ? [] : [[model, waiting]];
    }),
  ]);
  const byName = <T>(entries: readonly T[]) => entries.map((one) => JSON.stringify(one)).toSorted();
  return JSON.stringify([
    byName([...state.open]),
    byName([...state.keys].map(([sweep, keys]) => [sweep, [...keys].toSorted()])),
    byName(rungs),
    byName(queues),
    byName([...state.going].map(([sweep, fences]) => [sweep, [...fences].toSorted((a, b) => a - b)])),
  ]);
}

export function assertSameEverywhere(fold: Fold): void {
  const replayed = emptyState();
  // As they stand in the journal: read by the journal's own schema.
  for (const { at, event } of fold.events)
    apply(replayed, eventSchema.parse(JSON.parse(JSON.stringify(event))), at);
  assert.equal(stateText(replayed), stateText(fold.state));
  const loaded = loadedState(fold);
  assert.equal(stateText(loaded), stateText(fold.state));
  assert.equal(derivedText(loaded), derivedText(fold.state));
}

/** As a coordinator that is started anew has it from its store. */
export function loadedState(fold: Fold): State {
  const entities = [...fold.state.dirty].flatMap((key) => {
    const entity = entityAt(fold.state, key);
    return entity === undefined ? [] : [[key, JSON.parse(JSON.stringify(entity)) as unknown] as const];
  });
  const sorted = entities.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return loadState((prefix) => sorted.filter(([key]) => key.startsWith(prefix)));
}
