/**
 * A network's nodes as TensorFlow operations. Each node is emitted once per training or scoring pass;
 * fused operations are taken where TensorFlow has them. It runs nothing.
 */
import { mix } from "../../numeric/mix.ts";
import { inputOf, type Node } from "./node.ts";
import {
  addN,
  concat,
  float,
  fold,
  int,
  matmul,
  pad,
  reshape,
  slice,
  toFloat,
  total,
  unfold,
} from "./native-op.ts";
import { NativeWindowMax } from "./native-window-max.ts";
import type { Attribute, TensorFlowGraph } from "./tensorflow-graph.ts";
import { expect } from "./shape.ts";

export interface Pass {
  readonly graph: TensorFlowGraph;
  /** Placeholders of the seed and the step, int32 [1]; null in scoring, where dropout does nothing. */
  readonly random: { readonly seed: string; readonly step: string } | null;
  /** The variable of a weight. */
  variable(name: string): string;
  /** The placeholder of an input. */
  input(node: Node): string;
}

/** Reads of variables, which must be over before an update writes them. */
export type Reads = Map<string, string[]>;

/** Emits nodes on demand; `of` gives the name of a node's output. */
export class Emitter {
  readonly reads: Reads = new Map();
  readonly #pass: Pass;
  readonly #names = new Map<Node, string>();
  readonly #losses = new Map<string, string>();
  readonly #windowMax: NativeWindowMax;

  constructor(pass: Pass) {
    this.#pass = pass;
    this.#windowMax = new NativeWindowMax(pass.graph);
  }

  of(node: Node): string {
    const found = this.#names.get(node);
    if (found !== undefined) return found;
    const name = this.#emit(node);
    this.#names.set(node, name);
    return name;
  }

  #read(name: string, op: string): string {
    this.reads.set(name, [...(this.reads.get(name) ?? []), op]);
    return op;
  }

  #emit(node: Node): string {
    const { graph, random: passed } = this.#pass;
    const { operation, shape } = node;
    const input = (index: number): string => this.of(inputOf(node, index));
    const op = (kind: string, inputs: readonly string[], more: Readonly<Record<string, Attribute>> = {}) =>
      graph.op(kind, inputs, { T: float, ...more });
    const all = (): readonly string[] => node.inputs.map((part) => this.of(part));
    const type = node.type === "int32" ? int : float;
    switch (operation.kind) {
      case "input":
        return this.#pass.input(node);
      case "weight": {
        const variable = this.#pass.variable(operation.name);
        return this.#read(operation.name, graph.op("ReadVariableOp", [variable], { dtype: float }));
      }
      case "constant":
        return shape.length === 0
          ? graph.scalar(operation.value)
          : op("Fill", [graph.indices(shape), graph.scalar(operation.value)], { index_type: int });
      case "add":
        return biasLike(node) ? op("BiasAdd", all(), { data_format: { text: "NHWC" } }) : op("AddV2", all());
      case "sub":
        return op("Sub", all());
      case "mul":
      case "dropout":
        return operation.kind === "dropout" && passed === null ? input(0) : op("Mul", all());
      case "div":
        return op("RealDiv", all());
      case "scale":
        return op("Mul", [input(0), graph.scalar(operation.by)]);
      case "shift":
        return op("AddV2", [input(0), graph.scalar(operation.by)]);
      case "relu":
        return op("Relu", all());
      case "tanh":
        return op("Tanh", all());
      case "sigmoid":
        return op("Sigmoid", all());
      case "exp":
        return op("Exp", all());
      case "log":
        return op("Log", all());
      case "sqrt":
        return op("Sqrt", all());
      case "rsqrt":
        return op("Rsqrt", all());
      case "square":
        return op("Square", all());
      case "reluGradient":
        return op("ReluGrad", [input(1), input(0)]);
      case "tanhGradient":
        return op("TanhGrad", all());
      case "sigmoidGradient":
        return op("SigmoidGrad", all());
      case "positive": {
        const whole = inputOf(node, 0).type === "int32";
        const above = graph.op("Greater", [input(0), whole ? graph.index(0) : graph.scalar(0)], {
          T: whole ? int : float,
        });
        return toFloat(graph, above);
      }
      case "equal":
        return toFloat(
          graph,
          graph.op("Equal", all(), {
            T: inputOf(node, 0).type === "int32" ? int : float,
            incompatible_shape_error: { flag: true },
          }),
        );
      case "addN":
        return addN(graph, all());
      case "matmul": {
        const { transposeA: turnA, transposeB: turnB } = operation;
        return shape.length === 2
          ? matmul(graph, input(0), input(1), { turnA, turnB })
          : op("BatchMatMulV2", all(), { adj_x: { flag: turnA }, adj_y: { flag: turnB } });
      }
      case "softmax":
        return op("Softmax", all());
      case "gather": {
        const table = inputOf(node, 0);
        if (table.operation.kind === "weight" && !this.#names.has(table)) {
          const { name } = table.operation;
          const inputs = [this.#pass.variable(name), input(1)];
          const rows = graph.op("ResourceGather", inputs, {
            dtype: float,
            Tindices: int,
            validate_indices: { flag: true },
            batch_dims: { int: 0 },
          });
          return this.#read(name, rows);
        }
        return graph.op("GatherV2", [...all(), graph.index(0)], {
          Tparams: float,
          Tindices: int,
          Taxis: int,
          batch_dims: { int: 0 },
        });
      }
      case "segmentSum":
        return op("UnsortedSegmentSum", [...all(), graph.index(operation.rows)], {
          Tindices: int,
          Tnumsegments: int,
        });
      case "reshape":
        return reshape(graph, input(0), shape, type);
      case "transpose":
        return op("Transpose", [input(0), graph.indices(operation.permutation)], { T: type, Tperm: int });
      case "slice":
        return slice(graph, input(0), operation.begin, shape, type);
      case "pad":
        return pad(graph, input(0), operation.before, inputOf(node, 0).shape, shape);
      case "broadcast":
        return op("BroadcastTo", [input(0), graph.indices(shape)], { Tidx: int });
      case "concat":
        return concat(graph, all(), operation.axis, type);
      case "sum":
      case "mean":
      case "max": {
        const { kind, axes, keepAxes } = operation;
        const rank = inputOf(node, 0).shape.length;
        if (kind === "sum" && rank > 1 && !keepAxes && axes.length === rank - 1 && !axes.includes(rank - 1))
          return op("BiasAddGrad", all(), { data_format: { text: "NHWC" } });
        const name = { sum: "Sum", mean: "Mean", max: "Max" }[kind];
        return op(name, [input(0), graph.indices(axes)], { Tidx: int, keep_dims: { flag: keepAxes } });
      }
      case "unfold":
        return unfold(graph, input(0), inputOf(node, 0).shape, operation.size);
      case "fold":
        return fold(graph, input(0), inputOf(node, 0).shape, shape, operation.size);
      case "windowMax":
        return this.#windowMax.forward(node, input(0), input(1), operation.size);
      case "windowMaxRowGradient": {
        const there = inputOf(node, 0);
        this.of(there);
        return this.#windowMax.rowGradient(there, input(1), this.of(inputOf(there, 1)));
      }
      case "windowMaxKernelGradient": {
        const there = inputOf(node, 0);
        this.of(there);
        return this.#windowMax.kernelGradient(there, input(1));
      }
      case "dropoutMask": {
        expect(passed !== null, "scoring read a dropout mask");
        const { share, name } = operation;
        let mixed = 0;
        for (let at = 0; at < name.length; at++) mixed = mix(mixed ^ name.charCodeAt(at));
        const own = graph.op("AddV2", [passed.seed, graph.indices([mixed])], { T: int });
        const seed = concat(graph, [own, passed.step], 0, int);
        const random = graph.op("StatelessRandomUniform", [graph.indices(shape), seed], {
          dtype: float,
          T: int,
          Tseed: int,
        });
        const kept = op("GreaterEqual", [random, graph.scalar(share)]);
        return op("Mul", [toFloat(graph, kept), graph.scalar(1 / (1 - share))]);
      }
      case "crossEntropy": {
        const weighted = op("Mul", [this.#logLoss(node), input(2)]);
        return op("RealDiv", [total(graph, weighted), total(graph, input(2))]);
      }
      case "crossEntropyGradient": {
        const batch = inputOf(node, 2).shape[0] ?? 0;
        const shares = op("RealDiv", [input(2), total(graph, input(2))]);
        const column = reshape(graph, shares, [batch, 1]);
        return op("Mul", [`${this.#logLoss(node)}:1`, column]);
      }
    }
  }

  /** Loss of each row, and as second output its gradient by the logits: one operation for both ways. */
  #logLoss(node: Node): string {
    const inputs = [this.of(inputOf(node, 0)), this.of(inputOf(node, 1))];
    const key = inputs.join(" ");
    const found = this.#losses.get(key);
    if (found !== undefined) return found;
    const name = this.#pass.graph.op("SparseSoftmaxCrossEntropyWithLogits", inputs, {
      T: float,
      Tlabels: int,
    });
    this.#losses.set(key, name);
    return name;
  }
}

/** A vector added along the last axis. */
function biasLike(node: Node): boolean {
  const [a, b] = node.inputs;
  return a !== undefined && b?.shape.length === 1 && a.shape.length > 1 && a.shape.at(-1) === b.shape[0];
}
