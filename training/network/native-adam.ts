/**
 * Adam as TensorFlow operations: fused where a weight moves as a whole, composed of gathers and scatters
 * where only touched rows of a table do. The same rule as `typed-adam.ts` has on typed arrays.
 */
import type { Gradient } from "./differentiate.ts";
import type { Emitter } from "./native-emit.ts";
import type { AdamOptions } from "./adam-options.ts";
import { float, int } from "./native-op.ts";

import type { TensorFlowGraph } from "./tensorflow-graph.ts";
import { beta1, beta2, epsilon, normFloor } from "./typed-adam.ts";
import type { Shape } from "./shape.ts";

export interface Variables {
  readonly value: string;
  readonly mean: string;
  readonly square: string;
}

export interface NativeUpdate {
  readonly name: string;
  readonly shape: Shape;
  readonly gradient: Gradient;
  readonly variables: Variables;
}

/** Gradients of a weight, each row once. */
type EmittedGradient =
  | { readonly rows: null; readonly values: string }
  | { readonly rows: string; readonly values: string };

/**
 * Emits the step of every weight; the names of the operations that must run. `rate` and `alpha` are
 * float32 scalars: the rate, and the rate corrected for the moments' bias.
 */
export function emitAdam(
  graph: TensorFlowGraph,
  emitter: Emitter,
  updates: readonly NativeUpdate[],
  { dense = false, decay = 0, clip }: AdamOptions,
  rate: string,
  alpha: string,
): readonly string[] {
  const op = (kind: string, inputs: readonly string[]): string => graph.op(kind, inputs, { T: float });
  const raw = updates.map((update) => ({ ...update, gradient: gradientOf(graph, emitter, update, dense) }));
  let share: string | null = null;
  if (clip !== undefined) {
    const halves = raw.map(({ gradient }) => op("L2Loss", [gradient.values]));
    const sum = graph.op("AddN", halves, { T: float, N: { int: halves.length } });
    const squares = op("AddV2", [op("Mul", [sum, graph.scalar(2)]), graph.scalar(normFloor)]);
    share = op("Minimum", [op("Mul", [op("Rsqrt", [squares]), graph.scalar(clip)]), graph.scalar(1)]);
  }
  return raw.map(({ name, shape, variables, gradient }) => {
    const values = share === null ? gradient.values : op("Mul", [gradient.values, share]);
    // What reads the weight must have read it before it moves.
    const after = emitter.reads.get(name) ?? [];
    const less = decay !== 0 && shape.length > 1 ? op("Mul", [rate, graph.scalar(decay)]) : null;
    return gradient.rows === null
      ? moveWhole(graph, variables, values, alpha, less, after)
      : moveRows(graph, variables, gradient.rows, values, alpha, less, after);
  });
}

function gradientOf(
  graph: TensorFlowGraph,
  emitter: Emitter,
  update: NativeUpdate,
  dense: boolean,
): EmittedGradient {
  const { gradient, shape } = update;
  if (gradient.kind === "dense") return { rows: null, values: emitter.of(gradient.node) };
  const ids = emitter.of(gradient.ids);
  const values = emitter.of(gradient.values);
  const sum = (rows: string, count: string): string =>
    graph.op("UnsortedSegmentSum", [values, rows, count], { T: float, Tindices: int, Tnumsegments: int });
  if (dense) return { rows: null, values: sum(ids, graph.index(shape[0] ?? 0)) };
  const unique = graph.op("Unique", [ids], { T: int, out_idx: int });
  const count = graph.op("Size", [unique], { T: int, out_type: int });
  return { rows: unique, values: sum(`${unique}:1`, count) };
}

function moveWhole(
  graph: TensorFlowGraph,
  { value, mean, square }: Variables,
  gradients: string,
  alpha: string,
  less: string | null,
  after: readonly string[],
): string {
  let before = after;
  if (less !== null) {
    const held = graph.op("ReadVariableOp", [value], { dtype: float }, { after });
    const lost = graph.op("Mul", [held, less], { T: float });
    before = [graph.op("AssignSubVariableOp", [value, lost], { dtype: float })];
  }
  // `alpha` is corrected already: powers of 0 make the operation's own correction 1.
  const none = graph.scalar(0);
  const inputs = [
    value,
    mean,
    square,
    none,
    none,
    alpha,
    graph.scalar(beta1),
    graph.scalar(beta2),
    graph.scalar(epsilon),
    gradients,
  ];
  return graph.op(
    "ResourceApplyAdam",
    inputs,
    { T: float, use_locking: { flag: false }, use_nesterov: { flag: false } },
    { after: before },
  );
}

function moveRows(
  graph: TensorFlowGraph,
  { value, mean, square }: Variables,
  rows: string,
  gradients: string,
  alpha: string,
  less: string | null,
  after: readonly string[],
): string {
  const op = (kind: string, inputs: readonly string[]): string => graph.op(kind, inputs, { T: float });
  const rowsOf = (variable: string): string =>
    graph.op("ResourceGather", [variable, rows], { dtype: float, Tindices: int });
  const part = (x: string, share: number): string => op("Mul", [x, graph.scalar(share)]);
  const scatter = (kind: string, variable: string, values: string, before: readonly string[]): string =>
    graph.op(kind, [variable, rows, values], { dtype: float, Tindices: int }, { after: before });
  const newMean = op("AddV2", [part(rowsOf(mean), beta1), part(gradients, 1 - beta1)]);
  const newSquare = op("AddV2", [part(rowsOf(square), beta2), part(op("Square", [gradients]), 1 - beta2)]);
  const root = op("AddV2", [op("Sqrt", [newSquare]), graph.scalar(epsilon)]);
  let lost = op("RealDiv", [op("Mul", [newMean, alpha]), root]);
  if (less !== null) lost = op("AddV2", [lost, op("Mul", [rowsOf(value), less])]);
  const written = [
    scatter("ResourceScatterUpdate", mean, newMean, []),
    scatter("ResourceScatterUpdate", square, newSquare, []),
  ];
  return scatter("ResourceScatterSub", value, lost, [...after, ...written]);
}
