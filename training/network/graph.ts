/**
 * A network as a small graph with static shapes: batch and length are fixed per graph, weights are shared
 * between graphs by name. It holds no numbers and computes nothing: `network.ts` trains it.
 *
 * A program builds one graph per length, and says what to minimise and what to predict:
 *
 *     const program: Program = {
 *       batch: 64,
 *       lengths: [40],
 *       build: (graph, { batch, length }) => {
 *         const tokens = graph.input("tokens", [batch, length], "int32");
 *         const labels = graph.input("labels", [batch], "int32");
 *         const weights = graph.input("weights", [batch], "float32"); // 1 for each example, 0 fills up
 *         const table = graph.weight("embeddings", [20_000, 64], { kind: "uniform", bound: 0.05 });
 *         const bag = graph.mean(graph.gather(table, tokens), [1]); // [batch, 64]
 *         const hidden = graph.dropout(graph.relu(graph.dense("hidden", bag, 256)), 0.2, "hidden");
 *         const logits = graph.dense("output", hidden, 4);
 *         return { loss: graph.crossEntropy(logits, labels, weights), score: graph.softmax(logits) };
 *       },
 *     };
 *     const made = createNetwork(backend, { program, seed: 7, optimizer: { kind: "adam" } });
 *     if (!made.ok) return made;
 *     const loss = made.value.step({ tokens, labels }, { rate: 1e-3, step: 0 }); // "weights" left out: all 1
 *     const probabilities = made.value.score({ tokens }); // [rows, 4], any number of rows
 */
import {
  type BinaryKind,
  type DataType,
  type Initial,
  type Node,
  type Operation,
  type UnaryKind,
} from "./node.ts";
import { broadcast, expect, sizeOf, same, shown, type Shape } from "./shape.ts";

export interface Size {
  readonly batch: number;
  /** Of the longest row; what it counts is the program's affair. 0 where rows have no length. */
  readonly length: number;
}

export interface Built {
  /** A scalar. */
  readonly loss: Node;
  /** [batch, ...]: what `score` gives; dropout does nothing there. */
  readonly score: Node;
}

export interface Program {
  /** Examples per step and per scoring call; fewer are filled up with rows of weight 0. */
  readonly batch: number;
  /** One graph is built for each, ascending; [0] where rows have no length. */
  readonly lengths: readonly number[];
  /** Called once per length, on a new graph. Inputs have the batch as their first axis. */
  build(graph: Graph, size: Size): Built;
}

const layerNormEpsilon = 1e-6;

export class Graph {
  readonly #nodes: Node[] = [];
  readonly #named = new Map<string, Node>();

  /** In the order they were made: inputs stand before what they feed. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** Adds a node as it is; programs use the methods below. */
  add<Kind extends Operation>(
    operation: Kind,
    inputs: readonly Node[],
    shape: Shape,
    type: DataType = "float32",
  ): Node<Kind> {
    const node = { id: this.#nodes.length, operation, inputs, shape, type };
    this.#nodes.push(node);
    return node;
  }

  input(name: string, shape: Shape, type: DataType): Node {
    return this.#once(`input ${name}`, () => this.add({ kind: "input", name }, [], shape, type));
  }

  /** float32; asked for twice by one name it is the same weight. */
  weight(name: string, shape: Shape, initial: Initial): Node {
    const found = this.#once(`weight ${name}`, () => this.add({ kind: "weight", name, initial }, [], shape));
    expect(same(found.shape, shape), `weight ${name} is ${shown(found.shape)}, not ${shown(shape)}`);
    return found;
  }

  constant(value: number, shape: Shape = []): Node {
    return this.add({ kind: "constant", value }, [], shape);
  }

  plus(a: Node, b: Node): Node {
    return this.#binary("add", a, b);
  }

  minus(a: Node, b: Node): Node {
    return this.#binary("sub", a, b);
  }

  times(a: Node, b: Node): Node {
    return this.#binary("mul", a, b);
  }

  over(a: Node, b: Node): Node {
    return this.#binary("div", a, b);
  }

  scale(x: Node, by: number): Node {
    return this.add({ kind: "scale", by }, [x], x.shape);
  }

  shift(x: Node, by: number): Node {
    return this.add({ kind: "shift", by }, [x], x.shape);
  }

  relu(x: Node): Node {
    return this.unary("relu", x);
  }

  tanh(x: Node): Node {
    return this.unary("tanh", x);
  }

  sigmoid(x: Node): Node {
    return this.unary("sigmoid", x);
  }

  /** exp, log, sqrt, rsqrt, square, and those above. */
  unary(kind: UnaryKind, x: Node): Node {
    expect(x.type === "float32", `${kind} takes float32`);
    return this.add({ kind }, [x], x.shape);
  }

  /** Gaussian error linear unit by its tanh form (Hendrycks and Gimpel 2016). */
  gelu(x: Node): Node {
    const cubic = this.times(x, this.shift(this.scale(this.unary("square", x), 0.044715), 1));
    const gate = this.shift(this.tanh(this.scale(cubic, Math.sqrt(2 / Math.PI))), 1);
    return this.scale(this.times(x, gate), 0.5);
  }

  /** 1 where x is above zero, else 0, as float32: a mask of the tokens that are there. No gradient flows. */
  positive(x: Node): Node {
    return this.add({ kind: "positive" }, [x], x.shape);
  }

  /** 1 where equal, else 0. No gradient flows. */
  equal(a: Node, b: Node): Node {
    return this.add({ kind: "equal" }, [a, b], broadcast(a.shape, b.shape));
  }

  addN(parts: readonly Node[]): Node {
    const [first] = parts;
    expect(first !== undefined, "addN needs an input");
    expect(
      parts.every((part) => same(part.shape, first.shape)),
      "addN takes one shape",
    );
    return parts.length === 1 ? first : this.add({ kind: "addN" }, parts, first.shape);
  }

  /** [..., m, k] by [..., k, n] with equal leading axes, or by [k, n] for all of them. */
  matmul(a: Node, b: Node, { transposeA = false, transposeB = false } = {}): Node {
    if (a.shape.length > 2 && b.shape.length === 2 && !transposeA) {
      const flat = this.reshape(a, [sizeOf(a.shape.slice(0, -1)), at(a.shape, -1)]);
      const product = this.matmul(flat, b, { transposeB });
      return this.reshape(product, [...a.shape.slice(0, -1), at(product.shape, -1)]);
    }
    const [m, k] = transposeA ? [at(a.shape, -1), at(a.shape, -2)] : [at(a.shape, -2), at(a.shape, -1)];
    const [inner, n] = transposeB ? [at(b.shape, -1), at(b.shape, -2)] : [at(b.shape, -2), at(b.shape, -1)];
    const lead = a.shape.slice(0, -2);
    expect(
      k === inner && same(lead, b.shape.slice(0, -2)),
      `matmul of ${shown(a.shape)} by ${shown(b.shape)} does not fit`,
    );
    return this.add({ kind: "matmul", transposeA, transposeB }, [a, b], [...lead, m, n]);
  }

  /** x [..., k] → [..., units], weights `name` (Glorot) and `name.bias` (zeros). */
  dense(name: string, x: Node, units: number, initial: Initial = { kind: "glorot" }): Node {
    const product = this.matmul(x, this.weight(name, [at(x.shape, -1), units], initial));
    return this.plus(product, this.weight(`${name}.bias`, [units], { kind: "zeros" }));
  }

  /** Over the last axis. */
  softmax(x: Node): Node {
    return this.add({ kind: "softmax" }, [x], x.shape);
  }

  /** table [rows, ...slice], ids [...] int32 → [...ids, ...slice]. A number outside the table is an error. */
  gather(table: Node, ids: Node): Node {
    expect(ids.type === "int32", "gather takes int32 row numbers");
    return this.add({ kind: "gather" }, [table, ids], [...ids.shape, ...table.shape.slice(1)]);
  }

  /** One length may be -1. */
  reshape(x: Node, shape: Shape): Node {
    const known = shape.reduce((product, length) => (length === -1 ? product : product * length), 1);
    const full = shape.map((length) => (length === -1 ? sizeOf(x.shape) / known : length));
    expect(sizeOf(full) === sizeOf(x.shape), `${shown(x.shape)} does not reshape to ${shown(shape)}`);
    return same(full, x.shape) ? x : this.add({ kind: "reshape" }, [x], full, x.type);
  }

  transpose(x: Node, permutation: readonly number[]): Node {
    const shape = permutation.map((axis) => at(x.shape, axis));
    return this.add({ kind: "transpose", permutation }, [x], shape, x.type);
  }

  slice(x: Node, begin: readonly number[], size: Shape): Node {
    expect(
      begin.length === x.shape.length &&
        begin.every((from, axis) => from + at(size, axis) <= at(x.shape, axis)),
      `${shown(x.shape)} has no slice of ${shown(size)} from ${shown(begin)}`,
    );
    return same(size, x.shape) ? x : this.add({ kind: "slice", begin }, [x], size, x.type);
  }

  /** `count` entries of one axis, from `from` on. */
  sliceAxis(x: Node, axis: number, from: number, count: number): Node {
    const begin = x.shape.map((_, index) => (index === axis ? from : 0));
    const size = x.shape.map((length, index) => (index === axis ? count : length));
    return this.slice(x, begin, size);
  }

  concat(parts: readonly Node[], axis: number): Node {
    const [first] = parts;
    expect(first !== undefined, "concat needs an input");
    const total = parts.reduce((sum, part) => sum + at(part.shape, axis), 0);
    const shape = first.shape.map((length, index) => (index === axis ? total : length));
    return parts.length === 1 ? first : this.add({ kind: "concat", axis }, parts, shape, first.type);
  }

  broadcastTo(x: Node, shape: Shape): Node {
    expect(same(broadcast(x.shape, shape), shape), `${shown(x.shape)} does not broadcast to ${shown(shape)}`);
    return same(x.shape, shape) ? x : this.add({ kind: "broadcast" }, [x], shape);
  }

  /** Zeros around: `before` and the whole new shape. */
  pad(x: Node, before: readonly number[], shape: Shape): Node {
    return same(shape, x.shape) ? x : this.add({ kind: "pad", before }, [x], shape);
  }

  sum(x: Node, axes: readonly number[] = allAxes(x), keepAxes = false): Node {
    return this.#reduce("sum", x, axes, keepAxes);
  }

  mean(x: Node, axes: readonly number[] = allAxes(x), keepAxes = false): Node {
    return this.#reduce("mean", x, axes, keepAxes);
  }

  max(x: Node, axes: readonly number[] = allAxes(x), keepAxes = false): Node {
    return this.#reduce("max", x, axes, keepAxes);
  }

  /** x [batch, length, width], kernel [size, width, filters] → [batch, positions, filters]. */
  conv1d(x: Node, kernel: Node, padding: "valid" | "same" = "valid"): Node {
    const [batch = 0, length = 0, width = 0] = x.shape;
    const [size = 0, inputs = 0, filters = 0] = kernel.shape;
    expect(width === inputs, `conv1d of ${shown(x.shape)} by ${shown(kernel.shape)} does not fit`);
    const before = Math.floor((size - 1) / 2);
    const padded = padding === "valid" ? x : this.pad(x, [0, before, 0], [batch, length + size - 1, width]);
    const windows = this.unfold(padded, size);
    return this.matmul(windows, this.reshape(kernel, [size * width, filters]));
  }

  /**
   * The maximum over time of `conv1d` without padding: kernel [size * width, filters] → [batch, filters]. As
   * one node, since a script backend's way back through it is far shorter than through the two apart.
   */
  windowMax(x: Node, kernel: Node, size: number): Node {
    const [batch = 0, length = 0, width = 0] = x.shape;
    const [span = 0, filters = 0] = kernel.shape;
    expect(size <= length && span === size * width, `windows of ${size} over ${shown(x.shape)} do not fit`);
    return this.add({ kind: "windowMax", size }, [x, kernel], [batch, filters]);
  }

  unfold(x: Node, size: number): Node {
    const [batch = 0, length = 0, width = 0] = x.shape;
    expect(x.shape.length === 3 && size <= length, `${shown(x.shape)} has no windows of ${size}`);
    return this.add({ kind: "unfold", size }, [x], [batch, length - size + 1, size * width]);
  }

  /** Over the last axis (Ba et al. 2016), weights `name.gain` and `name.bias`. */
  layerNorm(name: string, x: Node): Node {
    const last = x.shape.length - 1;
    const width = at(x.shape, last);
    const centred = this.minus(x, this.mean(x, [last], true));
    const variance = this.mean(this.unary("square", centred), [last], true);
    const even = this.times(centred, this.unary("rsqrt", this.shift(variance, layerNormEpsilon)));
    const gain = this.weight(`${name}.gain`, [width], { kind: "ones" });
    return this.plus(this.times(even, gain), this.weight(`${name}.bias`, [width], { kind: "zeros" }));
  }

  /** `share` of the cells are left out in training, the others grow to make up; names differ within a graph. */
  dropout(x: Node, share: number, name: string): Node {
    expect(share >= 0 && share < 1, `dropout of ${share}`);
    if (share === 0) return x;
    const mask = this.#fresh(`dropout ${name}`, () =>
      this.add({ kind: "dropoutMask", share, name }, [], x.shape),
    );
    return this.add({ kind: "dropout" }, [x, mask], x.shape);
  }

  /** logits [batch, labels], labels [batch] int32, weights [batch] → weighted mean log loss, a scalar. */
  crossEntropy(logits: Node, labels: Node, weights: Node): Node {
    expect(
      logits.shape.length === 2 && labels.type === "int32",
      "crossEntropy takes [batch, labels] and int32",
    );
    return this.add({ kind: "crossEntropy" }, [logits, labels, weights], []);
  }

  /** prediction, target and weights [batch] → weighted mean of squares, a scalar. */
  squaredError(prediction: Node, target: Node, weights: Node): Node {
    const squares = this.unary("square", this.minus(prediction, target));
    return this.over(this.sum(this.times(squares, weights)), this.sum(weights));
  }

  #binary(kind: BinaryKind, a: Node, b: Node): Node {
    expect(a.type === "float32" && b.type === "float32", `${kind} takes float32`);
    return this.add({ kind }, [a, b], broadcast(a.shape, b.shape));
  }

  #reduce(kind: "sum" | "mean" | "max", x: Node, axes: readonly number[], keepAxes: boolean): Node {
    if (axes.length === 0) return x;
    const shape = x.shape.flatMap((length, axis) => (axes.includes(axis) ? (keepAxes ? [1] : []) : [length]));
    return this.add({ kind, axes, keepAxes }, [x], shape);
  }

  #once(name: string, make: () => Node): Node {
    const found = this.#named.get(name);
    return found ?? this.#fresh(name, make);
  }

  #fresh(name: string, make: () => Node): Node {
    expect(!this.#named.has(name), `${name} stands twice`);
    const made = make();
    this.#named.set(name, made);
    return made;
  }
}

function allAxes(x: Node): number[] {
  return [...x.shape.keys()];
}

function at(shape: Shape, axis: number): number {
  const length = shape.at(axis);
  expect(length !== undefined, `${shown(shape)} has no axis ${axis}`);
  return length;
}
