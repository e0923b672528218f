/**
 * What each version said to the newest requests, until all that were to be asked have answered and the truth is told, or until newer requests push it
 * out. Answers come in any order, the truth before or after them.
 */
import type { HeardAnswer, KnownTruth } from "./heard-answer.ts";

export type RolloutRole = "incumbent" | "canary" | "shadow";

export interface RememberedAnswer {
  /** Of the whole request. */
  readonly rows: number;
  readonly heard: Record<RolloutRole, HeardAnswer | null>;
  truth: KnownTruth | null;
}

/** Requests; some hundred bytes each where they have a row, a kilobyte where they have as many as are compared. */
export const answersRememberedMax = 20_000;

export class AnswerMemory {
  readonly #answers = new Map<string, RememberedAnswer>();

  /** `id`: the part of an answer's id behind its version, alike for all who answer one request. */
  find(id: string): RememberedAnswer | null {
    return this.#answers.get(id) ?? null;
  }

  /** The same, made where it is not there. */
  take(id: string, rows: number): RememberedAnswer {
    const known = this.#answers.get(id);
    if (known !== undefined) return known;
    const made: RememberedAnswer = {
      rows,
      heard: { incumbent: null, canary: null, shadow: null },
      truth: null,
    };
    this.#answers.set(id, made);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= answersRememberedMax) break;
      this.#answers.delete(oldest);
    }
    return made;
  }

  clear(): void {
    this.#answers.clear();
  }
}
