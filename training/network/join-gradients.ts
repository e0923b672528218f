/**
 * Gradients that come to one node in many small parts, as in a recurrent network, put together in few operations.
 * What each part is comes from `backward.ts`.
 */
import type { Graph } from "./graph.ts";
import { inputOf, type Node } from "./node.ts";

/**
 * The sum of a weight's gradients. Where the weight was multiplied by again and again, as a recurrent network's is,
 * that is one product of all rows under each other, not a sum of as many small products.
 */
export function addUp(graph: Graph, parts: readonly Node[]): Node {
  const turned = parts.every(
    ({ operation, shape }) =>
      operation.kind === "matmul" && operation.transposeA && !operation.transposeB && shape.length === 2,
  );
  if (!turned || parts.length === 1) return graph.addN(parts);
  const rows = (index: number): Node =>
    graph.concat(
      parts.map((part) => inputOf(part, index)),
      0,
    );
  return graph.matmul(rows(0), rows(1), { transposeA: true });
}

/** The gradient of one slice of a node. */
export interface Piece {
  readonly begin: readonly number[];
  readonly gradient: Node;
}

/**
 * Gradients of slices → those of the whole. Slices side by side along one axis, as a recurrent network's steps
 * and gates are, become one concatenation: padding each to the whole would cost its size once per slice.
 */
export function joinPieces(graph: Graph, whole: Node, pieces: readonly Piece[]): readonly Node[] {
  const axes = whole.shape.flatMap((length, axis) =>
    pieces.some(({ gradient }) => gradient.shape[axis] !== length) ? [axis] : [],
  );
  const [axis] = axes;
  const sorted = pieces.toSorted((a, b) => start(a) - start(b));
  function start(piece: Piece): number {
    return piece.begin[axis ?? 0] ?? 0;
  }
  function end(piece: Piece): number {
    return start(piece) + (piece.gradient.shape[axis ?? 0] ?? 0);
  }
  const apart = sorted.every((piece, index) => {
    const next = sorted[index + 1];
    return next === undefined || end(piece) <= start(next);
  });
  if (axis === undefined || axes.length > 1 || !apart)
    return pieces.map(({ begin, gradient }) => graph.pad(gradient, begin, whole.shape));
  const parts: Node[] = [];
  let at = 0;
  const fillTo = (to: number): void => {
    const gap = whole.shape.map((length, index) => (index === axis ? to - at : length));
    if (to > at) parts.push(graph.constant(0, gap));
  };
  for (const piece of sorted) {
    fillTo(start(piece));
    parts.push(piece.gradient);
    at = end(piece);
  }
  fillTo(whole.shape[axis] ?? 0);
  return [graph.concat(parts, axis)];
}
