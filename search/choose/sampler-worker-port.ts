/**
 * Who works out proposals that need the history. A fit takes tens of milliseconds, so the coordinator's loop never does it:
 * it hands over a question that is plain data, goes on, and gets the answer as an input like any other.
 */
import type { SweepSpec } from "../../protocol/sweep.ts";
import { keyOf } from "../space/active.ts";
import type { Answer, SearchProblem, Observation } from "../sampler/ask.ts";
import { samplerNamed } from "./choose-sampler.ts";

/** What a sampler is asked, as data that can go to another thread. */
export interface Question {
  readonly method: SweepSpec["search"]["method"];
  readonly problem: SearchProblem;
  readonly position: number;
  readonly count: number;
  readonly history: readonly Observation[];
}

export interface SamplerWorker {
  /** Rejects where the sampler broke; the same question would break it again. */
  propose(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

/** The answer, here and now. */
export function answerTo({ count, history, method, position, problem }: Question): Answer {
  const sampler = samplerNamed(method);
  if (sampler === null) throw new Error(`there is no sampler ${method}`);
  const known = new Set(history.map(({ params }) => keyOf(params)));
  const isKnown = (params: Observation["params"]) => known.has(keyOf(params));
  return sampler.ask({ problem, position, count, history: () => history, isKnown });
}
