/**
 * The trainer around a network: order of rows, batches of like length, learning rate, checkpoints. A model
 * brings the network, its rows, and how it is evaluated. An epoch is `rowsPerEpoch` rows, not the whole split,
 * so that a first rung costs seconds; epochs walk on through one shuffled pass after another.
 */
import type { BackendName } from "../../protocol/capability.ts";
import { accept } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import type { AdamOptions } from "../network/adam-options.ts";
import type { Network, NetworkInputs } from "../network/network.ts";
import { checkpointOf } from "./checkpoint-of.ts";
import { encodeCheckpoint } from "./checkpoint.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { Evaluations } from "./classification-report.ts";
import { numberParam } from "./parameter.ts";
import { permutation } from "../tensor/seeded-stream.ts";
import { rateShare, scheduleOf, scheduleParameters } from "./learning-rate.ts";
import type { Metrics, ParameterSpec, Predictor, Trainer, TrainerOptions } from "./task.ts";
import { rowsAt } from "./token-dataset.ts";

/** Rows are put in order of length within so many batches, so that a batch holds rows of about one length. */
const sortedBatches = 16;

/** Parameters of every network. `lr` is the model's own: what suits one is too much for another. */
/** What a network of `agent/network` trains on. */
export const networkBackends: readonly BackendName[] = [
  "tfjs-node-gpu",
  "tfjs-node",
  "webgpu",
  "wasm",
  "cpu",
];

export const networkParameters = {
  batch: { type: "int", min: 1, max: 1024, default: 64, about: "examples per step" },
  rowsPerEpoch: {
    type: "int",
    min: 64,
    max: 10_000_000,
    default: 16_000,
    about: "examples that make one epoch",
  },
  weightDecay: {
    type: "float",
    min: 0,
    max: 1,
    default: 0,
    about: "decoupled decay of weight matrices, per step and unit of the rate",
  },
  clip: {
    type: "float",
    min: 0.001,
    max: 1000,
    default: 5,
    about: "largest norm of a step's whole gradient",
  },
  ...scheduleParameters,
} as const satisfies Record<string, ParameterSpec>;

export function adamOf(params: Params): AdamOptions {
  return { kind: "adam", decay: numberParam(params, "weightDecay"), clip: numberParam(params, "clip") };
}

/** The training split as a network reads it. */
export interface NetworkRows {
  readonly count: number;
  /** Length of a row; null where rows have none. */
  readonly lengthOf: ((row: number) => number) | null;
  /** These rows one after the other, of a length that holds the longest. */
  inputs(rows: Int32Array, length: number): NetworkInputs;
  /** How much a row counts in the loss. */
  weightOf(row: number): number;
}

export interface NetworkTraining {
  readonly task: string;
  readonly model: string;
  /** Empty for a regression. */
  readonly labels: readonly string[];
  readonly network: Network;
  readonly rows: NetworkRows;
  readonly predictor: Predictor;
  /** What to multiply the network's loss by, to give it in the target's own unit. */
  readonly lossScale: number;
  evaluate(split: "validation" | "test", evaluations: Evaluations): Metrics;
  /** What the predictor needs beside the weights, for the checkpoint. */
  readonly extra: Readonly<Record<string, string>>;
  readonly constants: ReadonlyMap<string, TensorData>;
}

export function networkTrainer(options: TrainerOptions, training: NetworkTraining): Trainer {
  const { params, seed, backend } = options;
  const { network, rows } = training;
  const { lengths } = network.program;
  const lr = numberParam(params, "lr");
  const schedule = scheduleOf(params);
  const batch = numberParam(params, "batch");
  const rowsPerEpoch = Math.min(numberParam(params, "rowsPerEpoch"), rows.count);
  const stepsPerEpoch = Math.ceil(rowsPerEpoch / batch);
  const evaluations = new Evaluations();
  let epoch = 0;

  const trainBatch = (chosen: Int32Array, index: number) => {
    const weights = Float32Array.from(chosen, (row) => rows.weightOf(row));
    const longest = chosen.reduce((most, row) => Math.max(most, rows.lengthOf?.(row) ?? 0), 0);
    const length = bucketOf(lengths, longest);
    const rate = lr * rateShare(schedule, epoch + index / stepsPerEpoch);
    const step = epoch * stepsPerEpoch + index;
    const loss = network.step({ ...rows.inputs(chosen, length), weights }, { rate, step, length });
    return { loss, weight: weights.reduce((sum, weight) => sum + weight, 0) };
  };

  return {
    predictor: training.predictor,
    get epoch() {
      return epoch;
    },
    trainEpoch: () => {
      evaluations.clear();
      const walk = rowsAt(epoch * rowsPerEpoch, rowsPerEpoch, rows.count, seed);
      let sum = 0;
      let total = 0;
      for (const [index, chosen] of batchesOf(walk, batch, rows.lengthOf, seed, epoch).entries()) {
        const { loss, weight } = trainBatch(chosen, index);
        // Nothing comes back from there; the rest of the epoch would be for nothing.
        if (!Number.isFinite(loss)) return Promise.resolve({ loss: Number.NaN });
        sum += loss * weight;
        total += weight;
      }
      epoch++;
      return Promise.resolve({ loss: (training.lossScale * sum) / total });
    },
    evaluate: (split) => training.evaluate(split, evaluations),
    save: () =>
      encodeCheckpoint(
        {
          format: "trialmesh-checkpoint",
          version: 1,
          task: training.task,
          model: training.model,
          params,
          labels: [...training.labels],
          seed,
          epoch,
          step: epoch * stepsPerEpoch,
          backend: backend.name,
          extra: { ...training.extra },
          ...evaluations.meta,
        },
        new Map([...network.tensors(), ...training.constants]),
      ),
    restore: (bytes) => {
      const saved = checkpointOf(training, bytes);
      if (!saved.ok) return saved;
      const filled = network.restore(saved.value.tensors);
      if (!filled.ok) return filled;
      evaluations.clear();
      epoch = saved.value.meta.epoch;
      return accept({ exact: saved.value.meta.backend === backend.name });
    },
    dispose: () => network.dispose(),
  };
}

/** The shortest of the program's lengths that holds so many tokens. */
export function bucketOf(lengths: readonly number[], length: number): number {
  return lengths.find((one) => one >= length) ?? lengths.at(-1) ?? 0;
}

/** The rows of an epoch as batches: where rows have a length, rows of like length together. */
function batchesOf(
  walk: Int32Array,
  batch: number,
  lengthOf: NetworkRows["lengthOf"],
  seed: number,
  epoch: number,
): Int32Array[] {
  const sorted = walk.slice();
  if (lengthOf !== null) {
    const window = sortedBatches * batch;
    for (let from = 0; from < sorted.length; from += window)
      sorted.subarray(from, from + window).sort((a, b) => lengthOf(a) - lengthOf(b));
  }
  const batches = Array.from({ length: Math.ceil(sorted.length / batch) }, (_, index) =>
    sorted.subarray(index * batch, (index + 1) * batch),
  );
  if (lengthOf === null) return batches;
  // Below zero, so that it is not the order in which an epoch walks the rows.
  return Array.from(permutation(batches.length, seed, -1 - epoch), (index) => batches[index]).filter(
    (chosen) => chosen !== undefined,
  );
}
