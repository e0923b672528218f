/**
 * The rule of each operation: how the gradient by its output becomes gradients by its inputs. Each is checked against
 * differences of the loss by `tests/core/network-gradient.test.ts`. `differentiate.ts` walks the graph.
 */
import type { Graph } from "./graph.ts";
import { inputOf, type Node, type Operation } from "./node.ts";

/** Gives each input of `node` its part of the gradient, by a function, so that no unused node is made. */
export function backward(
  graph: Graph,
  node: Node,
  gradient: Node,
  gradientIsOne: boolean,
  give: (index: number, part: () => Node) => void,
): void {
  const { operation } = node;
  const x = () => inputOf(node, 0);
  const y = () => inputOf(node, 1);
  /** Sums a gradient over the axes its input was repeated along. */
  const narrow = (part: Node, to: Node): Node => {
    const extra = part.shape.length - to.shape.length;
    const axes = [...part.shape.keys()].filter(
      (axis) => axis < extra || (to.shape[axis - extra] === 1 && part.shape[axis] !== 1),
    );
    return graph.reshape(graph.sum(part, axes), to.shape);
  };
  switch (operation.kind) {
    case "input":
    case "weight":
    case "constant":
    case "positive":
    case "equal":
    case "dropoutMask":
    case "slice": // `differentiate` puts its pieces together
      return;
    case "add":
      give(0, () => narrow(gradient, x()));
      give(1, () => narrow(gradient, y()));
      return;
    case "sub":
      give(0, () => narrow(gradient, x()));
      give(1, () => graph.scale(narrow(gradient, y()), -1));
      return;
    case "mul":
      give(0, () => narrow(graph.times(gradient, y()), x()));
      give(1, () => narrow(graph.times(gradient, x()), y()));
      return;
    case "div":
      give(0, () => narrow(graph.over(gradient, y()), x()));
      give(1, () => graph.scale(narrow(graph.times(gradient, graph.over(node, y())), y()), -1));
      return;
    case "scale":
      give(0, () => graph.scale(gradient, operation.by));
      return;
    case "shift":
      give(0, () => gradient);
      return;
    case "addN":
      for (const index of node.inputs.keys()) give(index, () => gradient);
      return;
    case "relu":
      give(0, () => graph.add({ kind: "reluGradient" }, [node, gradient], node.shape));
      return;
    case "tanh":
      give(0, () => graph.add({ kind: "tanhGradient" }, [node, gradient], node.shape));
      return;
    case "sigmoid":
      give(0, () => graph.add({ kind: "sigmoidGradient" }, [node, gradient], node.shape));
      return;
    case "exp":
      give(0, () => graph.times(gradient, node));
      return;
    case "log":
      give(0, () => graph.over(gradient, x()));
      return;
    case "sqrt":
      give(0, () => graph.scale(graph.over(gradient, node), 0.5));
      return;
    case "rsqrt":
      give(0, () => graph.scale(graph.times(gradient, graph.times(graph.unary("square", node), node)), -0.5));
      return;
    case "square":
      give(0, () => graph.scale(graph.times(gradient, x()), 2));
      return;
    case "matmul": {
      const { transposeA, transposeB } = operation;
      give(0, () =>
        transposeA
          ? graph.matmul(y(), gradient, { transposeA: transposeB, transposeB: true })
          : graph.matmul(gradient, y(), { transposeB: !transposeB }),
      );
      give(1, () =>
        transposeB
          ? graph.matmul(gradient, x(), { transposeA: true, transposeB: transposeA })
          : graph.matmul(x(), gradient, { transposeA: !transposeA }),
      );
      return;
    }
    case "softmax": {
      const weighted = graph.sum(graph.times(gradient, node), [node.shape.length - 1], true);
      give(0, () => graph.times(node, graph.minus(gradient, weighted)));
      return;
    }
    case "gather": {
      const rows = x().shape[0] ?? 0;
      give(0, () => graph.add({ kind: "segmentSum", rows }, [gradient, y()], x().shape));
      return;
    }
    case "reshape":
      give(0, () => graph.reshape(gradient, x().shape));
      return;
    case "transpose": {
      const back = operation.permutation.map((_, axis) => operation.permutation.indexOf(axis));
      give(0, () => graph.transpose(gradient, back));
      return;
    }
    case "pad":
      give(0, () => graph.slice(gradient, operation.before, x().shape));
      return;
    case "concat": {
      let from = 0;
      for (const [index, input] of node.inputs.entries()) {
        const begin = from;
        const count = input.shape[operation.axis] ?? 0;
        give(index, () => graph.sliceAxis(gradient, operation.axis, begin, count));
        from += count;
      }
      return;
    }
    case "broadcast":
      give(0, () => narrow(gradient, x()));
      return;
    case "sum":
    case "mean":
      give(0, () => {
        const wide = graph.broadcastTo(graph.reshape(gradient, withAxes(x(), operation.axes)), x().shape);
        const count = operation.axes.reduce((product, axis) => product * (x().shape[axis] ?? 1), 1);
        return operation.kind === "sum" ? wide : graph.scale(wide, 1 / count);
      });
      return;
    case "max":
      give(0, () => {
        // Of equal maxima each takes its share.
        const kept = withAxes(x(), operation.axes);
        const best = graph.equal(x(), graph.reshape(node, kept));
        const share = graph.over(graph.reshape(gradient, kept), graph.sum(best, operation.axes, true));
        return graph.times(best, share);
      });
      return;
    case "unfold":
      give(0, () => graph.add({ kind: "fold", size: operation.size }, [gradient], x().shape));
      return;
    case "windowMax":
      give(0, () => graph.add({ kind: "windowMaxRowGradient" }, [node, gradient], x().shape));
      give(1, () => graph.add({ kind: "windowMaxKernelGradient" }, [node, gradient], y().shape));
      return;
    case "dropout":
      give(0, () => graph.times(gradient, y()));
      return;
    case "crossEntropy": {
      const own = (): Node => graph.add({ kind: "crossEntropyGradient" }, node.inputs, x().shape);
      give(0, () => (gradientIsOne ? own() : graph.times(own(), gradient)));
      return;
    }
    case "segmentSum":
    case "fold":
    case "windowMaxRowGradient":
    case "windowMaxKernelGradient":
    case "reluGradient":
    case "tanhGradient":
    case "sigmoidGradient":
    case "crossEntropyGradient":
      refuseSecond(operation);
  }
}

function refuseSecond(operation: Operation): never {
  throw new Error(`network graph: ${operation.kind} is of a way back; it has no gradient of its own`);
}

/** The shape of `x` with the given axes of length 1. */
function withAxes(x: Node, axes: readonly number[]): number[] {
  return x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}
