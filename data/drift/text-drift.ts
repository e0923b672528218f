/**
 * Whether a model can tell the texts of one dataset from those of another: the AUC of a domain classifier whose guesses
 * are out of fold. Texts that stand in both are in one fold, so that knowing them by heart is of no use.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { outOfFold } from "../quality/out-of-fold.ts";
import { tokenHash, tokensOf } from "../quality/word-token.ts";
import { rocAuc } from "./roc-auc.ts";

export const aucThreshold = 0.55;
/** Rows of each side that are looked at, drawn by a hash of the text. */
export const textRowsMost = 10_000;
const folds = 5;
const seed = 1;
const wordsListed = 20;
/** Fewer rows on a side than this tell nothing. */
const rowsLeast = 20;

export const textDriftSchema = z.strictObject({
  rows: z.strictObject({ a: z.int().nonnegative(), b: z.int().nonnegative() }),
  /** In [0, 1]: 0.5 where the sides cannot be told apart; null for fewer than 20 rows on a side. */
  auc: z.number().nullable(),
  threshold: z.number(),
  drifted: z.boolean(),
  /** Words that tell the sides apart, strongest first: the share of the texts that hold them. */
  words: storedList(z.strictObject({ word: storedText, a: z.number(), b: z.number() })),
});
export type TextDrift = z.infer<typeof textDriftSchema>;

export function textDrift(allA: readonly string[], allB: readonly string[]): TextDrift {
  const [a, b] = [drawn(allA), drawn(allB)];
  const rows = { a: a.length, b: b.length };
  if (a.length < rowsLeast || b.length < rowsLeast) {
    return { rows, auc: null, threshold: aucThreshold, drifted: false, words: [] };
  }
  const side = new Int32Array(a.length + b.length).fill(1, a.length);
  const probabilities = outOfFold([...a, ...b], side, 2, { folds, seed });
  const auc = rocAuc(
    side,
    Float64Array.from(side, (_, row) => probabilities[2 * row + 1] ?? 0),
  );
  return { rows, auc, threshold: aucThreshold, drifted: auc > aucThreshold, words: tellingWords(a, b) };
}

function drawn(texts: readonly string[]): readonly string[] {
  if (texts.length <= textRowsMost) return texts;
  return texts
    .map((text, row) => ({ text, order: tokenHash(text), row }))
    .sort((a, b) => a.order - b.order || a.row - b.row)
    .slice(0, textRowsMost)
    .map(({ text }) => text);
}

/** By how many standard errors the shares differ. */
function tellingWords(a: readonly string[], b: readonly string[]): TextDrift["words"] {
  const [inA, inB] = [textsWith(a), textsWith(b)];
  return [...new Set([...inA.keys(), ...inB.keys()])]
    .map((word) => {
      const [p, q] = [(inA.get(word) ?? 0) / a.length, (inB.get(word) ?? 0) / b.length];
      const pooled = ((inA.get(word) ?? 0) + (inB.get(word) ?? 0)) / (a.length + b.length);
      const error = Math.sqrt(pooled * (1 - pooled) * (1 / a.length + 1 / b.length));
      return { word, a: p, b: q, score: error === 0 ? 0 : Math.abs(p - q) / error };
    })
    .filter(({ score }) => score > 4)
    .sort((one, other) => other.score - one.score || (one.word < other.word ? -1 : 1))
    .slice(0, wordsListed)
    .map(({ a: p, b: q, word }) => ({ word: word.toWellFormed(), a: p, b: q }));
}

function textsWith(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(tokensOf(text))) {
      if (/\p{L}/u.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return counts;
}
