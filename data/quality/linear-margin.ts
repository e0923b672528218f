/**
 * NBSVM (Wang and Manning 2012): a linear classifier of one label against the others, over features weighed by naive
 * Bayes' log ratio, each row scaled to length 1. Squared hinge, solved in the dual one row at a time (Hsieh et al. 2008);
 * the order of the rows is the caller's.
 */
import type { FeatureRows } from "./feature-rows.ts";
import type { FeatureLogs } from "./naive-bayes.ts";

const sweeps = 6;
/** What a row beyond its margin costs; larger fits the given labels more closely. */
const cost = 0.2;
const tiny = 1e-12;

/** Margins of every row not in `known`, at [row, label] of `scores`; two labels are one question. */
export function marginScores(
  sparse: FeatureRows,
  labels: Int32Array,
  logs: FeatureLogs,
  { held, known }: { readonly held: Int32Array; readonly known: Int32Array },
  scores: Float64Array,
): void {
  const classes = logs.prior.length;
  const ratios = new Float64Array(sparse.width);
  const scales = new Float64Array(sparse.rows);
  for (let label = 0; label < classes; label++) {
    if (classes === 2 && label === 1) {
      for (const row of held) scores[2 * row + 1] = -(scores[2 * row] ?? 0);
      continue;
    }
    for (let feature = 0; feature < sparse.width; feature++) {
      const cell = feature * classes + label;
      ratios[feature] = (logs.own[cell] ?? 0) - (logs.others[cell] ?? 0);
    }
    for (let row = 0; row < sparse.rows; row++) {
      let square = tiny;
      for (let at = sparse.offsets[row] ?? 0; at < (sparse.offsets[row + 1] ?? 0); at++) {
        square += (ratios[sparse.features[at] ?? 0] ?? 0) ** 2;
      }
      scales[row] = 1 / Math.sqrt(square);
    }
    const { bias, weights } = fitted({
      sparse,
      ratios,
      scales,
      known,
      isOwn: (row) => labels[row] === label,
    });
    for (const row of held)
      scores[row * classes + label] = bias + (scales[row] ?? 0) * dot(sparse, row, weights);
  }
}

interface Question {
  readonly sparse: FeatureRows;
  /** [width] Value of each feature wherever it stands. */
  readonly ratios: Float64Array;
  /** [rows] */
  readonly scales: Float64Array;
  readonly known: Int32Array;
  readonly isOwn: (row: number) => boolean;
}

/** Weights have the ratios multiplied in. */
function fitted({ isOwn, known, ratios, scales, sparse }: Question): {
  readonly weights: Float64Array;
  readonly bias: number;
} {
  const { features, offsets } = sparse;
  // Kept times the ratio, so that a row's score is a plain sum.
  const squares = ratios.map((ratio) => ratio * ratio);
  const weights = new Float64Array(sparse.width);
  const dual = new Float64Array(known.length);
  const slack = 1 / (2 * cost);
  let bias = 0;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const [at, row] of known.entries()) {
      const [side, scale, before] = [isOwn(row) ? 1 : -1, scales[row] ?? 0, dual[at] ?? 0];
      const gradient = side * (bias + scale * dot(sparse, row, weights)) - 1 + slack * before;
      // A row's length is 1, and the bias is a feature of 1 more.
      const after = Math.max(0, before - gradient / (2 + slack));
      if (after === before) continue;
      dual[at] = after;
      const step = side * (after - before);
      bias += step;
      for (let entry = offsets[row] ?? 0; entry < (offsets[row + 1] ?? 0); entry++) {
        const feature = features[entry] ?? 0;
        weights[feature] = (weights[feature] ?? 0) + step * scale * (squares[feature] ?? 0);
      }
    }
  }
  return { weights, bias };
}

function dot({ features, offsets }: FeatureRows, row: number, weights: Float64Array): number {
  let sum = 0;
  for (let at = offsets[row] ?? 0; at < (offsets[row + 1] ?? 0); at++) sum += weights[features[at] ?? 0] ?? 0;
  return sum;
}
