/**
 * Asks samplers that learn for the next trials of sweeps that want some, one question per sweep at a time, and hands the
 * answers to the loop as inputs. Keeps nothing that matters: after a restart the state says again what is wanted.
 */
import { errorSentence } from "../../protocol/error-sentence.ts";
import { historyOf } from "../state/history.ts";
import type { Proposals } from "../state/input.ts";
import { wantsMore } from "../core/propose.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";
import type { Answer } from "../../search/sampler/ask.ts";
import { jointProblem, splitParams } from "../../search/sampler/joint-space.ts";
import type { Question, SamplerWorker } from "../../search/choose/sampler-worker-port.ts";

export interface ProposerOptions {
  readonly state: State;
  readonly sampler: SamplerWorker;
  /** Hands the answer to the loop; called between its batches or while none runs. */
  readonly submit: (proposals: Proposals) => void;
  readonly log: (line: string) => void;
}

export class Proposer {
  readonly #options: ProposerOptions;
  /** Sweeps whose question is on its way. */
  readonly #asked = new Set<string>();
  #closed = false;

  constructor(options: ProposerOptions) {
    this.#options = options;
  }

  /** To be called when the state holds only what is durable. */
  look(): void {
    const { state } = this.#options;
    for (const id of state.wanting) {
      const sweep = mustGet(state.sweeps, id, "sweep");
      if (!this.#asked.has(id) && wantsMore(sweep)) void this.#ask(sweep);
    }
  }

  close(): void {
    this.#closed = true;
  }

  async #ask(sweep: Sweep): Promise<void> {
    const { log, state, submit, sampler } = this.#options;
    const id = sweep.sweep;
    this.#asked.add(id);
    const question = questionFor(state, sweep);
    const basis = sweep.proposed;
    const answer = await answerOf(sampler, question).catch((error: unknown) => {
      log(`${id}: no proposal: ${errorSentence(error)}`);
      return null;
    });
    this.#asked.delete(id);
    // Without an answer it is asked again at the next look.
    if (this.#closed || answer === null) return;
    submit(proposalsFrom(sweep, basis, answer));
  }
}

/** A search that broke must not stop its sweep: this once random search proposes, and the sweep says so. */
async function answerOf(sampler: SamplerWorker, question: Question): Promise<Answer> {
  try {
    return await sampler.propose(question);
  } catch (error) {
    const why = errorSentence(error);
    const answer = await sampler.propose({ ...question, method: "random" });
    return { ...answer, note: `random fallback, for ${question.method} failed: ${why}` };
  }
}

export function questionFor(state: State, sweep: Sweep): Question {
  return {
    method: sweep.spec.search.method,
    problem: jointProblem(sweep.spec),
    position: sweep.draws,
    count: sweep.spec.models.length - sweep.counts.queued,
    history: historyOf(state, sweep),
  };
}

/** The answer as an input of the loop. `basis`: trials the sweep had proposed when it was asked. */
export function proposalsFrom(sweep: Sweep, basis: number, answer: Answer): Proposals {
  const { note, position } = answer;
  const suggestions = answer.suggestions.map(({ params, parent }) => ({
    ...splitParams(sweep.spec, params),
    parent,
  }));
  return { sweep: sweep.sweep, basis, suggestions, position, note };
}
