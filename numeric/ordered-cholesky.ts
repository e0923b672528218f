/**
 * Cholesky's factor with every sum taken term by term, in order: what CMA-ES computes must stay as it is to the last bit, for
 * its proposals are recorded and asked for again. `cholesky.ts`, which takes four sums at a time, is for everything else.
 */

/** The lower factor of a symmetric [size, size] matrix; null where it is not positive definite. */
export function factorInOrder(matrix: Float64Array, size: number): Float64Array | null {
  const lower = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (lower[i * size + k] ?? 0) * (lower[j * size + k] ?? 0);
      if (i === j) {
        if (!(sum > 0)) return null;
        lower[i * size + i] = Math.sqrt(sum);
      } else lower[i * size + j] = sum / (lower[j * size + j] ?? 1);
    }
  }
  return lower;
}

/** The x with lower · x = b. */
export function solveInOrder(lower: Float64Array, b: Float64Array): Float64Array {
  const size = b.length;
  const x = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    let sum = b[i] ?? 0;
    for (let j = 0; j < i; j++) sum -= (lower[i * size + j] ?? 0) * (x[j] ?? 0);
    x[i] = sum / (lower[i * size + i] ?? 1);
  }
  return x;
}
