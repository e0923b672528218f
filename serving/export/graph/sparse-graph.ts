/**
 * The models of hashed n-grams as graphs, from the rows that a text's n-grams have in the weight table to its labels'
 * probabilities. Rows are summed one after the other, as our kernel does: another order gives other last digits in a long text.
 */
import { accept, refuse, type Outcome } from "../../../protocol/refusal.ts";
import type { Checkpoint } from "../../../training/task/checkpoint.ts";
import { numberParam } from "../../../training/task/parameter.ts";
import { hingeBend } from "../../../training/sparse/label-code.ts";
import { meanMagnitudes } from "../../../training/text/nbsvm.ts";
import { sliceEnd, TensorGraphBuilder, type TensorGraph } from "./tensor-graph.ts";

/** Input of the rows, int64 [batch, ngrams]; the number of rows stands for none, to fill up a shorter text. */
export const rowsInput = "rows";

export function sparseGraph(checkpoint: Checkpoint): Outcome<TensorGraph> {
  const { meta } = checkpoint;
  switch (meta.model) {
    case "linear":
      return linearGraph(checkpoint);
    case "nbsvm":
      return nbsvmGraph(checkpoint);
    case "fasttext":
      return fasttextGraph(checkpoint);
    default:
      return refuse("invalid", `model ${meta.model} is none of hashed n-grams`);
  }
}

/** The rows of one table summed for each text, and how many they are. */
interface Bag {
  readonly graph: TensorGraphBuilder;
  /** [batch, 1]; at least 1. */
  readonly size: string;
  sum(name: string, table: Float32Array, width: number): string;
}

function bagOf(rows: number): Bag {
  const graph = new TensorGraphBuilder();
  const ids = graph.input(rowsInput, "int64", ["batch", "ngrams"]);
  const there = graph.node({ op: "Less" }, ids, graph.scalar(rows, "int64"));
  const counted = graph.node({ op: "Cast", to: "float32" }, there);
  const count = graph.node({ op: "ReduceSum", axes: [1], keepAxes: true }, counted);
  return {
    graph,
    size: graph.node({ op: "Max" }, count, graph.scalar(1)),
    sum: (name, table, width) => {
      // One more row, of zeros, is what fills up.
      const data = new Float32Array((rows + 1) * width);
      data.set(table);
      const weight = graph.weight(name, { shape: [rows + 1, width], data });
      const sums = graph.node({ op: "CumSum", axis: 1 }, graph.node({ op: "Gather" }, weight, ids));
      const last = graph.node({ op: "Slice", axes: [1], starts: [-1], ends: [sliceEnd] }, sums);
      return graph.node({ op: "Reshape", shape: [-1, width] }, last);
    },
  };
}

function linearGraph(checkpoint: Checkpoint): Outcome<TensorGraph> {
  const labels = checkpoint.meta.labels.length;
  const weights = floatsOf(checkpoint, "weights");
  const bias = floatsOf(checkpoint, "bias");
  if (weights === null || bias === null) return unfit(checkpoint);
  const bag = bagOf(weights.length / labels);
  const scores = scored(bag, bag.sum("weights", weights, labels), bias);
  return accept(probabilities(bag.graph, bag.graph.node({ op: "Softmax" }, scores), labels));
}

function nbsvmGraph(checkpoint: Checkpoint): Outcome<TensorGraph> {
  const { labels: names, params } = checkpoint.meta;
  const labels = names.length;
  const weights = floatsOf(checkpoint, "weights");
  const ratios = floatsOf(checkpoint, "ratios");
  const bias = floatsOf(checkpoint, "bias");
  if (weights === null || ratios === null || bias === null) return unfit(checkpoint);
  const rows = weights.length / labels;
  const mix = numberParam(params, "mix");
  const means = new Float32Array(labels);
  meanMagnitudes(weights, means, rows, 1 - mix);
  const bag = bagOf(rows);
  const { graph } = bag;
  // What the kernel multiplies for each n-gram of each text is the same every time.
  const scaled = weights.map((weight, at) => weight * (ratios[at] ?? 0));
  const learnt = graph.node(
    { op: "Mul" },
    bag.sum("weights", scaled, labels),
    graph.scalar(Math.fround(mix)),
  );
  const mean = graph.weight("means", { shape: [labels], data: means });
  const bayes = graph.node({ op: "Mul" }, bag.sum("ratios", ratios, labels), mean);
  const scores = scored(bag, graph.node({ op: "Add" }, learnt, bayes), bias);
  const answer = params["loss"] === "logistic" ? graph.node({ op: "Softmax" }, scores) : hinge(graph, scores);
  return accept(probabilities(graph, answer, labels));
}

function fasttextGraph(checkpoint: Checkpoint): Outcome<TensorGraph> {
  const labels = checkpoint.meta.labels.length;
  const dim = numberParam(checkpoint.meta.params, "dim");
  const embeddings = floatsOf(checkpoint, "embeddings");
  const output = floatsOf(checkpoint, "output");
  if (embeddings === null || output === null) return unfit(checkpoint);
  const bag = bagOf(embeddings.length / dim);
  const { graph } = bag;
  const share = graph.node({ op: "Div" }, graph.scalar(1), bag.size);
  const mean = graph.node({ op: "Mul" }, bag.sum("embeddings", embeddings, dim), share);
  const layer = graph.weight("output", { shape: [labels, dim], data: output });
  const scores = graph.node(
    { op: "MatMul" },
    mean,
    graph.node({ op: "Transpose", permutation: [1, 0] }, layer),
  );
  return accept(probabilities(graph, graph.node({ op: "Softmax" }, scores), labels));
}

/** Sums of unit length, and the bias. */
function scored({ graph, size }: Bag, sums: string, bias: Float32Array): string {
  const scale = graph.node({ op: "Div" }, graph.scalar(1), graph.node({ op: "Sqrt" }, size));
  const scaled = graph.node({ op: "Mul" }, sums, scale);
  return graph.node({ op: "Add" }, scaled, graph.weight("bias", { shape: [bias.length], data: bias }));
}

/**
 * The squared hinge's probabilities as `hingeProbabilities` has them, in units of the bend: t = (score - bend) / (1 + bend) gives
 * exp(min(0, t)) + max(0, t). Where no t is above zero all are taken relative to the largest, which changes no share and
 * keeps single precision from losing them all.
 */
function hinge(graph: TensorGraphBuilder, scores: string): string {
  const zero = graph.scalar(0);
  const risen = graph.node({ op: "Sub" }, scores, graph.scalar(hingeBend));
  const t = graph.node({ op: "Div" }, risen, graph.scalar(1 + hingeBend));
  const largest = graph.node({ op: "ReduceMax", axes: [1], keepAxes: true }, t);
  const shift = graph.node({ op: "Min" }, largest, zero);
  const below = graph.node({ op: "Sub" }, graph.node({ op: "Min" }, t, zero), shift);
  const shares = graph.node(
    { op: "Add" },
    graph.node({ op: "Exp" }, below),
    graph.node({ op: "Max" }, t, zero),
  );
  const sum = graph.node({ op: "ReduceSum", axes: [1], keepAxes: true }, shares);
  return graph.node({ op: "Div" }, shares, sum);
}

function probabilities(graph: TensorGraphBuilder, answer: string, labels: number): TensorGraph {
  return graph.finish(answer, "probabilities", ["batch", labels]);
}

function floatsOf({ tensors }: Checkpoint, name: string): Float32Array | null {
  const data = tensors.get(name)?.data;
  return data instanceof Float32Array ? data : null;
}

function unfit({ meta }: Checkpoint): Outcome<never> {
  return refuse("invalid", `the checkpoint lacks tensors of model ${meta.model}; it is damaged`);
}
