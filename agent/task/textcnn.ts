/**
 * Kim's convolutional text classifier (2014) on TensorFlow.js, small enough for a script backend: windows
 * over character or word embeddings, maximum over time, dropout, one dense layer, Adam.
 * An epoch is `rowsPerEpoch` rows, not the whole split, so that a first rung costs seconds; epochs walk on
 * through one shuffled pass after another, and every row is seen equally often.
 */
import * as z from "zod";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import type { OpenedBackend } from "../runtime/backend.ts";
import { decodeCheckpoint, encodeCheckpoint, fillTensors, type Checkpoint } from "./checkpoint.ts";
import { MetricTally } from "./metric.ts";
import { numberParam } from "./parameter.ts";
import type { Metrics, ModelDeclaration, Predictor, Trainer, TrainerOptions } from "./task.ts";
import {
  classificationMetrics,
  rankedPredictions,
  textClassification,
  trainableText,
} from "./text-classification.ts";
import { pick, rowsAt, tokenDataset } from "./token-dataset.ts";
import { createNetwork, type Network, type NetworkShape } from "./textcnn-network.ts";
import {
  tokenRows,
  vocabularyFrom,
  vocabularySize,
  type TokenUnit,
  type Vocabulary,
} from "./token-window.ts";

const model = "textcnn";
const scoreBatch = 256;

function networkOf(
  params: Params,
  backend: OpenedBackend,
  vocabulary: Vocabulary,
  labels: number,
  seed: number,
): Outcome<{
  readonly network: Network;
  readonly shape: NetworkShape;
}> {
  if (backend.tf === null)
    return refuse("invalid", `model ${model} needs TensorFlow.js, which backend ${backend.name} is not`);
  const windows = String(params["windows"]).split("-").map(Number);
  const length = numberParam(params, "length");
  const largest = Math.max(...windows);
  if (length < largest) {
    return refuse(
      "invalid",
      `parameter length of ${model} is ${length}; with windows ${params["windows"]} it must be at least ${largest}`,
    );
  }
  const width = numberParam(params, "width");
  const shape = {
    vocabulary: vocabularySize(vocabulary),
    length,
    width,
    filters: numberParam(params, "filters"),
    windows,
    labels,
  };
  const network = createNetwork(backend.tf, shape, {
    lr: numberParam(params, "lr"),
    dropout: numberParam(params, "dropout"),
    seed,
  });
  return accept({ network, shape });
}

function unitOf(params: Params): TokenUnit {
  return params["unit"] === "word" ? "word" : "char";
}

function createTextcnn(options: TrainerOptions): Outcome<Trainer> {
  const { params, seed, backend } = options;
  const checked = trainableText(options.dataset);
  if (!checked.ok) return checked;
  const dataset = checked.value;
  const { labels } = dataset;
  const tokens = tokenDataset(dataset, unitOf(params), numberParam(params, "length"));
  const made = networkOf(params, backend, tokens.vocabulary, labels.length, seed);
  if (!made.ok) return made;
  const { network, shape } = made.value;
  const rowsPerEpoch = Math.min(numberParam(params, "rowsPerEpoch"), dataset.train.length);
  const batch = numberParam(params, "batch");
  const truths = Int32Array.from(dataset.train, (example) => example.label);
  let epoch = 0;
  let step = 0;
  return accept({
    predictor: predictorOf(network, shape, labels, tokens.vocabulary),
    get epoch() {
      return epoch;
    },
    trainEpoch: () => {
      let sum = 0;
      for (let done = 0; done < rowsPerEpoch; done += batch) {
        const count = Math.min(batch, rowsPerEpoch - done);
        const rows = rowsAt(epoch * rowsPerEpoch + done, count, truths.length, seed);
        sum += count * network.step(pick(tokens.train, rows, shape.length), pick(truths, rows, 1), step++);
      }
      epoch++;
      return Promise.resolve({ loss: sum / rowsPerEpoch });
    },
    evaluate: (split) =>
      evaluate(
        network,
        shape,
        tokens[split],
        dataset[split].map((example) => example.label),
      ),
    save: () =>
      encodeCheckpoint(
        {
          format: "trialmesh-checkpoint",
          version: 1,
          task: textClassification,
          model,
          params,
          labels: [...labels],
          seed,
          epoch,
          step,
          backend: backend.name,
          extra: { vocabulary: JSON.stringify(tokens.vocabulary.tokens) },
        },
        network.tensors,
      ),
    restore: (bytes) => {
      const saved = readCheckpoint(bytes, network);
      if (!saved.ok) return saved;
      ({ epoch, step } = saved.value.meta);
      return accept(null);
    },
    dispose: () => undefined,
  });
}

function evaluate(
  network: Network,
  shape: NetworkShape,
  tokens: Int32Array,
  labels: readonly number[],
): Metrics {
  const tally = new MetricTally(shape.labels);
  for (let from = 0; from < labels.length; from += scoreBatch) {
    const to = Math.min(labels.length, from + scoreBatch);
    const probabilities = network.probabilities(tokens.subarray(from * shape.length, to * shape.length));
    for (let row = from; row < to; row++)
      tally.add(probabilities, (row - from) * shape.labels, labels[row] ?? 0);
  }
  return { ...tally.result() };
}

function readCheckpoint(bytes: Uint8Array, network: Network): Outcome<Checkpoint> {
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const { meta, tensors } = decoded.value;
  if (meta.model !== model)
    return refuse("invalid", `the checkpoint is of model ${meta.model}, not of ${model}`);
  const filled = fillTensors(network.tensors, tensors);
  return filled.ok ? decoded : filled;
}

function predictorOf(
  network: Network,
  shape: NetworkShape,
  labels: readonly string[],
  vocabulary: Vocabulary,
): Predictor {
  return {
    kind: "text",
    labels,
    predict: (texts) => {
      const rows = [];
      for (let from = 0; from < texts.length; from += scoreBatch) {
        const part = texts.slice(from, from + scoreBatch);
        const probabilities = network.probabilities(tokenRows(part, vocabulary, shape.length));
        for (let row = 0; row < part.length; row++)
          rows.push(rankedPredictions(labels, probabilities, row * labels.length));
      }
      return rows;
    },
    dispose: () => undefined,
  };
}

const vocabularySchema = z.array(z.string());

function loadTextcnn(bytes: Uint8Array, backend: OpenedBackend): Outcome<Predictor> {
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const { params, labels, seed, extra } = decoded.value.meta;
  let tokens: readonly string[];
  try {
    tokens = vocabularySchema.parse(JSON.parse(String(extra["vocabulary"])));
  } catch {
    return refuse("invalid", "the checkpoint has no vocabulary; it is not one of a text CNN");
  }
  const vocabulary = vocabularyFrom(unitOf(params), tokens);
  const made = networkOf(params, backend, vocabulary, labels.length, seed);
  if (!made.ok) return made;
  const saved = readCheckpoint(bytes, made.value.network);
  if (!saved.ok) return saved;
  return accept(predictorOf(made.value.network, made.value.shape, labels, vocabulary));
}

export const textcnn: ModelDeclaration = {
  task: textClassification,
  model,
  about: "a small convolutional network on character or word embeddings",
  parameters: {
    lr: { type: "float", min: 1e-5, max: 1, default: 0.01, about: "Adam's learning rate" },
    dropout: {
      type: "float",
      min: 0,
      max: 0.9,
      default: 0.2,
      about: "share of features left out in each training step",
    },
    unit: { type: "choice", choices: ["char", "word"], default: "char", about: "what a token is" },
    length: { type: "int", min: 2, max: 512, default: 28, about: "tokens per text; the rest is cut off" },
    width: { type: "int", min: 2, max: 256, default: 16, about: "width of the embeddings" },
    filters: { type: "int", min: 2, max: 512, default: 48, about: "filters per window size" },
    windows: {
      type: "choice",
      choices: ["2", "3", "2-3", "2-3-4", "3-4-5"],
      default: "2-3-4",
      about: "window sizes in tokens",
    },
    batch: { type: "int", min: 1, max: 1024, default: 64, about: "examples per step" },
    rowsPerEpoch: {
      type: "int",
      min: 64,
      max: 10_000_000,
      default: 16_000,
      about: "examples that make one epoch",
    },
  },
  backends: ["tfjs-node-gpu", "tfjs-node", "wasm", "cpu"],
  data: "text",
  reference: {
    params: { rowsPerEpoch: 512, batch: 16, lr: 0.01 },
    rowsPerEpoch: 512,
    loss: 1.3044,
    examplesPerSecond: 10_000,
  },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.003, max: 0.03 },
    dropout: { distribution: "uniform", min: 0, max: 0.4 },
    width: { distribution: "choice", values: [16, 24, 32] },
    filters: { distribution: "choice", values: [32, 48, 64] },
    windows: { distribution: "choice", values: ["2-3", "2-3-4"] },
  },
  metrics: classificationMetrics,
  create: createTextcnn,
  load: loadTextcnn,
};
