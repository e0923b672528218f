/**
 * Chance that the distribution function of n uniform rows is as far as d from the true one, two-sided, by the method that
 * Simard and L'Ecuyer ("Computing the Two-Sided Kolmogorov-Smirnov Distribution", 2011) find best for each n and d; scipy's
 * `kstwo.sf` chooses alike: a matrix power (Marsaglia, Tsang, Wang 2003), twice the one-sided tail, or Pelz and Good's series.
 */
import { logChoose } from "../../numeric/gamma.ts";

const exactRowsMost = 140;
const matrixRowsMost = 100_000;

export function kolmogorovTail(n: number, d: number): number {
  if (d >= 1) return 0;
  if (n * d <= 0.5) return 1;
  const square = n * d * d;
  if (d >= 0.5) return Math.min(1, 2 * oneSidedTail(n, d));
  if (n <= exactRowsMost) return square > 4 ? 2 * oneSidedTail(n, d) : clipped(1 - matrixPower(n, d));
  if (square >= 2.2) return clipped(2 * oneSidedTail(n, d));
  if (n <= matrixRowsMost && n * square ** 1.5 <= 1.4) return clipped(1 - matrixPower(n, d));
  return clipped(1 - pelzGood(n, d));
}

function clipped(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** Birnbaum and Tingey 1951: a sum of positive terms. */
function oneSidedTail(n: number, d: number): number {
  let sum = 0;
  const last = Math.floor(n * (1 - d));
  for (let j = 0; j <= last; j++) {
    const above = d + j / n;
    const below = 1 - above;
    const power = n - j;
    if (below <= 0) {
      if (power === 0) sum += above ** (j - 1);
      continue;
    }
    sum += Math.exp(logChoose(n, j) + (j - 1) * Math.log(above) + power * Math.log(below));
  }
  return d * sum;
}

/** The chance of less than d, as an element of the n-th power of a matrix of 2k - 1 rows, k = ⌈n·d⌉. */
function matrixPower(n: number, d: number): number {
  const k = Math.ceil(n * d);
  const h = k - n * d;
  const size = 2 * k - 1;
  let matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) matrix[row * size + column] = row - column + 1 >= 0 ? 1 : 0;
  }
  for (let row = 0; row < size; row++) {
    matrix[row * size] = (matrix[row * size] ?? 0) - h ** (row + 1);
    const corner = (size - 1) * size + row;
    matrix[corner] = (matrix[corner] ?? 0) - h ** (size - row);
  }
  const corner = (size - 1) * size;
  if (2 * h - 1 > 0) matrix[corner] = (matrix[corner] ?? 0) + (2 * h - 1) ** size;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      for (let factor = 1; factor <= row - column + 1; factor++) {
        matrix[row * size + column] = (matrix[row * size + column] ?? 0) / factor;
      }
    }
  }
  // By squaring, with powers of two taken out to stay within range.
  let result = identity(size);
  let [resultScale, matrixScale] = [0, 0];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      result = product(result, matrix, size);
      resultScale += matrixScale;
      resultScale += rescale(result);
    }
    matrix = product(matrix, matrix, size);
    matrixScale *= 2;
    matrixScale += rescale(matrix);
  }
  let value = result[(k - 1) * size + k - 1] ?? 0;
  for (let factor = 1; factor <= n; factor++) {
    value *= factor / n;
    if (value < 1e-140) {
      value *= 2 ** 460;
      resultScale -= 460;
    }
  }
  return value * 2 ** resultScale;
}

function identity(size: number): Float64Array {
  const matrix = new Float64Array(size * size);
  for (let at = 0; at < size; at++) matrix[at * size + at] = 1;
  return matrix;
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let inner = 0; inner < size; inner++) {
      const value = a[row * size + inner] ?? 0;
      if (value === 0) continue;
      for (let column = 0; column < size; column++) {
        result[row * size + column] =
          (result[row * size + column] ?? 0) + value * (b[inner * size + column] ?? 0);
      }
    }
  }
  return result;
}

/** Brings the middle element near 1 by a power of two, which it returns. */
function rescale(matrix: Float64Array): number {
  let most = 0;
  for (const value of matrix) most = Math.max(most, Math.abs(value));
  if (most < 2 ** 400 && most > 2 ** -400) return 0;
  const power = Math.floor(Math.log2(most));
  for (let at = 0; at < matrix.length; at++) matrix[at] = (matrix[at] ?? 0) * 2 ** -power;
  return power;
}

/** Pelz and Good 1976: four terms in powers of 1/√n, each a theta series. The chance of less than d. */
function pelzGood(n: number, d: number): number {
  const z = Math.sqrt(n) * d;
  const [z2, z4, z6] = [z ** 2, z ** 4, z ** 6];
  const pi2 = Math.PI ** 2;
  const q = -pi2 / (2 * z2);
  const termsMost = Math.ceil((16 * z) / Math.PI) + 1;
  let [k0, k1, k2, k3] = [0, 0, 0, 0];
  for (let k = termsMost; k >= 0; k--) {
    const m2 = (k + 0.5) ** 2;
    const power = Math.exp(q * m2);
    k0 += power;
    k1 += (pi2 * m2 - z2) * power;
    k2 += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * m2 + pi2 ** 2 * (1 - 2 * z2) * m2 ** 2) * power;
    k3 +=
      (-30 * z6 -
        90 * z ** 8 +
        pi2 * (135 * z4 - 96 * z6) * m2 +
        pi2 ** 2 * (212 * z4 - 60 * z2) * m2 ** 2 +
        pi2 ** 3 * (5 - 30 * z2) * m2 ** 3) *
      power;
  }
  let [extra2, extra3] = [0, 0];
  for (let k = termsMost; k >= 1; k--) {
    const k2pi = pi2 * k * k;
    const power = Math.exp(q * k * k);
    extra2 += k2pi * power;
    extra3 += (3 * k2pi * z2 - k2pi ** 2) * power;
  }
  const root = Math.sqrt(2 * Math.PI);
  k0 *= root / z;
  k1 *= root / (6 * z4);
  k2 = (k2 * root) / (72 * z ** 7) - (extra2 * root) / (36 * z ** 3);
  k3 = (k3 * root) / (6480 * z ** 10) + (extra3 * root) / (216 * z6);
  return k0 + k1 / Math.sqrt(n) + k2 / n + k3 / n ** 1.5;
}
