/** Cholesky's factor of a symmetric matrix, and what is solved with it. Small dense matrices only. */

/** Pivots below this share of the diagonal are taken as nothing. */
const pivotShareLeast = 1e-9;

/** [width, width] The lower factor; a direction that adds nothing gets a large pivot, which puts its share to about zero. */
export function cholesky(products: Float64Array, width: number): Float64Array {
  const factor = new Float64Array(width * width);
  for (let a = 0; a < width; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = products[a * width + b] ?? 0;
      for (let c = 0; c < b; c++) sum -= (factor[a * width + c] ?? 0) * (factor[b * width + c] ?? 0);
      const floor = pivotShareLeast * (products[a * width + a] ?? 0);
      if (a === b) factor[a * width + a] = sum > floor ? Math.sqrt(sum) : Number.MAX_SAFE_INTEGER;
      else factor[a * width + b] = sum / (factor[b * width + b] ?? 1);
    }
  }
  return factor;
}

/** The x with factor · factorᵀ · x = right. */
export function solveWith(factor: Float64Array, right: Float64Array): Float64Array {
  const width = right.length;
  const solved = Float64Array.from(right);
  for (let a = 0; a < width; a++) {
    let sum = solved[a] ?? 0;
    for (let b = 0; b < a; b++) sum -= (factor[a * width + b] ?? 0) * (solved[b] ?? 0);
    solved[a] = sum / (factor[a * width + a] ?? 1);
  }
  for (let a = width - 1; a >= 0; a--) {
    let sum = solved[a] ?? 0;
    for (let b = a + 1; b < width; b++) sum -= (factor[b * width + a] ?? 0) * (solved[b] ?? 0);
    solved[a] = sum / (factor[a * width + a] ?? 1);
  }
  return solved;
}
