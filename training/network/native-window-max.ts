/**
 * `windowMax` and its way back as TensorFlow operations: dense products, which several cores and wide registers
 * do faster than the fewer sums of `eager-window-max.ts`. Of equal maxima each takes its share of the gradient.
 */
import { inputOf, type Node } from "./node.ts";
import { float, fold, int, matmul, reshape, toFloat, unfold } from "./native-op.ts";
import type { TensorFlowGraph } from "./tensorflow-graph.ts";
import { expect } from "./shape.ts";

/** What the way there leaves for the way back. */
interface Windows {
  /** [batch * positions, size * width] */
  readonly unfolded: string;
  /** [batch, positions, filters] */
  readonly scores: string;
  /** [batch, filters] */
  readonly top: string;
  readonly size: number;
  readonly positions: number;
}

export class NativeWindowMax {
  readonly #graph: TensorFlowGraph;
  readonly #windows = new Map<Node, Windows>();
  readonly #pulled = new Map<string, string>();

  constructor(graph: TensorFlowGraph) {
    this.#graph = graph;
  }

  /** The name of the maxima [batch, filters], from those of x and kernel. */
  forward(node: Node, x: string, kernel: string, size: number): string {
    const graph = this.#graph;
    const { shape } = inputOf(node, 0);
    const [batch = 0, length = 0, width = 0] = shape;
    const [, filters = 0] = node.shape;
    const positions = length - size + 1;
    const windows = unfold(graph, x, shape, size);
    const unfolded = reshape(graph, windows, [batch * positions, size * width]);
    const scores = reshape(graph, matmul(graph, unfolded, kernel), [batch, positions, filters]);
    const top = this.#overTime("Max", scores, false);
    this.#windows.set(node, { unfolded, scores, top, size, positions });
    return top;
  }

  /** From the names of the gradient by the maxima and of the kernel: the gradient by x. */
  rowGradient(node: Node, gradient: string, kernel: string): string {
    const graph = this.#graph;
    const { positions, size } = this.#of(node);
    const { shape } = inputOf(node, 0);
    const [batch = 0, , width = 0] = shape;
    const gradients = matmul(graph, this.#pulls(node, gradient), kernel, { turnB: true });
    const windows = [batch, positions, size * width];
    return fold(graph, reshape(graph, gradients, windows), windows, shape, size);
  }

  kernelGradient(node: Node, gradient: string): string {
    return matmul(this.#graph, this.#of(node).unfolded, this.#pulls(node, gradient), { turnA: true });
  }

  #of(node: Node): Windows {
    const found = this.#windows.get(node);
    expect(found !== undefined, "a way back came before its way there");
    return found;
  }

  /** The gradient by each score, [batch * positions, filters]. */
  #pulls(node: Node, gradient: string): string {
    const graph = this.#graph;
    const { positions, scores, top } = this.#of(node);
    const key = `${top} ${gradient}`;
    const found = this.#pulled.get(key);
    if (found !== undefined) return found;
    const [batch = 0, filters = 0] = node.shape;
    const row = [batch, 1, filters];
    const equal = graph.op("Equal", [scores, reshape(graph, top, row)], {
      T: float,
      incompatible_shape_error: { flag: true },
    });
    const best = toFloat(graph, equal);
    const share = graph.op("RealDiv", [reshape(graph, gradient, row), this.#overTime("Sum", best, true)], {
      T: float,
    });
    const spread = graph.op("Mul", [best, share], { T: float });
    const pulls = reshape(graph, spread, [batch * positions, filters]);
    this.#pulled.set(key, pulls);
    return pulls;
  }

  #overTime(kind: "Max" | "Sum", x: string, keep: boolean): string {
    const graph = this.#graph;
    return graph.op(kind, [x, graph.indices([1])], { T: float, Tidx: int, keep_dims: { flag: keep } });
  }
}
