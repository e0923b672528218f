/** One of the race's networks on an opened backend: epochs over the examples, in the order they come. */
import type { AdamOptions } from "../../training/network/adam-options.ts";
import { createNetwork, type Network } from "../../training/network/network.ts";
import type { OpenedBackend } from "../../training/runtime/backend.ts";
import { valueOf } from "../shared/value-of.ts";
import { programOf, sizes, type Examples, type ModelName } from "./workload.ts";

export interface LaneRound {
  /** Examples per second. */
  readonly perSecond: number;
  /** Examples per second of processor time, of all threads: on a shared machine it says more than the clock. */
  readonly perProcessorSecond: number;
  /** Mean log loss of the last epoch. */
  readonly loss: number;
}

export interface OwnLane {
  readonly network: Network;
  round(epochs: number): LaneRound;
}

const seed = 11;

export function openOwnLane(
  backend: OpenedBackend,
  model: ModelName,
  examples: Examples,
  optimizer: AdamOptions,
): OwnLane {
  const network = valueOf(createNetwork(backend, { program: programOf(model), seed, optimizer }));
  const { labels, name, values, width } = examples;
  const { batch, rate } = sizes;
  let step = 0;
  return {
    network,
    round: (epochs) => {
      const begun = performance.now();
      const used = process.cpuUsage();
      let sum = 0;
      for (let epoch = 0; epoch < epochs; epoch++) {
        sum = 0;
        for (let from = 0; from < labels.length; from += batch) {
          const to = Math.min(labels.length, from + batch);
          const inputs = {
            [name]: values.subarray(from * width, to * width),
            labels: labels.subarray(from, to),
          };
          sum += (to - from) * network.step(inputs, { rate, step: step++ });
        }
      }
      const seconds = (performance.now() - begun) / 1000;
      const { system, user } = process.cpuUsage(used);
      const done = epochs * labels.length;
      return {
        perSecond: done / seconds,
        perProcessorSecond: done / ((system + user) / 1e6),
        loss: sum / labels.length,
      };
    },
  };
}
