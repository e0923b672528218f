/**
 * The rule of each operation: how the slope by its output becomes slopes by its inputs. Each is checked against
 * differences of the loss by `tests/core/network-gradient.test.ts`. `differentiate.ts` walks the graph.
 */
import type { Graph } from "./graph.ts";
import { inputOf, type Node, type Operation } from "./node.ts";

/** Gives each input of `node` its part of the slope, by a function, so that no unused node is made. */
export function stepBack(
  graph: Graph,
  node: Node,
  slope: Node,
  slopeIsOne: boolean,
  give: (index: number, part: () => Node) => void,
): void {
  const { operation } = node;
  const x = () => inputOf(node, 0);
  const y = () => inputOf(node, 1);
  /** Sums a slope over the axes its input was repeated along. */
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
      give(0, () => narrow(slope, x()));
      give(1, () => narrow(slope, y()));
      return;
    case "sub":
      give(0, () => narrow(slope, x()));
      give(1, () => graph.scale(narrow(slope, y()), -1));
      return;
    case "mul":
      give(0, () => narrow(graph.times(slope, y()), x()));
      give(1, () => narrow(graph.times(slope, x()), y()));
      return;
    case "div":
      give(0, () => narrow(graph.over(slope, y()), x()));
      give(1, () => graph.scale(narrow(graph.times(slope, graph.over(node, y())), y()), -1));
      return;
    case "scale":
      give(0, () => graph.scale(slope, operation.by));
      return;
    case "shift":
      give(0, () => slope);
      return;
    case "addN":
      for (const index of node.inputs.keys()) give(index, () => slope);
      return;
    case "relu":
      give(0, () => graph.add({ kind: "reluSlope" }, [node, slope], node.shape));
      return;
    case "tanh":
      give(0, () => graph.add({ kind: "tanhSlope" }, [node, slope], node.shape));
      return;
    case "sigmoid":
      give(0, () => graph.add({ kind: "sigmoidSlope" }, [node, slope], node.shape));
      return;
    case "exp":
      give(0, () => graph.times(slope, node));
      return;
    case "log":
      give(0, () => graph.over(slope, x()));
      return;
    case "sqrt":
      give(0, () => graph.scale(graph.over(slope, node), 0.5));
      return;
    case "rsqrt":
      give(0, () => graph.scale(graph.times(slope, graph.times(graph.unary("square", node), node)), -0.5));
      return;
    case "square":
      give(0, () => graph.scale(graph.times(slope, x()), 2));
      return;
    case "matmul": {
      const { transposeA, transposeB } = operation;
      give(0, () =>
        transposeA
          ? graph.matmul(y(), slope, { transposeA: transposeB, transposeB: true })
          : graph.matmul(slope, y(), { transposeB: !transposeB }),
      );
      give(1, () =>
        transposeB
          ? graph.matmul(slope, x(), { transposeA: true, transposeB: transposeA })
          : graph.matmul(x(), slope, { transposeA: !transposeA }),
      );
      return;
    }
    case "softmax": {
      const weighted = graph.sum(graph.times(slope, node), [node.shape.length - 1], true);
      give(0, () => graph.times(node, graph.minus(slope, weighted)));
      return;
    }
    case "gather": {
      const rows = x().shape[0] ?? 0;
      give(0, () => graph.add({ kind: "segmentSum", rows }, [slope, y()], x().shape));
      return;
    }
    case "reshape":
      give(0, () => graph.reshape(slope, x().shape));
      return;
    case "transpose": {
      const back = operation.permutation.map((_, axis) => operation.permutation.indexOf(axis));
      give(0, () => graph.transpose(slope, back));
      return;
    }
    case "pad":
      give(0, () => graph.slice(slope, operation.before, x().shape));
      return;
    case "concat": {
      let from = 0;
      for (const [index, input] of node.inputs.entries()) {
        const begin = from;
        const count = input.shape[operation.axis] ?? 0;
        give(index, () => graph.sliceAxis(slope, operation.axis, begin, count));
        from += count;
      }
      return;
    }
    case "broadcast":
      give(0, () => narrow(slope, x()));
      return;
    case "sum":
    case "mean":
      give(0, () => {
        const wide = graph.broadcastTo(graph.reshape(slope, withAxes(x(), operation.axes)), x().shape);
        const count = operation.axes.reduce((product, axis) => product * (x().shape[axis] ?? 1), 1);
        return operation.kind === "sum" ? wide : graph.scale(wide, 1 / count);
      });
      return;
    case "max":
      give(0, () => {
        // Of equal maxima each takes its share.
        const kept = withAxes(x(), operation.axes);
        const best = graph.equal(x(), graph.reshape(node, kept));
        const share = graph.over(graph.reshape(slope, kept), graph.sum(best, operation.axes, true));
        return graph.times(best, share);
      });
      return;
    case "unfold":
      give(0, () => graph.add({ kind: "fold", size: operation.size }, [slope], x().shape));
      return;
    case "windowMax":
      give(0, () => graph.add({ kind: "windowMaxRowSlope" }, [node, slope], x().shape));
      give(1, () => graph.add({ kind: "windowMaxKernelSlope" }, [node, slope], y().shape));
      return;
    case "dropout":
      give(0, () => graph.times(slope, y()));
      return;
    case "crossEntropy": {
      const own = (): Node => graph.add({ kind: "crossEntropySlope" }, node.inputs, x().shape);
      give(0, () => (slopeIsOne ? own() : graph.times(own(), slope)));
      return;
    }
    case "segmentSum":
    case "fold":
    case "windowMaxRowSlope":
    case "windowMaxKernelSlope":
    case "reluSlope":
    case "tanhSlope":
    case "sigmoidSlope":
    case "crossEntropySlope":
      refuseSecond(operation);
  }
}

function refuseSecond(operation: Operation): never {
  throw new Error(`network graph: ${operation.kind} is of a way back; it has no slope of its own`);
}

/** The shape of `x` with the given axes of length 1. */
function withAxes(x: Node, axes: readonly number[]): number[] {
  return x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}
