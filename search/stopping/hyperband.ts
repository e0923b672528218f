/**
 * Hyperband (Li et al. 2018): trials are spread over brackets that start judging at different lengths, so that no
 * one has to know how early a curve can be trusted. Each bracket halves asynchronously and promotes as
 * `asha.ts` does. BOHB (Falkner et al. 2018) is the same with a sampler that learns; that is the sampler's business.
 */
import { halvingPromotable, halvingVerdict, orderedHalving } from "./asha.ts";
import { bracketTurns, hyperbandBrackets } from "./bracket.ts";
import type { RungEntry, StoppingPolicy } from "./stopping-policy.ts";

export function hyperbandPolicy(min: number, max: number, eta: number): StoppingPolicy {
  const brackets = hyperbandBrackets(min, max, eta);
  const bracketOf = bracketTurns(brackets);
  const among = (entries: readonly RungEntry[], bracket: number) =>
    entries.filter((entry) => bracketOf(entry.number) === bracket);
  return {
    rungs: [...new Set(brackets.flatMap(({ rungs }) => rungs))].sort((a, b) => a - b),
    rungsOf: (number) => brackets[bracketOf(number)]?.rungs ?? [max],
    verdict: ({ entries, trial }) => halvingVerdict(among(entries, bracketOf(trial.number)), eta, trial),
    promotable: (entries) =>
      brackets.flatMap((_, bracket) => halvingPromotable(among(entries, bracket), eta)),
    ordered: orderedHalving(eta, brackets.length, bracketOf),
  };
}
