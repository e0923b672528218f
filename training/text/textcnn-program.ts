/**
 * The graph of `textcnn.ts`: embeddings, windows over them, the maximum over time, dropout, one dense layer.
 * It knows token numbers, not texts or epochs.
 */
import type { Program } from "../network/graph.ts";
import { classifierHead } from "./classifier-head.ts";

export interface TextcnnShape {
  readonly vocabulary: number;
  readonly width: number;
  readonly filters: number;
  /** Window sizes in tokens; no text is shorter than the largest. */
  readonly windows: readonly number[];
  readonly labels: number;
}

/**
 * Inputs: "tokens" [batch, length], 0 fills up; "labels" and "weights" [batch]. Scores: [batch, labels]
 * probabilities. `dropout` is the share of features left out in a training step.
 */
export function buildTextcnn(shape: TextcnnShape, dropout: number): Program["build"] {
  const { vocabulary, width, filters, windows, labels } = shape;
  return (graph, { batch, length }) => {
    const tokens = graph.input("tokens", [batch, length], "int32");
    const bound = 0.5 / Math.sqrt(width);
    const table = graph.weight("embeddings", [vocabulary, width], { kind: "uniform", bound });
    // Zeros where a text is over, and relu behind the maximum: windows of nothing but filling never count, so
    // that a text scores the same however far it is filled up.
    const there = graph.reshape(graph.positive(tokens), [batch, length, 1]);
    const words = graph.times(graph.gather(table, tokens), there);
    const tops = windows.map((size) => {
      const kernel = graph.weight(`kernel.${size}`, [size * width, filters], { kind: "glorot" });
      return graph.relu(graph.windowMax(words, kernel, size));
    });
    // The maximum commutes with bias and relu, and there is much less of it.
    const bias = graph.weight("bias", [filters * windows.length], { kind: "zeros" });
    const features = graph.relu(graph.plus(graph.concat(tops, 1), bias));
    return classifierHead(graph, graph.dropout(features, dropout, "features"), labels);
  };
}
