/** How every network over labels ends: scores of the labels, their loss against the truths, their probabilities. */
import type { Built, Graph } from "../network/graph.ts";
import type { Node } from "../network/node.ts";

/** `features` [batch, width]; adds the inputs `labels` int32 [batch] and `weights` float32 [batch]. */
export function classifierHead(graph: Graph, features: Node, labels: number): Built {
  const batch = features.shape[0] ?? 0;
  const logits = graph.dense("output", features, labels);
  const truths = graph.input("labels", [batch], "int32");
  const weights = graph.input("weights", [batch], "float32");
  return { loss: graph.crossEntropy(logits, truths, weights), score: graph.softmax(logits) };
}
