/**
 * A gated recurrent network (Cho et al. 2014, in the form that resets after the product, as cuDNN and Keras
 * do) for texts, read forwards or both ways, the mean of its states, one dense layer.
 */
import { accept } from "../../protocol/refusal.ts";
import type { Graph } from "../network/graph.ts";
import type { Node } from "../network/node.ts";
import { classifierHead } from "./classifier-head.ts";
import { networkBackends } from "../task/network-trainer.ts";
import { numberParam } from "../task/parameter.ts";
import { tokenCount } from "./pooling.ts";
import type { ModelDeclaration } from "../task/task.ts";
import { classificationMetrics, textClassification } from "./text-classification.ts";
import {
  createTextNetwork,
  loadTextNetwork,
  savedTextNetwork,
  textNetworkParameters,
  type TextNetworkModel,
} from "./text-network.ts";

const embeddingBound = 0.1;
interface Walk {
  readonly name: string;
  readonly units: number;
  readonly backwards: boolean;
}

/**
 * tokens embedded, one [batch, width] per place, and for each whether there is one [batch, 1] → the sum of the
 * states [batch, units]. Gates have weights of their own, and places are not cut out of one tensor: the way
 * back of a cut fills a whole tensor with zeros, which costs half of the time.
 */
function sumOfStates(graph: Graph, places: readonly Place[], { name, units, backwards }: Walk): Node {
  const from = (part: string, x: Node): Node => {
    const width = x.shape[1] ?? 0;
    return graph.matmul(x, graph.weight(`${name}.${part}`, [width, units], { kind: "glorot" }));
  };
  const bias = (part: string): Node => graph.weight(`${name}.${part}.bias`, [units], { kind: "zeros" });
  const states: Node[] = [];
  let state = graph.constant(0, [places[0]?.embedded.shape[0] ?? 0, units]);
  for (const { embedded, present } of backwards ? places.toReversed() : places) {
    const gate = (part: string): Node =>
      graph.sigmoid(graph.plus(graph.plus(from(part, embedded), from(`${part}.state`, state)), bias(part)));
    const update = gate("update");
    const held = graph.plus(from("candidate.state", state), bias("candidate.state"));
    const given = graph.plus(from("candidate", embedded), bias("candidate"));
    const candidate = graph.tanh(graph.plus(given, graph.times(gate("reset"), held)));
    // Where there is no token the state stays as it is.
    const open = graph.times(update, present);
    state = graph.plus(state, graph.times(open, graph.minus(candidate, state)));
    states.push(graph.times(state, present));
  }
  return graph.addN(states);
}

interface Place {
  readonly embedded: Node;
  readonly present: Node;
}

const model: TextNetworkModel = {
  model: "gru",
  // A graph of every place is long, and a runtime takes seconds to prepare it: one fewer than usual.
  lengthShares: [1 / 4, 1 / 2, 1],
  build: (params, { vocabulary, labels }) => {
    const width = numberParam(params, "width");
    const units = numberParam(params, "units");
    const dropout = numberParam(params, "dropout");
    const both = params["direction"] === "both";
    return accept((graph, { batch, length }) => {
      const tokens = graph.input("tokens", [batch, length], "int32");
      const mask = graph.positive(tokens);
      const table = graph.weight("embeddings", [vocabulary, width], {
        kind: "uniform",
        bound: embeddingBound,
      });
      const places = Array.from({ length }, (_, at): Place => {
        const ids = graph.reshape(graph.sliceAxis(tokens, 1, at, 1), [batch]);
        return {
          embedded: graph.dropout(graph.gather(table, ids), dropout, `embeddings.${at}`),
          present: graph.sliceAxis(mask, 1, at, 1),
        };
      });
      const walks = [{ name: "forwards", units, backwards: false }];
      if (both) walks.push({ name: "backwards", units, backwards: true });
      const sums = graph.concat(
        walks.map((walk) => sumOfStates(graph, places, walk)),
        1,
      );
      const pooled = graph.over(sums, tokenCount(graph, mask));
      return classifierHead(graph, graph.dropout(pooled, dropout, "pooled"), labels);
    });
  },
};

export const gru: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "a gated recurrent network",
  parameters: {
    lr: { type: "float", min: 1e-5, max: 1, default: 0.005, about: "Adam's learning rate" },
    dropout: {
      type: "float",
      min: 0,
      max: 0.9,
      default: 0.4,
      about: "share of features left out in each training step",
    },
    units: { type: "int", min: 2, max: 512, default: 64, about: "width of the state" },
    direction: {
      type: "choice",
      choices: ["forwards", "both"],
      default: "both",
      about: "whether texts are read backwards too",
    },
    ...textNetworkParameters,
  },
  backends: networkBackends,
  data: "text",
  reference: {
    params: {
      unit: "char",
      length: 8,
      width: 16,
      units: 16,
      direction: "forwards",
      batch: 16,
      rowsPerEpoch: 256,
      dropout: 0,
      lr: 0.02,
    },
    rowsPerEpoch: 256,
    loss: 1.8949,
    examplesPerSecond: 28_000,
  },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.001, max: 0.02 },
    dropout: { distribution: "uniform", min: 0.1, max: 0.5 },
    width: { distribution: "choice", values: [32, 64, 128] },
    units: { distribution: "choice", values: [32, 64, 96] },
    direction: { distribution: "choice", values: ["forwards", "both"] },
  },
  metrics: classificationMetrics,
  create: (options) => createTextNetwork(model, options),
  load: (bytes, backend) => loadTextNetwork(model, bytes, backend),
  network: (bytes) => savedTextNetwork(model, bytes),
};
