/**
 * How likely each label is for each text, by models that have not seen that text: k folds, and in each five models
 * that err on different texts, whose probabilities are averaged. Good enough to judge data by; not a model to keep.
 */
import { featureRows, type FeatureRows } from "./feature-rows.ts";
import { foldsOf } from "./fold.ts";
import { marginScores } from "./linear-margin.ts";
import { bayesScores, featureLogs } from "./naive-bayes.ts";
import { atBestTemperature } from "./temperature.ts";
import { partHashes, spanHashes, wordHashes } from "./text-feature.ts";
import { tokenHash, tokensOf } from "./word-token.ts";
import { vectorScores } from "./vector-regression.ts";
import { textVectors } from "./word-vector.ts";

const vectorWidth = 150;
const rowsLeast = { word: 2, part: 2, span: 3 } as const;
/** Of parts and of spans, over all texts together: many long texts are judged by the beginning of each. */
const hashesMost = 12_000_000;

export interface OutOfFoldOptions {
  readonly folds: number;
  readonly seed: number;
}

/** [texts, classes], row after row; each row sums to 1. The same input gives the same numbers. */
export function outOfFold(
  texts: readonly string[],
  labels: Int32Array,
  classes: number,
  { folds, seed }: OutOfFoldOptions,
): Float64Array {
  const tokens = texts.map(tokensOf);
  const rows = texts.length;
  const fold = foldsOf(texts, labels, folds, seed);
  const order = shuffled(rows, seed);
  const parts = Array.from({ length: folds }, (_, held) => ({
    known: order.filter((row) => fold[row] !== held),
    held: order.filter((row) => fold[row] === held),
  }));
  const most = Math.ceil(hashesMost / Math.max(1, rows));
  const sparse = (hashesOf: (tokens: readonly string[], most: number) => readonly number[], least: number) =>
    featureRows(rows, (row) => hashesOf(tokens[row] ?? [], most), least);

  const bayes = (own: FeatureRows) => {
    const scores = new Float64Array(rows * classes);
    for (const { held, known } of parts) {
      const logs = featureLogs(own, labels, classes, known);
      for (const row of held) bayesScores(logs, own, row, scores, row * classes);
    }
    return scores;
  };
  const margins = (own: FeatureRows) => {
    const scores = new Float64Array(rows * classes);
    for (const part of parts) {
      marginScores(own, labels, featureLogs(own, labels, classes, part.known), part, scores);
    }
    return scores;
  };
  const spans = sparse(spanHashes, rowsLeast.span);
  const judges = [
    () => bayes(sparse(wordHashes, rowsLeast.word)),
    () => bayes(spans),
    () => margins(spans),
    () => margins(sparse(partHashes, rowsLeast.part)),
    () =>
      vectorScores({
        vectors: textVectors(tokens, vectorWidth),
        width: vectorWidth,
        labels,
        classes,
        fold,
        folds,
      }),
  ];
  const probabilities = new Float64Array(rows * classes);
  for (const scoresOf of judges) {
    const own = atBestTemperature(scoresOf(), labels, classes);
    for (let cell = 0; cell < own.length; cell++) {
      probabilities[cell] = (probabilities[cell] ?? 0) + (own[cell] ?? 0) / judges.length;
    }
  }
  return probabilities;
}

function shuffled(rows: number, seed: number): Int32Array {
  const from = tokenHash(`order ${seed}`);
  const keys = Float64Array.from({ length: rows }, (_, row) => tokenHash(String(row), from));
  return Int32Array.from(keys.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
}
