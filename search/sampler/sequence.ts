/**
 * Proposals from a fixed sequence of points, one per position: what repeats a trial or breaks a constraint is skipped.
 * The sequence itself (random numbers, Sobol points) comes from the sampler.
 */
import type { Params } from "../../protocol/value.ts";
import { keyOf } from "../space/active.ts";
import { allowed } from "./admit.ts";
import type { Answer, Ask, Suggestion } from "./ask.ts";
import { leftover } from "./leftover.ts";
import { randomStream } from "../space/random-stream.ts";

/** After so many known trials in a row the draws are given up and the space is gone through instead. */
const repeatsMax = 256;
/** After so many points in a row that break a constraint the search ends. */
const brokenMax = 4096;

/** `paramsAt` gives the sequence's trial at a position, the same every time. */
export function askSequence(ask: Ask, purpose: string, paramsAt: (position: number) => Params): Answer {
  const { count, isKnown, problem } = ask;
  const suggestions: Suggestion[] = [];
  const given = new Set<string>();
  const known = (params: Params) => given.has(keyOf(params)) || isKnown(params);
  let position = ask.position;
  while (suggestions.length < count) {
    let found: Params | null = null;
    let repeats = 0;
    let broken = 0;
    while (found === null && repeats < repeatsMax && broken < brokenMax) {
      const params = paramsAt(position);
      position++;
      if (!allowed(problem, params)) broken++;
      else if (known(params)) repeats++;
      else found = params;
    }
    found ??= leftover(problem, randomStream(problem.seed, `${purpose}/leftover`, position), known);
    if (found === null) break;
    given.add(keyOf(found));
    suggestions.push({ params: found, parent: null });
  }
  return { suggestions, position, note: null };
}
