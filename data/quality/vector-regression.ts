/**
 * Ridge regression of each label on dense vectors, out of fold: the products of all rows less those of the rows held out,
 * so that a fold costs a solve and not a pass over the rows.
 */
import { factoriseSingular, solveLower, solveUpper } from "../../numeric/cholesky.ts";

/** Pull towards zero, in rows. */
const ridge = 1;
/** What the constant counts for beside vectors of length 1: less than 1 pulls it, too. */
const constant = 0.3;

export interface VectorInput {
  /** [rows, width], row after row. */
  readonly vectors: Float32Array;
  readonly width: number;
  readonly labels: Int32Array;
  readonly classes: number;
  /** [rows] Fold each row is held out in. */
  readonly fold: Int32Array;
  readonly folds: number;
}

/** [rows, classes] About 1 for the label, about 0 for the others. */
export function vectorScores({ classes, fold, folds, labels, vectors, width }: VectorInput): Float64Array {
  const rows = labels.length;
  const size = width + 1;
  const valueAt = (row: number, at: number) => (at === width ? constant : (vectors[row * width + at] ?? 0));
  const products = Array.from({ length: folds }, () => new Float64Array(size * size));
  const answers = Array.from({ length: folds }, () => new Float64Array(classes * size));
  const own = new Float64Array(size);
  for (let row = 0; row < rows; row++) {
    const [product, answer] = [products[fold[row] ?? 0], answers[fold[row] ?? 0]];
    if (product === undefined || answer === undefined) continue;
    for (let at = 0; at < size; at++) own[at] = valueAt(row, at);
    const place = (labels[row] ?? 0) * size;
    for (let a = 0; a < size; a++) {
      const value = own[a] ?? 0;
      answer[place + a] = (answer[place + a] ?? 0) + value;
      for (let b = 0; b <= a; b++)
        product[a * size + b] = (product[a * size + b] ?? 0) + value * (own[b] ?? 0);
    }
  }
  const [allProducts, allAnswers] = [sumOf(products, size * size), sumOf(answers, classes * size)];
  const weights = products.map((held, one) => {
    const kept = allProducts.map((value, cell) => value - (held[cell] ?? 0));
    for (let at = 0; at < size; at++) kept[at * size + at] = (kept[at * size + at] ?? 0) + ridge;
    factoriseSingular(kept, size, size);
    const right = allAnswers.map((value, cell) => value - (answers[one]?.[cell] ?? 0));
    return Array.from({ length: classes }, (_, label) => {
      const weight = right.slice(label * size, (label + 1) * size);
      solveLower(kept, size, size, weight);
      solveUpper(kept, size, size, weight);
      return weight;
    });
  });
  const scores = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row++) {
    for (const [label, weight] of (weights[fold[row] ?? 0] ?? []).entries()) {
      let sum = 0;
      for (let at = 0; at < size; at++) sum += (weight[at] ?? 0) * valueAt(row, at);
      scores[row * classes + label] = sum;
    }
  }
  return scores;
}

function sumOf(parts: readonly Float64Array[], size: number): Float64Array {
  const sum = new Float64Array(size);
  for (const part of parts)
    for (let cell = 0; cell < size; cell++) sum[cell] = (sum[cell] ?? 0) + (part[cell] ?? 0);
  return sum;
}
