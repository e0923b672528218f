/**
 * Values as the model sees them: a long tail of bad results is pulled in, then, where asked for, the power transform of
 * Yeo and Johnson (2000) that makes them look most like a normal sample, then mean 0 and deviation 1. A better result
 * never becomes a worse one.
 */
import { meanOf, varianceOf } from "../../numeric/moment.ts";

/** Beyond the median by so many distances from the best to the median, only the logarithm counts, and in the end nothing. */
const bend = 10;
const farthest = 300;
/** Powers that are tried: below 1 pulls in bad results, above 1 tells good ones apart. */
const powerMin = -2;
const powerMax = 3;
const powerStep = 0.125;
/** With fewer results than this a shape cannot be told from chance. */
const shapedMin = 8;

/**
 * Finite values, smaller is better; at least one. The power transform suits the neighbourhood of the best trial; over the
 * whole space it makes much of the first good region found, and the search stays there (seen on hartmann6 in bench/search).
 */
export function warp(values: readonly number[], withPower: boolean): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const best = sorted[0] ?? 0;
  const median = sorted[sorted.length >> 1] ?? 0;
  // Halves, so that no difference of finite numbers overflows.
  const spread = median / 2 - best / 2;
  const pulled = Float64Array.from(values, (value) => {
    if (spread <= 0) return value > best ? 1 : 0;
    const from = Math.min(farthest, (value / 2 - median / 2) / spread);
    return from <= bend ? from : bend * (1 + Math.log(from / bend));
  });
  const standard = standardised(pulled);
  return !withPower || values.length < shapedMin ? standard : standardised(shaped(standard));
}

function standardised(values: Float64Array): Float64Array {
  const mean = meanOf(values);
  const deviation = Math.sqrt(varianceOf(values));
  return values.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
}

/** Under the power with the largest likelihood; 1, which changes nothing, where none is better. */
function shaped(values: Float64Array): Float64Array {
  const stretch = values.reduce((sum, value) => sum + Math.sign(value) * Math.log1p(Math.abs(value)), 0);
  let found = values;
  let most = likelihood(values, 0);
  for (let power = powerMin; power <= powerMax; power += powerStep) {
    const candidate = values.map((value) => yeoJohnson(value, power));
    const own = likelihood(candidate, (power - 1) * stretch);
    if (own <= most) continue;
    most = own;
    found = candidate;
  }
  return found;
}

function likelihood(values: Float64Array, logStretch: number): number {
  return logStretch - 0.5 * values.length * Math.log(varianceOf(values));
}

function yeoJohnson(value: number, power: number): number {
  if (value >= 0) return power === 0 ? Math.log1p(value) : ((1 + value) ** power - 1) / power;
  return power === 2 ? -Math.log1p(-value) : -((1 - value) ** (2 - power) - 1) / (2 - power);
}
