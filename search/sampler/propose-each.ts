/**
 * The frame of samplers that learn: one proposal after the other, each with its own random stream by position, each
 * seeing the ones before it as pending. A sampler that only repeats itself is helped out by random draws, and those by
 * going through what is left of the space.
 */
import type { Params } from "../../protocol/value.ts";
import { keyOf } from "../space/active.ts";
import { admit, allowed } from "./admit.ts";
import type { Answer, Ask, SearchProblem, Suggestion, Observation } from "./ask.ts";
import { leftover } from "./leftover.ts";
import { drawParams } from "./random.ts";
import { randomStream, type RandomStream } from "../space/random-stream.ts";

/** So often a sampler may come up with something that cannot be proposed. */
const triesMax = 8;
const repeatsMax = 64;
const brokenMax = 4096;

export interface Turn {
  readonly random: RandomStream;
  readonly position: number;
  /** The history by number, and behind it what this call has proposed already, pending. */
  readonly history: readonly Observation[];
  /** True for parameters that may be proposed now. */
  readonly admits: (params: Params) => boolean;
}

/** `begin` looks at the history once per proposal; what it returns is called until something comes out that may be proposed. */
export function proposeEach(
  ask: Ask,
  purpose: string,
  begin: (turn: Turn) => () => Suggestion | null,
  note: string | null = null,
): Answer {
  const { isKnown, problem } = ask;
  const history = ask.history().toSorted((a, b) => a.number - b.number);
  const suggestions: Suggestion[] = [];
  const given = new Set<string>();
  const known = (params: Params) => given.has(keyOf(params)) || isKnown(params);
  const admits = (params: Params) => admit(problem, params, known);
  let position = ask.position;
  while (suggestions.length < ask.count) {
    const random = randomStream(problem.seed, purpose, position);
    const suggest = begin({ random, position, history, admits });
    let found: Suggestion | null = null;
    for (let attempt = 0; attempt < triesMax && found === null; attempt++) {
      const suggestion = suggest();
      if (suggestion !== null && admits(suggestion.params)) found = suggestion;
    }
    if (found === null) {
      const params = drawAdmitted(problem, random, known);
      if (params === null) break;
      found = { params, parent: null };
    }
    position++;
    given.add(keyOf(found.params));
    suggestions.push(found);
    history.push(asPending(found.params, (history.at(-1)?.number ?? 0) + 1));
  }
  return { suggestions, position, note };
}

/** A random trial nobody has proposed, or null where none is found. */
export function drawAdmitted(
  problem: SearchProblem,
  random: RandomStream,
  isKnown: (params: Params) => boolean,
): Params | null {
  let repeats = 0;
  let broken = 0;
  while (repeats < repeatsMax && broken < brokenMax) {
    const params = drawParams(problem, random);
    if (!allowed(problem, params)) broken++;
    else if (isKnown(params)) repeats++;
    else return params;
  }
  return leftover(problem, random, isKnown);
}

function asPending(params: Params, number: number): Observation {
  return { number, params, state: "pending", values: null, resource: 0, rungs: [] };
}
