/** The standard normal distribution: density, cumulative probability and quantile. Numbers only, no sampling. */

const rootTwoPi = Math.sqrt(2 * Math.PI);

export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / rootTwoPi;
}

/** Φ(x). West's double precision version of Hart's approximation (2005); far tails are right to eight digits. */
export function normalCumulative(x: number): number {
  const z = Math.abs(x);
  if (z > 37) return x > 0 ? 1 : 0;
  const bell = Math.exp(-0.5 * z * z);
  let tail: number;
  if (z < 7.07106781186547) {
    let above = 3.52624965998911e-2 * z + 0.700383064443688;
    above = above * z + 6.37396220353165;
    above = above * z + 33.912866078383;
    above = above * z + 112.079291497871;
    above = above * z + 221.213596169931;
    above = above * z + 220.206867912376;
    let below = 8.83883476483184e-2 * z + 1.75566716318264;
    below = below * z + 16.064177579207;
    below = below * z + 86.7807322029461;
    below = below * z + 296.564248779674;
    below = below * z + 637.333633378831;
    below = below * z + 793.826512519948;
    below = below * z + 440.413735824752;
    tail = (bell * above) / below;
  } else {
    tail = bell / (rootTwoPi * (z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))))));
  }
  return x > 0 ? 1 - tail : tail;
}

const central = [
  [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ],
  [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
] as const;
const outer = [
  [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ],
  [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1],
] as const;
const outerBelow = 0.02425;

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}

/** Φ⁻¹(p), infinite at 0 and 1. Acklam's rational approximation with one step of Halley's method. */
export function normalQuantile(p: number): number {
  if (p <= 0) return -Infinity;
  if (p >= 1) return Infinity;
  // The upper half is the lower half's mirror image: 1 − p loses nothing that p still had.
  if (p > 0.5) return -normalQuantile(1 - p);
  let x: number;
  if (p < outerBelow) {
    const q = Math.sqrt(-2 * Math.log(p));
    x = polynomial(outer[0], q) / polynomial(outer[1], q);
  } else {
    const q = p - 0.5;
    x = (q * polynomial(central[0], q * q)) / polynomial(central[1], q * q);
  }
  const density = normalDensity(x);
  if (density === 0) return x;
  const step = (normalCumulative(x) - p) / density;
  return x - step / (1 + (x * step) / 2);
}
