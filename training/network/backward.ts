/**
 * The rule of each operation: how the gradient by its output becomes gradients by its inputs. Each is checked against
 * differences of the loss by `tests/core/network-gradient.test.ts`. `differentiate.ts` walks the graph.
 */
import type { Graph } from "./graph.ts";
import { byKind, inputOf, type ByKind, type Node, type OperationOf } from "./node.ts";

/** What stands around a node on the way back. */
interface Back {
  readonly graph: Graph;
  /** By the node's output. */
  readonly gradient: Node;
  readonly gradientIsOne: boolean;
  /** Gives an input its part, by a function, so that no unused node is made. */
  readonly give: (index: number, part: () => Node) => void;
}

/** Gives each input of `node` its part of the gradient, by a function, so that no unused node is made. */
export function backward(
  graph: Graph,
  node: Node,
  gradient: Node,
  gradientIsOne: boolean,
  give: (index: number, part: () => Node) => void,
): void {
  byKind(rules, node, { graph, gradient, gradientIsOne, give });
}

const rules: ByKind<Back, void> = {
  input: nothing,
  weight: nothing,
  constant: nothing,
  positive: nothing,
  equal: nothing,
  dropoutMask: nothing,
  slice: nothing, // `differentiate` puts its pieces together
  add: (node, { give, gradient, graph }) => {
    give(0, () => narrow(graph, gradient, x(node)));
    give(1, () => narrow(graph, gradient, y(node)));
  },
  sub: (node, { give, gradient, graph }) => {
    give(0, () => narrow(graph, gradient, x(node)));
    give(1, () => graph.scale(narrow(graph, gradient, y(node)), -1));
  },
  mul: (node, { give, gradient, graph }) => {
    give(0, () => narrow(graph, graph.times(gradient, y(node)), x(node)));
    give(1, () => narrow(graph, graph.times(gradient, x(node)), y(node)));
  },
  div: (node, { give, gradient, graph }) => {
    give(0, () => narrow(graph, graph.over(gradient, y(node)), x(node)));
    give(1, () => {
      const part = graph.times(gradient, graph.over(node, y(node)));
      return graph.scale(narrow(graph, part, y(node)), -1);
    });
  },
  scale: ({ operation }, { give, gradient, graph }) => give(0, () => graph.scale(gradient, operation.by)),
  shift: (_, { give, gradient }) => give(0, () => gradient),
  addN: (node, { give, gradient }) => {
    for (const index of node.inputs.keys()) give(index, () => gradient);
  },
  relu: (node, { give, gradient, graph }) =>
    give(0, () => graph.add({ kind: "reluGradient" }, [node, gradient], node.shape)),
  tanh: (node, { give, gradient, graph }) =>
    give(0, () => graph.add({ kind: "tanhGradient" }, [node, gradient], node.shape)),
  sigmoid: (node, { give, gradient, graph }) =>
    give(0, () => graph.add({ kind: "sigmoidGradient" }, [node, gradient], node.shape)),
  exp: (node, { give, gradient, graph }) => give(0, () => graph.times(gradient, node)),
  log: (node, { give, gradient, graph }) => give(0, () => graph.over(gradient, x(node))),
  sqrt: (node, { give, gradient, graph }) => give(0, () => graph.scale(graph.over(gradient, node), 0.5)),
  rsqrt: (node, { give, gradient, graph }) =>
    give(0, () => graph.scale(graph.times(gradient, graph.times(graph.unary("square", node), node)), -0.5)),
  square: (node, { give, gradient, graph }) => give(0, () => graph.scale(graph.times(gradient, x(node)), 2)),
  matmul: matmulBack,
  softmax: (node, { give, gradient, graph }) => {
    const weighted = graph.sum(graph.times(gradient, node), [node.shape.length - 1], true);
    give(0, () => graph.times(node, graph.minus(gradient, weighted)));
  },
  gather: (node, { give, gradient, graph }) => {
    const { shape } = x(node);
    const rows = shape[0] ?? 0;
    give(0, () => graph.add({ kind: "segmentSum", rows }, [gradient, y(node)], shape));
  },
  reshape: (node, { give, gradient, graph }) => give(0, () => graph.reshape(gradient, x(node).shape)),
  transpose: ({ operation }, { give, gradient, graph }) => {
    const back = operation.permutation.map((_, axis) => operation.permutation.indexOf(axis));
    give(0, () => graph.transpose(gradient, back));
  },
  pad: (node, { give, gradient, graph }) =>
    give(0, () => graph.slice(gradient, node.operation.before, x(node).shape)),
  concat: concatBack,
  broadcast: (node, { give, gradient, graph }) => give(0, () => narrow(graph, gradient, x(node))),
  sum: meanBack,
  mean: meanBack,
  max: maxBack,
  unfold: (node, { give, gradient, graph }) =>
    give(0, () => graph.add({ kind: "fold", size: node.operation.size }, [gradient], x(node).shape)),
  windowMax: (node, { give, gradient, graph }) => {
    give(0, () => graph.add({ kind: "windowMaxRowGradient" }, [node, gradient], x(node).shape));
    give(1, () => graph.add({ kind: "windowMaxKernelGradient" }, [node, gradient], y(node).shape));
  },
  dropout: (node, { give, gradient, graph }) => give(0, () => graph.times(gradient, y(node))),
  crossEntropy: (node, { give, gradient, gradientIsOne, graph }) => {
    const own = (): Node => graph.add({ kind: "crossEntropyGradient" }, node.inputs, x(node).shape);
    give(0, () => (gradientIsOne ? own() : graph.times(own(), gradient)));
  },
  segmentSum: refuseSecond,
  fold: refuseSecond,
  windowMaxRowGradient: refuseSecond,
  windowMaxKernelGradient: refuseSecond,
  reluGradient: refuseSecond,
  tanhGradient: refuseSecond,
  sigmoidGradient: refuseSecond,
  crossEntropyGradient: refuseSecond,
};

function x(node: Node): Node {
  return inputOf(node, 0);
}

function y(node: Node): Node {
  return inputOf(node, 1);
}

function nothing(): void {}

function matmulBack(node: Node<OperationOf<"matmul">>, { give, gradient, graph }: Back): void {
  const { transposeA, transposeB } = node.operation;
  give(0, () =>
    transposeA
      ? graph.matmul(y(node), gradient, { transposeA: transposeB, transposeB: true })
      : graph.matmul(gradient, y(node), { transposeB: !transposeB }),
  );
  give(1, () =>
    transposeB
      ? graph.matmul(gradient, x(node), { transposeA: true, transposeB: transposeA })
      : graph.matmul(x(node), gradient, { transposeA: !transposeA }),
  );
}

function concatBack(
  { inputs, operation }: Node<OperationOf<"concat">>,
  { give, gradient, graph }: Back,
): void {
  let from = 0;
  for (const [index, input] of inputs.entries()) {
    const begin = from;
    const count = input.shape[operation.axis] ?? 0;
    give(index, () => graph.sliceAxis(gradient, operation.axis, begin, count));
    from += count;
  }
}

function meanBack(node: Node<OperationOf<"sum" | "mean">>, { give, gradient, graph }: Back): void {
  const { axes, kind } = node.operation;
  give(0, () => {
    const { shape } = x(node);
    const wide = graph.broadcastTo(graph.reshape(gradient, withAxes(x(node), axes)), shape);
    const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
    return kind === "sum" ? wide : graph.scale(wide, 1 / count);
  });
}

/** Of equal maxima each takes its share. */
function maxBack(node: Node<OperationOf<"max">>, { give, gradient, graph }: Back): void {
  const { axes } = node.operation;
  give(0, () => {
    const kept = withAxes(x(node), axes);
    const best = graph.equal(x(node), graph.reshape(node, kept));
    const share = graph.over(graph.reshape(gradient, kept), graph.sum(best, axes, true));
    return graph.times(best, share);
  });
}

function refuseSecond({ operation }: Node): never {
  throw new Error(`network graph: ${operation.kind} is of a way back; it has no gradient of its own`);
}

/** Sums a gradient over the axes its input was repeated along. */
function narrow(graph: Graph, part: Node, to: Node): Node {
  const extra = part.shape.length - to.shape.length;
  const axes = [...part.shape.keys()].filter(
    (axis) => axis < extra || (to.shape[axis - extra] === 1 && part.shape[axis] !== 1),
  );
  return graph.reshape(graph.sum(part, axes), to.shape);
}

/** The shape of `x` with the given axes of length 1. */
function withAxes(of: Node, axes: readonly number[]): number[] {
  return of.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}
