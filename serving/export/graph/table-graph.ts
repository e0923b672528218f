/** The linear model of tables as a graph, and what tables share: from frozen features to scaled ones, and from scaled answers back. */
import { accept, refuse, type Outcome } from "../../../protocol/refusal.ts";
import type { Checkpoint } from "../../../training/task/checkpoint.ts";
import { outputsOf, tableShapeFrom, type TableShape } from "../../../training/tabular/table-model.ts";
import type { FrozenFeature } from "../../../data/manifest/feature.ts";
import { addFeatures } from "./feature-front.ts";
import { TensorGraphBuilder, type TensorGraph } from "./tensor-graph.ts";

/** Frozen features that the graph begins with. */
export type Front = readonly FrozenFeature[] | null;

/** Input of the frozen features, float32 [batch, features]. */
export const featuresInput = "features";

/** `front`: of the data set, to begin with its columns; null to begin with the frozen features. */
export function tableLinearGraph(checkpoint: Checkpoint, front: Front): Outcome<TensorGraph> {
  const shape = tableShapeFrom(checkpoint);
  if (!shape.ok) return shape;
  const { labels, features } = shape.value;
  const outputs = outputsOf(shape.value);
  const weights = checkpoint.tensors.get("weights")?.data;
  const bias = checkpoint.tensors.get("bias")?.data;
  if (weights === undefined || bias === undefined)
    return refuse("invalid", "the checkpoint lacks tensors of model linear; it is damaged");
  const graph = new TensorGraphBuilder();
  // Products are summed in double precision, as our engine sums them.
  const scaled = graph.node({ op: "Cast", to: "float64" }, scaledFeatures(graph, shape.value, front));
  const wide = (name: string, tensor: { shape: readonly number[]; data: Float32Array | Int32Array }) =>
    graph.node({ op: "Cast", to: "float64" }, graph.weight(name, tensor));
  const product = graph.node(
    { op: "MatMul" },
    scaled,
    wide("weights", { shape: [features.length, outputs], data: weights }),
  );
  const scores = graph.node({ op: "Add" }, product, wide("bias", { shape: [outputs], data: bias }));
  const answer = labels === null ? scores : graph.node({ op: "Softmax" }, scores);
  return accept(tableAnswer(graph, shape.value, graph.node({ op: "Cast", to: "float32" }, answer)));
}

/** The input, brought to mean 0 and deviation 1; differences are taken in double precision, as in `scaled`. */
export function scaledFeatures(
  graph: TensorGraphBuilder,
  { scale, features }: TableShape,
  front: Front,
): string {
  const width = features.length;
  const input =
    front === null ? graph.input(featuresInput, "float32", ["batch", width]) : addFeatures(graph, front);
  const wide = (one: string) => graph.node({ op: "Cast", to: "float64" }, one);
  const mean = wide(graph.weight("feature.mean", { shape: [width], data: scale.mean }));
  const factor = wide(graph.weight("feature.factor", { shape: [width], data: scale.factor }));
  const centred = graph.node({ op: "Sub" }, wide(input), mean);
  return graph.node({ op: "Cast", to: "float32" }, graph.node({ op: "Mul" }, centred, factor));
}

/** `answer`: probabilities [batch, labels], or scaled numbers of any shape with one a row. */
export function tableAnswer(
  graph: TensorGraphBuilder,
  { labels, scale }: TableShape,
  answer: string,
): TensorGraph {
  if (labels !== null) return graph.finish(answer, "probabilities", ["batch", labels.length]);
  const wide = graph.node({ op: "Cast", to: "float64" }, answer);
  const grown = graph.node({ op: "Mul" }, wide, graph.scalar(scale.targetDeviation, "float64"));
  const moved = graph.node({ op: "Add" }, grown, graph.scalar(scale.targetMean, "float64"));
  const narrow = graph.node({ op: "Cast", to: "float32" }, moved);
  return graph.finish(graph.node({ op: "Reshape", shape: [-1] }, narrow), "values", ["batch"]);
}
