/**
 * What a trial of an earlier sweep answers to the same trial of a sweep that repeats it. Which sweep that is: `repeated-sweep.ts`;
 * what comes of the answer: `core/repeat-trial.ts`.
 *
 * REUSE-5: a failure is an answer where the machine was not to blame: its agent finished another trial of the model in that sweep.
 */
import { targetReached } from "./objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";
import { trialsOf } from "./trials-of.ts";

export type EarlierAnswer =
  | { readonly kind: "result" }
  | { readonly kind: "failed"; readonly origin: Trial }
  /** Another had what the sweep was after. */
  | { readonly kind: "cancelled" };

/** Null: it has none, and is to be run. `trials`: how many the repeating sweep makes. */
export function answerOf(state: State, earlier: Sweep, then: Trial, trials: number): EarlierAnswer | null {
  if (state.records.has(then.key)) return { kind: "result" };
  const origin = failureOf(state, earlier, then);
  if (origin !== null) return { kind: "failed", origin };
  return wasCancelledWell(state, earlier, then, trials) ? { kind: "cancelled" } : null;
}

function failureOf(state: State, earlier: Sweep, then: Trial): Trial | null {
  const origin = then.reusedFrom === null ? then : mustGet(state.trials, then.reusedFrom, "trial");
  const last = origin.attempts.at(-1);
  if (then.state !== "failed" || origin.state !== "failed" || last?.ending !== "failed") return null;
  const sweep = mustGet(state.sweeps, origin.sweep, "sweep");
  if (earlier.finishedAt === null || sweep.finishedAt === null || sweep.removed !== undefined) return null;
  return finishersIn(state, sweep).has(`${origin.model}/${last.agent}`) ? origin : null;
}

/** Nothing of a finished sweep changes until it is extended: looked through once. A memory, not a part of the state. */
const finishers = new WeakMap<Sweep, { readonly proposed: number; readonly found: ReadonlySet<string> }>();

/** Model and agent of every attempt that reached what it was to reach. */
function finishersIn(state: State, sweep: Sweep): ReadonlySet<string> {
  let known = finishers.get(sweep);
  if (known?.proposed !== sweep.proposed) {
    const made = new Set<string>();
    for (const { attempts, model } of trialsOf(state, sweep))
      for (const { agent, ending } of attempts) if (ending === "finished") made.add(`${model}/${agent}`);
    known = { proposed: sweep.proposed, found: made };
    finishers.set(sweep, known);
  }
  return known.found;
}

/** It was no longer needed, for another had reached the target: which the repeating sweep comes to as well. */
function wasCancelledWell(state: State, earlier: Sweep, then: Trial, trials: number): boolean {
  if (then.state !== "cancelled" || earlier.state !== "done" || !targetReached(earlier)) return false;
  const best = earlier.best === null ? undefined : state.trials.get(earlier.best.trial);
  return best !== undefined && best.number <= trials;
}
