/**
 * What the convolutional, the recurrent and the attending text classifiers share: token rows, lengths to pad to, training, loading
 * and prediction. A model only builds its graph.
 */
import { storedText, storedList } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import type { Program } from "../network/graph.ts";
import { createNetwork, type Network } from "../network/network.ts";
import type { OpenedBackend } from "../runtime/backend.ts";
import { checkpointOf } from "../task/checkpoint-of.ts";
import { classWeightParameters, classWeights } from "../task/class-weight.ts";
import { MetricTally } from "../task/metric.ts";
import { adamOf, bucketOf, networkParameters, networkTrainer } from "../task/network-trainer.ts";
import { numberParam } from "../task/parameter.ts";
import type { Checkpoint } from "../task/checkpoint.ts";
import type { ParameterSpec, Predictor, SavedNetwork, Trainer, TrainerOptions } from "../task/task.ts";
import { rankedPredictions, textClassification, trainableText } from "./text-classification.ts";
import { pick, tokenDataset } from "../task/token-dataset.ts";
import {
  tokenRows,
  vocabularyFrom,
  vocabularySize,
  type TokenUnit,
  type Vocabulary,
} from "../task/token-window.ts";

export interface TextNetworkShape {
  /** Rows of the embedding table. Token 0 fills up short texts. */
  readonly vocabulary: number;
  /** The longest text, in tokens. */
  readonly length: number;
  readonly labels: number;
}

export interface TextNetworkModel {
  readonly model: string;
  /**
   * Tokens of filling a text shorter than the length must have behind it, so that what it scores does not
   * depend on the length it is filled up to; none where left out.
   */
  fillingBehind?(params: Params): number;
  /** The shares of the length that texts are filled up to, where not the usual ones; the last is 1. */
  readonly lengthShares?: readonly number[];
  /** Inputs "tokens" [batch, length], "labels" and "weights" [batch]; `score` gives [batch, labels]. */
  build(params: Params, shape: TextNetworkShape): Outcome<Program["build"]>;
}

/** Texts are filled up to the shortest of these shares of the length that holds them. */
const usualShares = [1 / 4, 1 / 2, 3 / 4, 1];

export const textNetworkParameters = {
  unit: { type: "choice", choices: ["char", "word"], default: "word", about: "what a token is" },
  length: { type: "int", min: 2, max: 512, default: 40, about: "tokens per text; the rest is cut off" },
  width: { type: "int", min: 2, max: 256, default: 64, about: "width of the embeddings" },
  ...networkParameters,
  ...classWeightParameters,
} as const satisfies Record<string, ParameterSpec>;

interface Reading {
  readonly network: Network;
  readonly vocabulary: Vocabulary;
  readonly labels: readonly string[];
  /** Tokens per row. */
  readonly length: number;
  /** Tokens of filling behind a shorter text. */
  readonly behind: number;
}

function unitOf(params: Params): TokenUnit {
  return params["unit"] === "char" ? "char" : "word";
}

function readingOf(
  model: TextNetworkModel,
  params: Params,
  vocabulary: Vocabulary,
  labels: readonly string[],
  seed: number,
  backend: OpenedBackend,
): Outcome<Reading> {
  const length = numberParam(params, "length");
  const built = model.build(params, {
    vocabulary: vocabularySize(vocabulary),
    length,
    labels: labels.length,
  });
  if (!built.ok) return built;
  const behind = model.fillingBehind?.(params) ?? 0;
  const lengths = (model.lengthShares ?? usualShares).map((share) =>
    Math.max(behind + 1, Math.ceil(length * share)),
  );
  const program = {
    batch: numberParam(params, "batch"),
    lengths: [...new Set(lengths)],
    build: built.value,
  };
  const network = createNetwork(backend, { program, seed, optimizer: adamOf(params) });
  return network.ok ? accept({ network: network.value, vocabulary, labels, length, behind }) : network;
}

export function createTextNetwork(model: TextNetworkModel, options: TrainerOptions): Outcome<Trainer> {
  const { params, seed, backend } = options;
  const checked = trainableText(options.dataset);
  if (!checked.ok) return checked;
  const dataset = checked.value;
  const { labels } = dataset;
  const tokens = tokenDataset(dataset, unitOf(params), numberParam(params, "length"));
  const made = readingOf(model, params, tokens.vocabulary, labels, seed, backend);
  if (!made.ok) return made;
  const { network, length, behind, vocabulary } = made.value;
  const truths = Int32Array.from(dataset.train, (example) => example.label);
  const weights = classWeights(params["classWeights"] === "balanced", truths, labels.length);
  const used = usedLengths(tokens.train, length, behind);
  return accept(
    networkTrainer(options, {
      task: textClassification,
      model: model.model,
      labels,
      network,
      rows: {
        count: truths.length,
        lengthOf: (row) => used[row] ?? 0,
        inputs: (rows, to) => ({
          tokens: shortened(tokens.train, rows, length, to),
          labels: pick(truths, rows, 1),
        }),
        weightOf: (row) => weights[truths[row] ?? 0] ?? 1,
      },
      predictor: predictorOf(made.value),
      lossScale: 1,
      evaluate: (split, evaluations) => {
        const probabilities = scoreTokens(made.value, tokens[split]);
        const tally = new MetricTally(labels.length);
        for (const [row, example] of dataset[split].entries())
          tally.add(probabilities, row * labels.length, example.label);
        return evaluations.add(split, tally);
      },
      extra: { vocabulary: JSON.stringify(vocabulary.tokens) },
      constants: new Map(),
    }),
  );
}

const vocabularySchema = storedList(storedText);

function savedTokens(model: TextNetworkModel, { meta }: Checkpoint): Outcome<readonly string[]> {
  try {
    return accept(vocabularySchema.parse(JSON.parse(String(meta.extra["vocabulary"]))));
  } catch {
    return refuse("invalid", `the checkpoint has no vocabulary; it is not one of ${model.model}`);
  }
}

/** The graph of a checkpoint, at the longest length: what a text scores does not depend on how far it is filled up. */
export function savedTextNetwork(model: TextNetworkModel, bytes: Uint8Array): Outcome<SavedNetwork> {
  const saved = checkpointOf({ task: textClassification, model: model.model }, bytes);
  if (!saved.ok) return saved;
  const tokens = savedTokens(model, saved.value);
  if (!tokens.ok) return tokens;
  const { labels, params } = saved.value.meta;
  const vocabulary = vocabularySize(vocabularyFrom(unitOf(params), tokens.value));
  const length = numberParam(params, "length");
  const built = model.build(params, { vocabulary, length, labels: labels.length });
  return built.ok ? accept({ build: built.value, length }) : built;
}

export function loadTextNetwork(
  model: TextNetworkModel,
  bytes: Uint8Array,
  backend: OpenedBackend,
): Outcome<Predictor> {
  const saved = checkpointOf({ task: textClassification, model: model.model }, bytes);
  if (!saved.ok) return saved;
  const { params, labels, seed } = saved.value.meta;
  const tokens = savedTokens(model, saved.value);
  if (!tokens.ok) return tokens;
  const made = readingOf(model, params, vocabularyFrom(unitOf(params), tokens.value), labels, seed, backend);
  if (!made.ok) return made;
  const filled = made.value.network.restore(saved.value.tensors);
  return filled.ok ? accept(predictorOf(made.value)) : filled;
}

function predictorOf(reading: Reading): Predictor {
  const { labels, length, network, vocabulary } = reading;
  const score = (texts: readonly string[]): Float32Array =>
    scoreTokens(reading, tokenRows(texts, vocabulary, length));
  return {
    kind: "text",
    labels,
    probabilities: score,
    predict: (texts) => {
      const probabilities = score(texts);
      return texts.map((_, row) => rankedPredictions(labels, probabilities, row * labels.length));
    },
    dispose: () => network.dispose(),
  };
}

/** [rows, labels] probabilities of tokens [rows, length]: rows of one bucket are scored together. */
function scoreTokens({ network, labels, length, behind }: Reading, tokens: Int32Array): Float32Array {
  const used = usedLengths(tokens, length, behind);
  const out = new Float32Array(used.length * labels.length);
  const { lengths } = network.program;
  for (const bucket of lengths) {
    const rows = Int32Array.from(used.keys()).filter((row) => bucketOf(lengths, used[row] ?? 0) === bucket);
    if (rows.length === 0) continue;
    const scores = network.score({ tokens: shortened(tokens, rows, length, bucket) }, bucket);
    rows.forEach((row, index) =>
      out.set(scores.subarray(index * labels.length, (index + 1) * labels.length), row * labels.length),
    );
  }
  return out;
}

/** Tokens of each row of [rows, length], less those that only fill it up but for `behind` of them. */
function usedLengths(tokens: Int32Array, length: number, behind: number): Int32Array {
  return Int32Array.from({ length: tokens.length / length }, (_, row) => {
    let used = length;
    while (used > 0 && tokens[row * length + used - 1] === 0) used--;
    return Math.min(length, used + behind);
  });
}

/** The given rows of [rows, length], each cut to its first `to` tokens. */
function shortened(tokens: Int32Array, rows: Int32Array, length: number, to: number): Int32Array {
  const out = new Int32Array(rows.length * to);
  rows.forEach((row, index) => out.set(tokens.subarray(row * length, row * length + to), index * to));
  return out;
}
