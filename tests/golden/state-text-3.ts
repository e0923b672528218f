/**
 * The whole state as one text, as version 3 of the projection had it: what stands in golden home 1 was made with that. Frozen: an
 * entity that changes its shape is put back into the old one here, so that the digest of an old journal is compared for ever.
 */
import type { LedgerLine, State, Sweep, Trial } from "../../coordinator/state/state.ts";

export function stateText3(state: State): string {
  const { nextFingerprint, nextOrder, ...meta } = state.meta;
  return JSON.stringify([
    { ...meta, nextRecipe: nextFingerprint, nextOrder },
    byKey(state.accounts),
    byKey(state.ledgers).map(([requester, lines]) => [requester, lines.map(line3)]),
    byKey(state.agents).map(([name, { earlier: _earlier, ...agent }]) => [name, agent]),
    byKey(state.sweeps).map(([id, sweep]) => [id, sweep3(sweep)]),
    byKey(state.trials).map(([id, trial]) => [id, trial3(trial)]),
    byKey(state.datasets),
    byKey(state.models),
    byKey(state.fingerprints),
    byKey(state.costs),
    byKey(state.commands).map(([key, { value }]) => [key, value]),
    [...state.active].toSorted(([a], [b]) => a - b),
    byKey(state.records),
  ]);
}

function byKey<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function sweep3({
  epochs: _epochs,
  fingerprint,
  requester,
  restarts: _restarts,
  spec,
  sweep,
  warmStart,
  ...rest
}: Sweep) {
  return { sweep, requester, spec, recipe: fingerprint, kin: warmStart, ...rest };
}

/** Nothing was metered then, and starting not told from training. */
function trial3(trial: Trial) {
  const withoutMeter = (attempt: Trial["attempts"][number]) =>
    Object.fromEntries(Object.entries(attempt).filter(([name]) => name !== "meter" && name !== "epochs"));
  return { ...trial, attempts: trial.attempts.map(withoutMeter) };
}

function line3({ lease, ...line }: LedgerLine) {
  const { agent, amount, at, fence, granted, kind, pending, posted, trial } = line;
  const note = line.note === "" ? noteOf(kind, lease) : line.note;
  return { trial, fence, agent, at, kind, amount, note, granted, posted, pending };
}

function noteOf(kind: LedgerLine["kind"], lease: LedgerLine["lease"]): string {
  if (lease !== null) return `${Math.round(lease.horizonMs)} ms at ${lease.rate.toFixed(2)} tokens/s`;
  if (kind === "refill") return "refill";
  return kind === "extend" ? "horizon extended" : "not used";
}
