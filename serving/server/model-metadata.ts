/** What the Open Inference Protocol and Triton's extensions say of a server and its models, as values that become JSON. */
import { observedCount } from "../batch/histogram.ts";
import type { LaneCounters } from "../batch/lane-counter.ts";
import type { TensorDescription } from "../model/tensor.ts";
import type { DescribedModel } from "../protocol/described-model.ts";

export const platform = "trialmesh";
export const extensions = [
  "binary_tensor_data",
  "classification",
  "model_configuration",
  "model_repository",
  "statistics",
];

export function modelMetadata(
  { inputs, model, outputs }: DescribedModel,
  versions: readonly number[],
): object {
  const { algorithm, digest, signature, task } = model;
  return {
    name: model.model,
    versions: versions.map(String),
    platform: `${platform}_${algorithm}`,
    inputs,
    outputs,
    parameters: {
      ...{ version: String(model.version), digest, task, algorithm, target: signature.target },
      ...(signature.labels === null ? {} : { labels: signature.labels }),
      optional: signature.inputs.filter(({ optional }) => optional).map(({ name }) => name),
    },
  };
}

/** Triton's model configuration, as much of it as clients read. */
export function modelConfig({ inputs, model, outputs }: DescribedModel, batchRowsMax: number): object {
  const tensor = ({ datatype, name, shape }: TensorDescription) => ({
    name,
    data_type: `TYPE_${datatype === "BYTES" ? "STRING" : datatype}`,
    dims: shape.length === 1 ? [1] : shape.slice(1),
  });
  return {
    ...{ name: model.model, platform, backend: platform, max_batch_size: batchRowsMax },
    ...{ input: inputs.map(tensor), output: outputs.map(tensor), dynamic_batching: {} },
    version_policy: { specific: { versions: [model.version] } },
  };
}

/** Triton's statistics of one version. */
export function modelStats({ model }: DescribedModel, counters: LaneCounters): object {
  const { batches, computeMs, failure, queueMs, rows, seconds, success } = counters;
  const duration = (count: number, ms: number) => ({ count, ns: Math.round(ms * 1e6) });
  return {
    ...{ name: model.model, version: String(model.version), inference_count: rows, execution_count: batches },
    inference_stats: {
      success: duration(success, seconds.sum * 1_000),
      fail: duration(failure, 0),
      queue: duration(observedCount(seconds), queueMs),
      compute_input: duration(batches, 0),
      compute_infer: duration(batches, computeMs),
      compute_output: duration(batches, 0),
    },
    batch_stats: [],
  };
}
