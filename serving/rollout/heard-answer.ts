/**
 * What is kept of an answer to compare it with another's to the same rows, and how two compare: the most probable label of each row, or the
 * number; or that there was none, and whose fault that was. Only the first rows of a large request are kept.
 */
import { bestOf } from "../protocol/best-label.ts";
import type { Answers } from "../model/served-model.ts";
import type { Reading } from "../protocol/http-refusal.ts";

/** `failed`: the model threw, or gave no finite numbers. `refused`: the rows do not fit, it says. */
export type HeardAnswer =
  | { readonly kind: "labels"; readonly best: readonly number[] }
  | { readonly kind: "values"; readonly values: readonly number[] }
  | { readonly kind: "failed" | "refused" };

/** A truth, of each of the rows that were asked: an index of a label, or a number. */
export type KnownTruth = readonly number[];

/** Of one request. */
export const comparedRowsMax = 32;
/** Numbers are the same where they differ by no more, of the larger one. */
const sameWithin = 0.05;
const sameAbsolute = 1e-6;

/** Null where nothing follows from it for the model: it was asked too much, or the server was about to end. `labels`: how many there are. */
export function hearAnswer(answer: Reading<Answers>, rows: number, labels: number): HeardAnswer | null {
  if (!answer.ok) {
    const { status } = answer.down;
    if (status === 429 || status === 503) return null;
    return { kind: status >= 500 ? "failed" : "refused" };
  }
  const { value } = answer;
  const kept = Math.min(rows, comparedRowsMax);
  if (value.kind === "values") return { kind: "values", values: [...value.values.subarray(0, kept)] };
  return {
    kind: "labels",
    best: Array.from({ length: kept }, (_, row) => bestOf(value.probabilities, row, labels)),
  };
}

/** 1 where the first answered and the second did not, -1 the other way round; rows that both refuse are the caller's fault. */
export function failedMore(first: HeardAnswer, second: HeardAnswer): -1 | 0 | 1 {
  const [one, other] = [isAnswer(first), isAnswer(second)];
  if (one === other) return 0;
  return one ? 1 : -1;
}

export function isAnswer(heard: HeardAnswer): boolean {
  return heard.kind === "labels" || heard.kind === "values";
}

/** The share of the rows, 0 to 1, that the two answered differently; null where one gave no answer. */
export function disagreement(first: HeardAnswer, second: HeardAnswer): number | null {
  if (first.kind === "labels" && second.kind === "labels")
    return meanOf(first.best, (best, row) => (best === second.best[row] ? 0 : 1));
  if (first.kind === "values" && second.kind === "values")
    return meanOf(first.values, (value, row) => (isSame(value, second.values[row] ?? NaN) ? 0 : 1));
  return null;
}

/** How much of the rows, 0 to 1, each of the two got right; of numbers: was the closer one at, ties for both. */
export function rightShares(
  first: HeardAnswer,
  second: HeardAnswer,
  truth: KnownTruth,
): readonly [number, number] {
  return [rightShare(first, second, truth), rightShare(second, first, truth)];
}

function rightShare(heard: HeardAnswer, other: HeardAnswer, truth: KnownTruth): number {
  switch (heard.kind) {
    case "labels":
      return meanOf(heard.best, (best, row) => (best === truth[row] ? 1 : 0));
    case "values": {
      const others = other.kind === "values" ? other.values : [];
      return meanOf(heard.values, (value, row) =>
        distance(value, truth[row]) <= distance(others[row], truth[row]) ? 1 : 0,
      );
    }
    case "failed":
    case "refused":
      return 0;
  }
}

function distance(value: number | undefined, truth: number | undefined): number {
  return value === undefined || truth === undefined ? Infinity : Math.abs(value - truth);
}

function isSame(a: number, b: number): boolean {
  return Math.abs(a - b) <= sameAbsolute + sameWithin * Math.max(Math.abs(a), Math.abs(b));
}

function meanOf(values: readonly number[], of: (value: number, row: number) => number): number {
  return values.length === 0
    ? 0
    : values.reduce((sum, value, row) => sum + of(value, row), 0) / values.length;
}
