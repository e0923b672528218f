/**
 * Vectors of words from the texts themselves, without labels: words that keep the same company get alike vectors, so that
 * a model can tell something of a word it has seen once. Positive pointwise mutual information within a window, cut to its
 * leading directions by subspace iteration (Levy, Goldberg, Dagan 2015, for what works). No pretrained words.
 */
import { factoriseSingular, solveLower } from "../../numeric/cholesky.ts";
import { tokenHash } from "./word-token.ts";

const windowTokens = 5;
/** Rare words of the company count as less rare than they are (the same paper). */
const contextPower = 0.75;
const wordTimesLeast = 2;
const wordsMost = 20_000;
/** More tokens teach little more here and cost a time that grows with them. */
const tokensReadMost = 600_000;
const iterations = 5;

/** [texts, width]: the mean of the vectors of each text's words, rarer words weighing more, scaled to length 1. */
export function textVectors(texts: readonly (readonly string[])[], width: number): Float32Array {
  const words = commonWords(texts);
  const size = words.size;
  const vectors = new Float32Array(texts.length * width);
  if (size <= width) return vectors;
  const basis = leadingDirections(association(texts, words), size, width);
  scaleRows(basis, width);
  const weights = rarity(texts, words);
  for (const [row, tokens] of texts.entries()) {
    const place = row * width;
    for (const token of new Set(tokens)) {
      const word = words.get(token);
      if (word === undefined) continue;
      const weight = weights[word] ?? 0;
      for (let at = 0; at < width; at++) {
        vectors[place + at] = (vectors[place + at] ?? 0) + weight * (basis[word * width + at] ?? 0);
      }
    }
  }
  scaleRows(vectors, width);
  return vectors;
}

function commonWords(texts: readonly (readonly string[])[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const tokens of texts) for (const token of tokens) times.set(token, (times.get(token) ?? 0) + 1);
  const kept = [...times].filter(([, count]) => count >= wordTimesLeast);
  kept.sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return new Map(kept.slice(0, wordsMost).map(([word], index) => [word, index]));
}

function rarity(texts: readonly (readonly string[])[], words: ReadonlyMap<string, number>): Float64Array {
  const standsIn = new Float64Array(words.size);
  for (const tokens of texts) {
    for (const token of new Set(tokens)) {
      const word = words.get(token);
      if (word !== undefined) standsIn[word] = (standsIn[word] ?? 0) + 1;
    }
  }
  return standsIn.map((count) => Math.log((1 + texts.length) / (1 + count)));
}

/** A sparse matrix, row after row; all but symmetric. */
interface Association {
  readonly offsets: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float32Array;
}

/** Positive pointwise mutual information of each pair of words that stand within a window, nearer pairs weighing more. */
function association(texts: readonly (readonly string[])[], words: ReadonlyMap<string, number>): Association {
  const size = words.size;
  const together: Map<number, number>[] = Array.from({ length: size }, () => new Map<number, number>());
  const add = (a: number, b: number, weight: number) => {
    const row = together[a];
    row?.set(b, (row.get(b) ?? 0) + weight);
  };
  let read = 0;
  for (const tokens of texts) {
    if (read > tokensReadMost) break;
    read += tokens.length;
    const known = tokens.flatMap((token) => words.get(token) ?? []);
    for (const [at, word] of known.entries()) {
      for (let back = 1; back <= windowTokens && back <= at; back++) {
        const other = known[at - back] ?? 0;
        add(word, other, 1 / back);
        add(other, word, 1 / back);
      }
    }
  }
  const sums = together.map((row) => [...row.values()].reduce((sum, weight) => sum + weight, 0));
  const smoothed = sums.map((sum) => sum ** contextPower);
  const smoothedTotal = smoothed.reduce((sum, weight) => sum + weight, 0);
  const offsets = new Int32Array(size + 1);
  const columns: number[] = [];
  const values: number[] = [];
  for (const [a, row] of together.entries()) {
    for (const [b, weight] of row) {
      const information = Math.log((weight * smoothedTotal) / ((sums[a] ?? 1) * (smoothed[b] ?? 1)));
      if (information <= 0) continue;
      columns.push(b);
      values.push(information);
    }
    offsets[a + 1] = values.length;
  }
  return { offsets, columns: Int32Array.from(columns), values: Float32Array.from(values) };
}

/** [size, width] An orthonormal basis of about the `width` leading directions; which basis of them does not matter. */
function leadingDirections(matrix: Association, size: number, width: number): Float32Array {
  let basis = new Float32Array(size * width);
  for (let cell = 0; cell < basis.length; cell++) basis[cell] = tokenHash(String(cell)) % 2 === 0 ? 1 : -1;
  for (let round = 0; round < iterations; round++) {
    const next = new Float32Array(size * width);
    for (let row = 0; row < size; row++) {
      for (let at = matrix.offsets[row] ?? 0; at < (matrix.offsets[row + 1] ?? 0); at++) {
        const from = (matrix.columns[at] ?? 0) * width;
        const value = matrix.values[at] ?? 0;
        for (let column = 0; column < width; column++) {
          next[row * width + column] =
            (next[row * width + column] ?? 0) + value * (basis[from + column] ?? 0);
        }
      }
    }
    orthonormalise(next, size, width);
    basis = next;
  }
  return basis;
}

/** Makes the columns orthogonal and of length 1: by the Cholesky factor of their products, in place. */
function orthonormalise(basis: Float32Array, size: number, width: number): void {
  const products = new Float64Array(width * width);
  for (let row = 0; row < size; row++) {
    for (let a = 0; a < width; a++) {
      const value = basis[row * width + a] ?? 0;
      if (value === 0) continue;
      for (let b = 0; b <= a; b++) {
        products[a * width + b] = (products[a * width + b] ?? 0) + value * (basis[row * width + b] ?? 0);
      }
    }
  }
  factoriseSingular(products, width, width);
  const solved = new Float64Array(width);
  for (let row = 0; row < size; row++) {
    for (let a = 0; a < width; a++) solved[a] = basis[row * width + a] ?? 0;
    solveLower(products, width, width, solved);
    for (let a = 0; a < width; a++) basis[row * width + a] = solved[a] ?? 0;
  }
}

function scaleRows(rows: Float32Array, width: number): void {
  for (let from = 0; from < rows.length; from += width) {
    let square = 0;
    for (let at = from; at < from + width; at++) square += (rows[at] ?? 0) ** 2;
    if (square === 0) continue;
    const scale = 1 / Math.sqrt(square);
    for (let at = from; at < from + width; at++) rows[at] = (rows[at] ?? 0) * scale;
  }
}
