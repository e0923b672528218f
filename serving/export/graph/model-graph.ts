/** The graph of any built-in model's checkpoint. A model without arithmetic is refused by name. */
import { accept, refuse, type Outcome } from "../../../protocol/refusal.ts";
import { findModel } from "../../../training/catalog/model-catalog.ts";
import { tableShapeFrom } from "../../../training/tabular/table-model.ts";
import type { Checkpoint } from "../../../training/task/checkpoint.ts";
import type { SavedNetwork } from "../../../training/task/task.ts";
import { addNetwork } from "./network-graph.ts";
import { sparseGraph } from "./sparse-graph.ts";
import { scaledFeatures, tableAnswer, tableLinearGraph, type Front } from "./table-graph.ts";
import { TensorGraphBuilder, type TensorGraph } from "./tensor-graph.ts";

/** Input of a text's tokens, int64 [batch, length]; 0 fills up. */
const tokensInput = "tokens";

/** `bytes`: those that the checkpoint was read from. `front`: of a table, to begin with the data set's columns. */
export function modelGraph(
  checkpoint: Checkpoint,
  bytes: Uint8Array,
  front: Front = null,
): Outcome<TensorGraph> {
  const { meta } = checkpoint;
  const found = findModel(meta.task, meta.model);
  if (!found.ok) return found;
  const { data, network } = found.value;
  if (data === "none")
    return refuse(
      "invalid",
      `model ${meta.model} of task ${meta.task} computes nothing that could be exported; artifact get brings its bytes`,
    );
  if (network !== undefined) {
    const saved = network(bytes);
    if (!saved.ok) return saved;
    return data === "text"
      ? textNetworkGraph(checkpoint, saved.value)
      : tableNetworkGraph(checkpoint, saved.value, front);
  }
  return data === "text" ? sparseGraph(checkpoint) : tableLinearGraph(checkpoint, front);
}

function textNetworkGraph({ meta, tensors }: Checkpoint, network: SavedNetwork): Outcome<TensorGraph> {
  const graph = new TensorGraphBuilder();
  const tokens = graph.input(tokensInput, "int64", ["batch", network.length]);
  const score = addNetwork(graph, network, tensors, { tokens });
  if (!score.ok) return score;
  return accept(graph.finish(score.value, "probabilities", ["batch", meta.labels.length]));
}

function tableNetworkGraph(
  checkpoint: Checkpoint,
  network: SavedNetwork,
  front: Front,
): Outcome<TensorGraph> {
  const shape = tableShapeFrom(checkpoint);
  if (!shape.ok) return shape;
  const graph = new TensorGraphBuilder();
  const features = scaledFeatures(graph, shape.value, front);
  const score = addNetwork(graph, network, checkpoint.tensors, { features });
  return score.ok ? accept(tableAnswer(graph, shape.value, score.value)) : score;
}
