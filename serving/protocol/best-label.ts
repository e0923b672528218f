/** Which label of a row is the most probable. */

/** Index of the most probable label of a row; the first of equals. */
export function bestOf(probabilities: Float32Array, row: number, width: number): number {
  const start = row * width;
  let best = 0;
  let most = probabilities[start] ?? 0;
  for (let label = 1; label < width; label++) {
    const value = probabilities[start + label] ?? 0;
    if (value > most) {
      most = value;
      best = label;
    }
  }
  return best;
}
