/** Pieces of graphs over tokens that the text networks share: which tokens are there, and their mean. */
import type { Graph } from "../network/graph.ts";
import type { Node } from "../network/node.ts";

/** A row that only fills up a batch has no tokens; it must not divide by zero. */
const countMin = 1e-6;

/** mask [batch, length] of 0 and 1 → how many are 1, [batch, 1]. */
export function tokenCount(graph: Graph, mask: Node): Node {
  return graph.shift(graph.sum(mask, [1], true), countMin);
}

/** x [batch, length, width], mask [batch, length] of 0 and 1 → [batch, width]: the mean where it is 1. */
export function maskedMean(graph: Graph, x: Node, mask: Node): Node {
  const [batch = 0, length = 0] = x.shape;
  const sum = graph.sum(graph.times(x, graph.reshape(mask, [batch, length, 1])), [1]);
  return graph.over(sum, tokenCount(graph, mask));
}

/** -10^9 for the tokens that are not there, 0 for the others, as [batch, 1, 1, length]: to add to scores. */
export function attentionMask(graph: Graph, mask: Node): Node {
  const [batch = 0, length = 0] = mask.shape;
  return graph.reshape(graph.scale(graph.shift(mask, -1), 1e9), [batch, 1, 1, length]);
}
