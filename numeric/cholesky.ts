/**
 * Cholesky factors of small dense matrices in flat Float64Arrays, row by row with a fixed stride, so that a factor can
 * grow by a row in place (Golub and Van Loan, Matrix Computations, 4.2). Not a general linear algebra package; four sums at
 * a time keep a Gaussian process within a proposal's time. Recorded proposals depend on the order of these sums.
 */

/** Replaces the lower triangle of a symmetric matrix by its factor; false where it is not positive definite. */
export function factorise(matrix: Float64Array, size: number, stride: number): boolean {
  for (let row = 0; row < size; row++) if (!factoriseRow(matrix, row, stride)) return false;
  return true;
}

/** Pivots below this share of the diagonal are taken as nothing. */
const pivotShareLeast = 1e-9;

/** As `factorise`, of a matrix that may be singular: a direction that adds nothing gets a pivot so large that its share is about zero. */
export function factoriseSingular(matrix: Float64Array, size: number, stride: number): void {
  for (let row = 0; row < size; row++) {
    const at = row * stride + row;
    const pivotLeast = pivotShareLeast * Math.max(0, matrix[at] ?? 0);
    if (!factoriseRow(matrix, row, stride, pivotLeast)) matrix[at] = Number.MAX_SAFE_INTEGER;
  }
}

/**
 * Row `row` of the factor, from that row of the matrix and the rows of the factor above it. False, with the diagonal left as
 * it was, where the pivot is `pivotLeast` or less.
 */
export function factoriseRow(matrix: Float64Array, row: number, stride: number, pivotLeast = 0): boolean {
  const own = row * stride;
  let column = 0;
  for (; column + 3 < row; column += 4) {
    const first = column * stride;
    const second = first + stride;
    const third = second + stride;
    const fourth = third + stride;
    let a = matrix[own + column] ?? 0;
    let b = matrix[own + column + 1] ?? 0;
    let c = matrix[own + column + 2] ?? 0;
    let d = matrix[own + column + 3] ?? 0;
    for (let k = 0; k < column; k++) {
      const value = matrix[own + k] ?? 0;
      a -= value * (matrix[first + k] ?? 0);
      b -= value * (matrix[second + k] ?? 0);
      c -= value * (matrix[third + k] ?? 0);
      d -= value * (matrix[fourth + k] ?? 0);
    }
    a /= matrix[first + column] ?? 1;
    b -= a * (matrix[second + column] ?? 0);
    b /= matrix[second + column + 1] ?? 1;
    c -= a * (matrix[third + column] ?? 0) + b * (matrix[third + column + 1] ?? 0);
    c /= matrix[third + column + 2] ?? 1;
    d -= a * (matrix[fourth + column] ?? 0) + b * (matrix[fourth + column + 1] ?? 0);
    d -= c * (matrix[fourth + column + 2] ?? 0);
    d /= matrix[fourth + column + 3] ?? 1;
    matrix[own + column] = a;
    matrix[own + column + 1] = b;
    matrix[own + column + 2] = c;
    matrix[own + column + 3] = d;
  }
  for (; column < row; column++) {
    const other = column * stride;
    let sum = matrix[own + column] ?? 0;
    for (let k = 0; k < column; k++) sum -= (matrix[own + k] ?? 0) * (matrix[other + k] ?? 0);
    matrix[own + column] = sum / (matrix[other + column] ?? 1);
  }
  let pivot = matrix[own + row] ?? 0;
  for (let k = 0; k < row; k++) pivot -= (matrix[own + k] ?? 0) ** 2;
  if (!(pivot > pivotLeast)) return false;
  matrix[own + row] = Math.sqrt(pivot);
  return true;
}

/** Solves L x = b in place. */
export function solveLower(factor: Float64Array, size: number, stride: number, b: Float64Array): void {
  for (let row = 0; row < size; row++) {
    const own = row * stride;
    let even = b[row] ?? 0;
    let odd = 0;
    let k = 0;
    for (; k + 1 < row; k += 2) {
      even -= (factor[own + k] ?? 0) * (b[k] ?? 0);
      odd -= (factor[own + k + 1] ?? 0) * (b[k + 1] ?? 0);
    }
    if (k < row) even -= (factor[own + k] ?? 0) * (b[k] ?? 0);
    b[row] = (even + odd) / (factor[own + row] ?? 1);
  }
}

/** Solves Lᵀ x = b in place. */
export function solveUpper(factor: Float64Array, size: number, stride: number, b: Float64Array): void {
  for (let row = size - 1; row >= 0; row--) {
    const own = row * stride;
    const value = (b[row] ?? 0) / (factor[own + row] ?? 1);
    b[row] = value;
    for (let k = 0; k < row; k++) b[k] = (b[k] ?? 0) - value * (factor[own + k] ?? 0);
  }
}

/** Solves L X = B in place for four right-hand sides, interleaved: side s of row r stands at 4 r + s. */
export function solveLowerFour(
  factor: Float64Array,
  size: number,
  stride: number,
  sides: Float64Array,
): void {
  for (let row = 0; row < size; row++) {
    const own = row * stride;
    const at = 4 * row;
    let a = sides[at] ?? 0;
    let b = sides[at + 1] ?? 0;
    let c = sides[at + 2] ?? 0;
    let d = sides[at + 3] ?? 0;
    for (let k = 0, from = 0; k < row; k++, from += 4) {
      const value = factor[own + k] ?? 0;
      a -= value * (sides[from] ?? 0);
      b -= value * (sides[from + 1] ?? 0);
      c -= value * (sides[from + 2] ?? 0);
      d -= value * (sides[from + 3] ?? 0);
    }
    const pivot = 1 / (factor[own + row] ?? 1);
    sides[at] = a * pivot;
    sides[at + 1] = b * pivot;
    sides[at + 2] = c * pivot;
    sides[at + 3] = d * pivot;
  }
}

/** The lower triangle of (L Lᵀ)⁻¹, into `inverse` of the same stride; `scratch` has the same size. */
export function invert(
  factor: Float64Array,
  size: number,
  stride: number,
  inverse: Float64Array,
  scratch: Float64Array,
): void {
  // scratch becomes L⁻ᵀ by rows: row j holds column j of L⁻¹, from its diagonal on.
  for (let column = 0; column < size; column++) {
    const own = column * stride;
    scratch[own + column] = 1 / (factor[own + column] ?? 1);
    for (let row = column + 1; row < size; row++) {
      const at = row * stride;
      let even = 0;
      let odd = 0;
      let k = column;
      for (; k + 1 < row; k += 2) {
        even -= (factor[at + k] ?? 0) * (scratch[own + k] ?? 0);
        odd -= (factor[at + k + 1] ?? 0) * (scratch[own + k + 1] ?? 0);
      }
      if (k < row) even -= (factor[at + k] ?? 0) * (scratch[own + k] ?? 0);
      scratch[own + row] = (even + odd) / (factor[at + row] ?? 1);
    }
  }
  for (let row = 0; row < size; row++) {
    const own = row * stride;
    for (let column = 0; column <= row; column++) {
      const other = column * stride;
      let even = 0;
      let odd = 0;
      let k = row;
      for (; k + 1 < size; k += 2) {
        even += (scratch[own + k] ?? 0) * (scratch[other + k] ?? 0);
        odd += (scratch[own + k + 1] ?? 0) * (scratch[other + k + 1] ?? 0);
      }
      if (k < size) even += (scratch[own + k] ?? 0) * (scratch[other + k] ?? 0);
      inverse[own + column] = even + odd;
    }
  }
}
