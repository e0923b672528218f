/**
 * What of a sweep the record will answer, before it is launched: the trials of the earlier sweep it repeats, or the points of a
 * sequence, which is drawn to see. What a search that learns will propose beyond that nobody knows.
 */
import { learns, samplerFor } from "../../search/choose/choose-sampler.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { trialId } from "../../protocol/id.ts";
import { earlierOf } from "../state/repeated-sweep.ts";
import { answerOf } from "../state/repeated-trial.ts";
import { mustGet, type State } from "../state/state.ts";
import { fingerprintText, trialKey } from "../state/trial-key.ts";

/** More trials than this are not looked up one by one: the rest is taken to be as they are. */
const lookedUpMax = 2_000;

/** Of the trials of each model, the share that is answered for nothing, 0 to 1. */
export type ShareOnRecord = ReadonlyMap<string, number>;

/** `trials`: that the sweep will make. */
export function shareOnRecord(state: State, spec: SweepSpec, trials: number): ShareOnRecord {
  const fingerprint = state.fingerprints.get(fingerprintText(spec));
  if (!spec.reuse || fingerprint === undefined || spec.search.method === "outside") return new Map();
  const earlier = earlierOf(state, spec, fingerprint);
  const count = new Tally();
  const wanted = Math.min(trials, lookedUpMax);
  const isAnswered = (number: number): boolean => {
    if (earlier === null || number > earlier.proposed) return false;
    const then = mustGet(state.trials, trialId(earlier.sweep, number), "trial");
    return answerOf(state, earlier, then, trials) !== null;
  };
  if (learns(spec.search.method)) {
    // The models of what is not known yet take turns.
    const models = spec.models.map(({ model }) => model);
    for (let number = 1; number <= wanted; number++) {
      const then = earlier === null ? undefined : state.trials.get(trialId(earlier.sweep, number));
      count.add(then?.model ?? models[number % models.length] ?? "", isAnswered(number));
    }
    return count.shares();
  }
  for (const { key, model } of drawn(spec, fingerprint, wanted))
    count.add(model, isAnswered(count.all + 1) || state.records.has(key));
  return count.shares();
}

function* drawn(spec: SweepSpec, fingerprint: number, wanted: number) {
  const sampler = samplerFor(spec);
  const keys = new Set<string>();
  let draws = 0;
  while (keys.size < wanted) {
    const proposal = sampler.propose(draws, (model, params) =>
      keys.has(trialKey(fingerprint, model, params)),
    );
    if (proposal === null) return;
    const { model } = proposal;
    const key = trialKey(fingerprint, model, proposal.params);
    keys.add(key);
    yield { key, model };
    ({ draws } = proposal);
  }
}

class Tally {
  readonly #of = new Map<string, { all: number; known: number }>();
  all = 0;

  add(model: string, isKnown: boolean): void {
    const of = this.#of.get(model) ?? { all: 0, known: 0 };
    of.all++;
    if (isKnown) of.known++;
    this.#of.set(model, of);
    this.all++;
  }

  shares(): ShareOnRecord {
    return new Map([...this.#of].map(([model, { all, known }]) => [model, known / all]));
  }
}
