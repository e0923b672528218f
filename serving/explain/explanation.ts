/**
 * Why a model that adds things up gave an answer: its score is a base and a sum of parts, each the part of a word, a phrase or a
 * column. Not what would have changed the answer, and not whether the model is right.
 */
import type { TransformedRows } from "../transform/transform.ts";

export interface ExplainedPart {
  /** A word with its pieces, a phrase, or a column as it is named in the dataset. */
  readonly part: string;
  /** What it adds to the score. */
  readonly contribution: number;
}

export interface Explanation {
  /** Of the label that is explained, before scores become probabilities; or the number itself. */
  readonly score: number;
  /** The score of a row without any part. */
  readonly base: number;
  /** Those that add or take most first; with the base they add up to the score. */
  readonly parts: readonly ExplainedPart[];
}

export interface Explainer {
  /** Of a row of those that are transformed. `output`: the label's index; 0 where a number is predicted. */
  explain(rows: TransformedRows, row: number, output: number): Explanation;
}

/** Parts of the same name are one. */
export function explanationOf(base: number, sums: ReadonlyMap<string, number>): Explanation {
  const parts = [...sums].map(([part, contribution]) => ({ part, contribution }));
  const score = parts.reduce((sum, { contribution }) => sum + contribution, base);
  return {
    score,
    base,
    parts: parts.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution)),
  };
}
