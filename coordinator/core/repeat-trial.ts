/**
 * Makes a trial of an earlier sweep one of the sweep that repeats it, with the outcome it had then. What has none that counts is
 * tried again, from the checkpoint it left. Which sweep and which outcome: `state/repeated-sweep.ts`, `state/repeated-trial.ts`.
 */
import type { Event } from "../format/event.ts";
import { learns } from "../../search/choose/choose-sampler.ts";
import { dueOf } from "../state/repeated-sweep.ts";
import { answerOf } from "../state/repeated-trial.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";
import { promote } from "./judge.ts";
import { trialFinished, trialReused } from "./outcome-fact.ts";
import { proposeTrial } from "./propose-trial.ts";

/** True where a trial was answered, false where one now waits to be run; null where there is none to repeat. */
export function* repeatNext(state: State, sweep: Sweep): Generator<Event, boolean | null, void> {
  const due = dueOf(state, sweep);
  if (due === null) return null;
  const { earlier, trial: then } = due;
  if (sweep.proposed === 0 && learns(sweep.spec.search.method)) {
    const note = `the trials of ${earlier.sweep} again, which was the same sweep`;
    yield { kind: "SearchNoted", sweep: sweep.sweep, note };
  }
  const isLast = sweep.proposed + 1 === earlier.proposed;
  const parent = then.parent === null ? null : mustGet(state.trials, then.parent, "trial").number;
  const { key, model, params } = then;
  const draws = isLast ? Math.max(sweep.draws + 1, earlier.draws) : sweep.draws + 1;
  const made = yield* proposeTrial(state, sweep, { model, params, parent, draws, recordedKey: key });
  if (made === null) return true;
  const answer = answerOf(state, earlier, then, sweep.total);
  if (answer?.kind === "failed") {
    const { origin } = answer;
    yield trialReused(made, origin);
    yield trialFinished(state, made, "failed", `failed as ${origin.trial} did: ${origin.failure ?? ""}`);
    yield* promote(state, sweep);
    return true;
  }
  if (answer?.kind !== "cancelled") return false;
  yield trialFinished(state, made, "cancelled", `cancelled as ${then.trial} was`);
  return true;
}
