/**
 * A small transformer encoder (Vaswani et al. 2017) for texts: learned positions, layers normalised at their
 * start (Xiong et al. 2020), the mean over the tokens, one dense layer.
 */
import { accept, refuse } from "../../protocol/refusal.ts";
import type { Graph } from "../network/graph.ts";
import type { Node } from "../network/node.ts";
import { classifierHead } from "./classifier-head.ts";
import { networkBackends } from "../task/network-trainer.ts";
import { numberParam } from "../task/parameter.ts";
import { attentionMask, maskedMean } from "./pooling.ts";
import type { ModelDeclaration } from "../task/task.ts";
import { classificationMetrics, textClassification } from "./text-classification.ts";
import {
  createTextNetwork,
  loadTextNetwork,
  savedTextNetwork,
  textNetworkParameters,
  type TextNetworkModel,
} from "./text-network.ts";

const embeddingDeviation = 0.1;
/** Of the inner layer, in widths. */
const innerFactor = 2;

interface Block {
  readonly name: string;
  readonly heads: number;
  readonly dropout: number;
}

/** x [batch, length, width] → the same: every token looks at all others that are there. */
function attention(graph: Graph, x: Node, absent: Node, { name, heads, dropout }: Block): Node {
  const [batch = 0, length = 0, width = 0] = x.shape;
  const slice = width / heads;
  const project = (part: string): Node => {
    const split = graph.reshape(graph.dense(`${name}.${part}`, x, width), [batch, length, heads, slice]);
    return graph.transpose(split, [0, 2, 1, 3]);
  };
  const [query, key, value] = [project("query"), project("key"), project("value")];
  const scores = graph.scale(graph.matmul(query, key, { transposeB: true }), 1 / Math.sqrt(slice));
  const shares = graph.dropout(graph.softmax(graph.plus(scores, absent)), dropout, `${name}.shares`);
  const mixed = graph.transpose(graph.matmul(shares, value), [0, 2, 1, 3]);
  return graph.dense(`${name}.out`, graph.reshape(mixed, [batch, length, width]), width);
}

function block(graph: Graph, x: Node, absent: Node, options: Block): Node {
  const { dropout, name } = options;
  const width = x.shape[2] ?? 0;
  const seen = attention(graph, graph.layerNorm(`${name}.norm`, x), absent, options);
  const mixed = graph.plus(x, graph.dropout(seen, dropout, `${name}.attention`));
  const even = graph.layerNorm(`${name}.inner.norm`, mixed);
  const inner = graph.gelu(graph.dense(`${name}.inner`, even, innerFactor * width));
  const thought = graph.dense(`${name}.inner.out`, inner, width);
  return graph.plus(mixed, graph.dropout(thought, dropout, `${name}.inner`));
}

const model: TextNetworkModel = {
  model: "transformer",
  build: (params, { vocabulary, length: longest, labels }) => {
    const width = numberParam(params, "width");
    const heads = numberParam(params, "heads");
    const layers = numberParam(params, "layers");
    const dropout = numberParam(params, "dropout");
    if (width % heads !== 0) {
      return refuse(
        "invalid",
        `parameter width of transformer is ${width}; with ${heads} heads it must be a multiple of ${heads}`,
        ["width"],
      );
    }
    return accept((graph, { batch, length }) => {
      const tokens = graph.input("tokens", [batch, length], "int32");
      const mask = graph.positive(tokens);
      const normal = { kind: "normal", deviation: embeddingDeviation } as const;
      const table = graph.weight("embeddings", [vocabulary, width], normal);
      const positions = graph.sliceAxis(graph.weight("positions", [longest, width], normal), 0, 0, length);
      let x = graph.dropout(graph.plus(graph.gather(table, tokens), positions), dropout, "embeddings");
      const absent = attentionMask(graph, mask);
      for (let layer = 0; layer < layers; layer++)
        x = block(graph, x, absent, { name: `layer.${layer}`, heads, dropout });
      const pooled = maskedMean(graph, graph.layerNorm("norm", x), mask);
      return classifierHead(graph, graph.dropout(pooled, dropout, "pooled"), labels);
    });
  },
};

export const transformer: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "a small transformer encoder",
  parameters: {
    lr: { type: "float", min: 1e-5, max: 1, default: 0.003, about: "Adam's learning rate" },
    dropout: {
      type: "float",
      min: 0,
      max: 0.9,
      default: 0.2,
      about: "share of features left out in each training step",
    },
    layers: { type: "int", min: 1, max: 6, default: 1, about: "encoder layers" },
    heads: { type: "int", min: 1, max: 16, default: 4, about: "attention heads; they divide the width" },
    ...textNetworkParameters,
  },
  backends: networkBackends,
  data: "text",
  reference: {
    params: {
      unit: "char",
      length: 16,
      width: 16,
      heads: 2,
      batch: 16,
      rowsPerEpoch: 256,
      dropout: 0,
      lr: 0.01,
    },
    rowsPerEpoch: 256,
    loss: 1.6813,
    examplesPerSecond: 13_000,
  },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 3e-4, max: 0.005 },
    dropout: { distribution: "uniform", min: 0.1, max: 0.5 },
    layers: { distribution: "int", min: 1, max: 2 },
    width: { distribution: "choice", values: [32, 64, 128] },
    heads: { distribution: "choice", values: [2, 4, 8] },
  },
  metrics: classificationMetrics,
  create: (options) => createTextNetwork(model, options),
  load: (bytes, backend) => loadTextNetwork(model, bytes, backend),
  network: (bytes) => savedTextNetwork(model, bytes),
};
