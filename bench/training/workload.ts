/**
 * What the training race is run on: three networks, their sizes, made-up examples, and the weights they begin
 * with, written out so that every lane starts from the same numbers. It trains nothing.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Graph, Program } from "../../training/network/graph.ts";
import type { Node } from "../../training/network/node.ts";
import { buildTextcnn } from "../../training/text/textcnn-program.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";

export const models = ["textcnn", "gru", "mlp"] as const;
export type ModelName = (typeof models)[number];

export interface Sizes {
  readonly batch: number;
  readonly length: number;
  readonly vocabulary: number;
  readonly width: number;
  readonly filters: number;
  readonly windows: readonly number[];
  readonly units: number;
  readonly features: number;
  readonly hidden: readonly number[];
  readonly labels: number;
  readonly rate: number;
}

export const sizes: Sizes = {
  batch: 64,
  length: 40,
  vocabulary: 20_000,
  width: 64,
  filters: 100,
  windows: [3, 4, 5],
  units: 64,
  features: 64,
  hidden: [256, 256],
  labels: 4,
  rate: 1e-3,
};

const seed = 5;
/** Share of a text's tokens that tell its label. */
const tellingShare = 0.15;
/** Telling tokens of a label. */
const tellingTokens = 50;

export interface Examples {
  readonly labels: Int32Array;
  /** tokens [rows, length] or features [rows, features], by the name of the network's input. */
  readonly name: "tokens" | "features";
  readonly values: Int32Array | Float32Array;
  /** Numbers per row. */
  readonly width: number;
}

/** Texts by Zipf's law with a few telling tokens, or features around a centre for each label. */
export function examplesOf(model: ModelName, rows: number): Examples {
  const random = stream(seed, `examples/${model}`, 0);
  const labels = Int32Array.from({ length: rows }, () => Math.floor(random.next() * sizes.labels));
  if (model === "mlp") {
    const width = sizes.features;
    const centres = Float32Array.from({ length: sizes.labels * width }, () => random.next() - 0.5);
    const values = Float32Array.from({ length: rows * width }, (_, at) => {
      const label = labels[Math.floor(at / width)] ?? 0;
      return (centres[label * width + (at % width)] ?? 0) + 4 * (random.next() - 0.5);
    });
    return { labels, name: "features", values, width };
  }
  const width = sizes.length;
  const values = Int32Array.from({ length: rows * width }, (_, at) => {
    const label = labels[Math.floor(at / width)] ?? 0;
    if (random.next() < tellingShare)
      return sizes.vocabulary - 1 - label * tellingTokens - Math.floor(random.next() * tellingTokens);
    // The inverse of Zipf's distribution function, by its continuous form; token 0 is left out.
    return Math.min(sizes.vocabulary - 1, Math.floor(sizes.vocabulary ** random.next()));
  });
  return { labels, name: "tokens", values, width };
}

export function programOf(model: ModelName): Program {
  const { batch, labels, length } = sizes;
  if (model === "textcnn") return { batch, lengths: [length], build: buildTextcnn(sizes, 0) };
  const finish = (graph: Graph, features: Node) => {
    const logits = graph.dense("output", features, labels);
    const truths = graph.input("labels", [batch], "int32");
    const weights = graph.input("weights", [batch], "float32");
    return { loss: graph.crossEntropy(logits, truths, weights), score: graph.softmax(logits) };
  };
  if (model === "gru") return { batch, lengths: [length], build: (graph) => finish(graph, lastState(graph)) };
  return {
    batch,
    lengths: [0],
    build: (graph) => {
      let x = graph.input("features", [batch, sizes.features], "float32");
      for (const [index, units] of sizes.hidden.entries())
        x = graph.relu(graph.dense(`hidden${index}`, x, units));
      return finish(graph, x);
    },
  };
}

/** A gated recurrent unit as cuDNN and Keras compute it: gates z, r, candidate; reset after the product. */
function lastState(graph: Graph): Node {
  const { batch, length, units, vocabulary, width } = sizes;
  const tokens = graph.input("tokens", [batch, length], "int32");
  const table = graph.weight("embeddings", [vocabulary, width], { kind: "uniform", bound: 0.05 });
  // Time first, so that a step's rows lie side by side.
  const words = graph.gather(table, graph.transpose(tokens, [1, 0]));
  const inputs = graph.dense("gru", words, 3 * units);
  let state = graph.constant(0, [batch, units]);
  for (let time = 0; time < length; time++) {
    const input = graph.reshape(graph.sliceAxis(inputs, 0, time, 1), [batch, 3 * units]);
    const held = graph.dense("gru.state", state, 3 * units);
    const gates = graph.sigmoid(
      graph.plus(graph.sliceAxis(input, 1, 0, 2 * units), graph.sliceAxis(held, 1, 0, 2 * units)),
    );
    const update = graph.sliceAxis(gates, 1, 0, units);
    const reset = graph.times(
      graph.sliceAxis(gates, 1, units, units),
      graph.sliceAxis(held, 1, 2 * units, units),
    );
    const candidate = graph.tanh(graph.plus(graph.sliceAxis(input, 1, 2 * units, units), reset));
    state = graph.plus(candidate, graph.times(update, graph.minus(state, candidate)));
  }
  return state;
}

/** One of the peers' weights: what they call it, and which of ours it is, one after the other. */
interface PeerWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly ours: readonly string[];
}

function peerWeights(model: ModelName): readonly PeerWeight[] {
  const { filters, features, hidden, labels, units, vocabulary, width, windows } = sizes;
  const dense = (name: string, inputs: number, outputs: number): PeerWeight[] => [
    { name: `${name}/kernel`, shape: [inputs, outputs], ours: [name] },
    { name: `${name}/bias`, shape: [outputs], ours: [`${name}.bias`] },
  ];
  const table = { name: "embeddings/table", shape: [vocabulary, width], ours: ["embeddings"] };
  switch (model) {
    case "textcnn":
      return [
        table,
        ...windows.map((size) => ({
          name: `kernel.${size}/kernel`,
          shape: [size, width, filters],
          ours: [`kernel.${size}`],
        })),
        { name: "bias/bias", shape: [filters * windows.length], ours: ["bias"] },
        ...dense("output", filters * windows.length, labels),
      ];
    case "gru":
      return [
        table,
        { name: "gru/kernel", shape: [width, 3 * units], ours: ["gru"] },
        { name: "gru/recurrent", shape: [units, 3 * units], ours: ["gru.state"] },
        { name: "gru/bias", shape: [2, 3 * units], ours: ["gru.bias", "gru.state.bias"] },
        ...dense("output", units, labels),
      ];
    case "mlp":
      return [
        ...hidden.flatMap((outputs, index) =>
          dense(`hidden${index}`, hidden[index - 1] ?? features, outputs),
        ),
        ...dense("output", hidden.at(-1) ?? features, labels),
      ];
  }
}

/** What a peer reads: sizes.json, the examples, and each weight as raw float32. */
export function writeWorkload(
  folder: string,
  model: ModelName,
  examples: Examples,
  weights: ReadonlyMap<string, { readonly data: Float32Array | Int32Array }>,
  threads: number,
  stepsPerExecution: number,
): void {
  mkdirSync(folder, { recursive: true });
  const peers = peerWeights(model);
  const put = (name: string, values: readonly (Float32Array | Int32Array)[]): void => {
    const bytes = values.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
    writeFileSync(join(folder, name), Buffer.concat(bytes));
  };
  const described = peers.map(({ name, shape }) => ({ name, shape }));
  writeFileSync(
    join(folder, "sizes.json"),
    JSON.stringify({ ...sizes, threads, stepsPerExecution, weights: described }),
  );
  put("labels", [examples.labels]);
  put(examples.name, [examples.values]);
  for (const { name, ours } of peers) {
    const parts = ours.map((own) => {
      const found = weights.get(own);
      if (found === undefined) throw new Error(`the network has no weight ${own}`);
      return found.data;
    });
    put(`${name.replaceAll("/", ".")}.weight`, parts);
  }
}
