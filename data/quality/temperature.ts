/**
 * Scores as probabilities: a softmax at the temperature under which the given labels are likeliest (Guo et al. 2017). One
 * number for all rows; it changes how sure a model is, never what it holds likeliest.
 */
import { softmax } from "../../numeric/softmax.ts";

/** Natural logs of the sharpness searched, 1/temperature: where all is right, without end it would make noise sure. */
const sharpness = { least: Math.log(0.01), most: Math.log(20) } as const;
const searchSteps = 30;
const golden = (Math.sqrt(5) - 1) / 2;

/** [rows, classes] in, the same out; each row sums to 1. */
export function atBestTemperature(scores: Float64Array, labels: Int32Array, classes: number): Float64Array {
  const own = new Float64Array(classes);
  const each = (factor: number, row: number) => {
    for (let label = 0; label < classes; label++) own[label] = factor * (scores[row * classes + label] ?? 0);
    softmax(own);
  };
  const loss = (log: number) => {
    let sum = 0;
    for (const [row, label] of labels.entries()) {
      each(Math.exp(log), row);
      sum -= Math.log(Math.max(own[label] ?? 0, Number.MIN_VALUE));
    }
    return sum;
  };
  let { least, most }: { least: number; most: number } = sharpness;
  for (let step = 0; step < searchSteps; step++) {
    const width = golden * (most - least);
    if (loss(most - width) <= loss(least + width)) most = least + width;
    else least = most - width;
  }
  const probabilities = new Float64Array(scores.length);
  const best = Math.exp((least + most) / 2);
  for (let row = 0; row < labels.length; row++) {
    each(best, row);
    probabilities.set(own, row * classes);
  }
  return probabilities;
}
