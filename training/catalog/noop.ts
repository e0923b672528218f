/**
 * A task that learns nothing: its metrics are a plain function of parameters, seed and epoch. It measures
 * what the mesh itself costs, and stands in for training in tests. Checkpoints and resuming are real.
 */
import { setTimeout as wait } from "node:timers/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../task/checkpoint.ts";
import { numberParam } from "../task/parameter.ts";
import { stream } from "../tensor/seeded-stream.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { Metrics, ModelDeclaration, Predictor, Trainer, TrainerOptions } from "../task/task.ts";

function createNoop({ params, seed, backend }: TrainerOptions): Outcome<Trainer> {
  const milliseconds = numberParam(params, "milliseconds");
  const stallAtEpoch = numberParam(params, "stallAtEpoch");
  const numbers = numberParam(params, "numbers");
  let epoch = 0;
  let resumed = false;
  return accept({
    predictor,
    get epoch() {
      return epoch;
    },
    trainEpoch: async () => {
      if (epoch + 1 === stallAtEpoch && !resumed) await Promise.withResolvers<never>().promise;
      if (milliseconds > 0) await wait(milliseconds);
      epoch++;
      return { loss: params["failAtEpoch"] === epoch ? Number.NaN : 1 / (1 + epoch) };
    },
    evaluate: () => noopMetrics(numberParam(params, "x"), seed, epoch),
    save: () =>
      encodeCheckpoint(
        {
          format: "trialmesh-checkpoint",
          version: 1,
          task: noop.task,
          model: noop.model,
          // Nothing is learned, whatever the parameters: trials that got equally far have equal bytes, stored once, but for `numbers`.
          params: {},
          labels: [],
          seed,
          epoch,
          step: epoch,
          backend: backend.name,
          extra: {},
        },
        numbers === 0 ? new Map() : new Map([["numbers", numbersOf(params, seed, epoch, numbers)]]),
      ),
    restore: (bytes) => {
      const saved = decodeCheckpoint(bytes);
      if (!saved.ok) return saved;
      if (saved.value.meta.model !== noop.model)
        return refuse(
          "invalid",
          `the checkpoint is of model ${saved.value.meta.model}, not of ${noop.model}`,
        );
      epoch = saved.value.meta.epoch;
      resumed = true;
      return accept({ exact: true });
    },
    dispose: () => undefined,
  });
}

const predictor: Predictor = { kind: "none", dispose: () => undefined };

/** Of no use but to be a trial's own: others for another x, seed and epoch. */
function numbersOf(params: TrainerOptions["params"], seed: number, epoch: number, count: number): TensorData {
  const random = stream(seed, `noop ${numberParam(params, "x")}`, epoch);
  return { shape: [count], data: Float32Array.from({ length: count }, () => random.next()) };
}

/** Best at x = 0.7, better with every epoch, with a little of the seed's noise. */
export function noopMetrics(x: number, seed: number, epoch: number): Metrics {
  const noise = 0.01 * stream(seed, "noop", epoch).next();
  const accuracy = (1 - (x - 0.7) ** 2) * (1 - 0.5 ** (epoch + 1)) * 0.98 + noise;
  return { accuracy, logLoss: 1 - accuracy };
}

export const noop: ModelDeclaration = {
  task: "noop",
  model: "noop",
  about: "trains nothing; measures what the mesh costs",
  parameters: {
    x: { type: "float", min: 0, max: 1, default: 0.5, about: "the metric is best at 0.7" },
    milliseconds: { type: "int", min: 0, max: 3_600_000, default: 0, about: "how long an epoch takes" },
    failAtEpoch: {
      type: "int",
      min: 0,
      max: 1_000_000,
      default: 0,
      about: "the epoch whose loss is not a number; 0 for none",
    },
    stallAtEpoch: {
      type: "int",
      min: 0,
      max: 1_000_000,
      default: 0,
      about: "the epoch that never ends, unless a checkpoint is gone on from; 0 for none",
    },
    numbers: {
      type: "int",
      min: 0,
      max: 1_000_000,
      default: 0,
      about: "how many numbers of its own each checkpoint has",
    },
  },
  backends: ["none"],
  data: "none",
  reference: null,
  defaultSpace: { x: { distribution: "uniform", min: 0, max: 1 } },
  metrics: ["accuracy", "logLoss"],
  create: createNoop,
  load: () => accept(predictor),
};
