/** PREDICT-5: explains a sparse classifier of texts: each n-gram adds its own weights, and those of one word are told together. */
import { numberParam } from "../../training/task/parameter.ts";
import type { Checkpoint } from "../../training/task/checkpoint.ts";
import { bucketsTensor, ngramSetting } from "../../training/text/sparse-classifier.ts";
import { NgramSink, type NgramSetting } from "../../training/sparse/ngram-sink.ts";
import { tableFromBuckets, type NgramTable } from "../../training/sparse/ngram.ts";
import { explanationOf, type Explainer, type Explanation } from "./explanation.ts";
import { ngramParts } from "./ngram-part.ts";

/** What the rows of a text add to a label's score, before that is scaled by how many they are. */
interface RowWeights {
  weightOf(row: number, label: number): number;
  biasOf(label: number): number;
  /** Of the sum over so many rows. */
  scaleOf(rows: number): number;
}

/** Null where the model is none of those that add up n-grams. */
export function textExplainer(checkpoint: Checkpoint): Explainer | null {
  const { meta, tensors } = checkpoint;
  const buckets = tensors.get(bucketsTensor)?.data;
  const weights = weightsOf(checkpoint);
  if (weights === null || !(buckets instanceof Int32Array)) return null;
  const setting = ngramSetting(meta.params, { binary: meta.model === "nbsvm" });
  const table = tableFromBuckets(buckets, setting.bucketBits);
  return {
    explain: (rows, row, label) => {
      if (rows.kind !== "text") throw new Error("a classifier of texts explains no table");
      return explained(rows.texts[row] ?? "", label, weights, setting, table);
    },
  };
}

function explained(
  text: string,
  label: number,
  weights: RowWeights,
  setting: NgramSetting,
  table: NgramTable,
): Explanation {
  const sink = new NgramSink(setting);
  sink.add(text);
  const parts = ngramParts(text, setting);
  if (parts.length !== sink.length)
    throw new Error(`a text has ${sink.length} n-grams, and ${parts.length} were told apart`);
  const seen = new Set<number>();
  const found: { readonly part: string; readonly row: number }[] = [];
  for (const [at, part] of parts.entries()) {
    const row = table.rowOfBucket[sink.buckets[at] ?? 0] ?? -1;
    if (row < 0 || (setting.binary && seen.has(row))) continue;
    seen.add(row);
    found.push({ part, row });
  }
  const scale = weights.scaleOf(found.length);
  const sums = new Map<string, number>();
  for (const { part, row } of found)
    sums.set(part, (sums.get(part) ?? 0) + scale * weights.weightOf(row, label));
  return explanationOf(weights.biasOf(label), sums);
}

function weightsOf({ meta, tensors }: Checkpoint): RowWeights | null {
  const numbers = (name: string): Float32Array => {
    const data = tensors.get(name)?.data;
    return data instanceof Float32Array ? data : new Float32Array(0);
  };
  const labels = meta.labels.length;
  const weights = numbers("weights");
  const bias = numbers("bias");
  const biasOf = (label: number) => bias[label] ?? 0;
  const unitLength = (rows: number) => (rows === 0 ? 0 : 1 / Math.sqrt(rows));
  switch (meta.model) {
    case "linear":
      return { weightOf: (row, label) => weights[row * labels + label] ?? 0, biasOf, scaleOf: unitLength };
    case "nbsvm": {
      const ratios = numbers("ratios");
      const mix = numberParam(meta.params, "mix");
      const means = meanMagnitudes(weights, labels);
      return {
        weightOf: (row, label) => {
          const at = row * labels + label;
          return (ratios[at] ?? 0) * (mix * (weights[at] ?? 0) + (1 - mix) * (means[label] ?? 0));
        },
        biasOf,
        scaleOf: unitLength,
      };
    }
    case "fasttext":
      return meanEmbeddings(numbers("embeddings"), numbers("output"), labels);
    default:
      return null;
  }
}

/** The mean of embeddings through one linear layer is a sum over n-grams too. */
function meanEmbeddings(embeddings: Float32Array, output: Float32Array, labels: number): RowWeights {
  const width = output.length / Math.max(1, labels);
  return {
    weightOf: (row, label) => {
      let sum = 0;
      for (let at = 0; at < width; at++)
        sum += (embeddings[row * width + at] ?? 0) * (output[label * width + at] ?? 0);
      return sum;
    },
    biasOf: () => 0,
    scaleOf: (rows) => (rows === 0 ? 0 : 1 / rows),
  };
}

/** Of each label's weights. */
function meanMagnitudes(weights: Float32Array, labels: number): Float64Array {
  const means = new Float64Array(labels);
  const rows = weights.length / Math.max(1, labels);
  for (let at = 0; at < weights.length; at++)
    means[at % labels] = (means[at % labels] ?? 0) + Math.abs(weights[at] ?? 0) / rows;
  return means;
}
