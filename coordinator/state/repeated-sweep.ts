/**
 * REUSE-4: a sweep that was run before proposes what it proposed then: its trials are answered from the record, whatever order their
 * results came in. Here: which earlier sweep that is, and which of its trials is due. What becomes of it is `core/repeat-trial.ts`.
 */
import { trialId } from "../../protocol/id.ts";
import type { StoredSweepSpec } from "../format/stored-sweep.ts";
import { canonicalText, trialKey } from "./trial-key.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";

/** Everything that decides what a search proposes, but for results and for how many trials it may make. */
function searchText({ models, search }: StoredSweepSpec): string {
  return canonicalText([{ ...search, trials: null }, models]);
}

/**
 * The sweep on record that does the same work for the same search, the one with most results where there are several. Null: none,
 * or it is not to be looked for. `fingerprint`: of the new one.
 */
export function earlierOf(
  state: State,
  spec: StoredSweepSpec,
  fingerprint: number | undefined,
): Sweep | null {
  if (!spec.reuse || fingerprint === undefined || spec.search.method === "outside") return null;
  const text = searchText(spec);
  let best: Sweep | null = null;
  for (const sweep of state.sweeps.values()) {
    if (
      sweep.removed !== undefined ||
      sweep.fingerprint !== fingerprint ||
      sweep.proposed === 0 ||
      searchText(sweep.spec) !== text
    )
      continue;
    if (best === null || resultsOf(sweep) > resultsOf(best)) best = sweep;
  }
  return best;
}

function resultsOf({ counts }: Sweep): number {
  return counts.completed + counts.stopped;
}

/** The earlier sweep's trial that this one proposes next; null where it repeats none, or has gone its own way. */
export function dueOf(state: State, sweep: Sweep): { readonly earlier: Sweep; readonly trial: Trial } | null {
  if (sweep.repeats === undefined) return null;
  const earlier = mustGet(state.sweeps, sweep.repeats, "sweep");
  if (earlier.removed !== undefined || sweep.proposed >= earlier.proposed) return null;
  const nth = (of: Sweep, number: number) => mustGet(state.trials, trialId(of.sweep, number), "trial");
  // One that ran beside the earlier sweep and was ahead of it has proposed something else meanwhile.
  if (sweep.proposed > 0) {
    const [own, then] = [nth(sweep, sweep.proposed), nth(earlier, sweep.proposed)];
    if (keyOf(sweep, own) !== keyOf(sweep, then)) return null;
  }
  return { earlier, trial: nth(earlier, sweep.proposed + 1) };
}

function keyOf({ fingerprint }: Sweep, { model, params }: Trial): string {
  return trialKey(fingerprint, model, params);
}
