/**
 * Operations that several parts of a TensorFlow graph share, on static shapes: functions from names of outputs
 * to the name of one. What a network's nodes mean is `native-node.ts`.
 */
import type { Attribute, TensorFlowGraph } from "./tensorflow-graph.ts";

export const float = { type: "float32" } as const;
export const int = { type: "int32" } as const;

type Shape = readonly number[];

export function toFloat(graph: TensorFlowGraph, truths: string): string {
  return graph.op("Cast", [truths], { SrcT: { type: "bool" }, DstT: float });
}

export function total(graph: TensorFlowGraph, vector: string): string {
  return graph.op("Sum", [vector, graph.indices([0])], { T: float, Tidx: int, keep_dims: { flag: false } });
}

export function reshape(graph: TensorFlowGraph, x: string, shape: Shape, type: Attribute = float): string {
  return graph.op("Reshape", [x, graph.indices(shape)], { T: type, Tshape: int });
}

export function slice(
  graph: TensorFlowGraph,
  x: string,
  begin: Shape,
  size: Shape,
  type: Attribute = float,
): string {
  return graph.op("Slice", [x, graph.indices(begin), graph.indices(size)], { T: type, Index: int });
}

/** Zeros around x, `before` it and up to the shape `to`. */
export function pad(graph: TensorFlowGraph, x: string, before: Shape, from: Shape, to: Shape): string {
  const around = to.flatMap((length, axis) => {
    const first = before[axis] ?? 0;
    return [first, length - first - (from[axis] ?? 0)];
  });
  return graph.op("Pad", [x, graph.integers(around, [to.length, 2])], { T: float, Tpaddings: int });
}

export function matmul(
  graph: TensorFlowGraph,
  a: string,
  b: string,
  { turnA = false, turnB = false } = {},
): string {
  return graph.op("MatMul", [a, b], { T: float, transpose_a: { flag: turnA }, transpose_b: { flag: turnB } });
}

export function concat(
  graph: TensorFlowGraph,
  parts: readonly string[],
  axis: number,
  type: Attribute = float,
): string {
  return graph.op("ConcatV2", [...parts, graph.index(axis)], {
    T: type,
    Tidx: int,
    N: { int: parts.length },
  });
}

export function addN(graph: TensorFlowGraph, parts: readonly string[]): string {
  return graph.op("AddN", parts, { T: float, N: { int: parts.length } });
}

/** [batch, length, width] → [batch, length - size + 1, size * width]. */
export function unfold(
  graph: TensorFlowGraph,
  x: string,
  [batch = 0, length = 0, width = 0]: Shape,
  size: number,
): string {
  const shifts = Array.from({ length: size }, (_, from) =>
    slice(graph, x, [0, from, 0], [batch, length - size + 1, width]),
  );
  return concat(graph, shifts, 2);
}

/** The way back of `unfold`: [batch, positions, size * width] → the shape `to`. */
export function fold(
  graph: TensorFlowGraph,
  x: string,
  [batch = 0, positions = 0]: Shape,
  to: Shape,
  size: number,
): string {
  const width = to[2] ?? 0;
  const parts = Array.from({ length: size }, (_, from) => {
    const part = slice(graph, x, [0, 0, from * width], [batch, positions, width]);
    return pad(graph, part, [0, from, 0], [batch, positions, width], to);
  });
  return addN(graph, parts);
}
