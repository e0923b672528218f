/**
 * Rows for an ONNX graph, and answers to rows out of its outputs. An input with one value a row is a column, one with several in a row is as many
 * columns; outputs are probabilities of the classes that the graph names, one number a row, or just tensors. Computes nothing else.
 */
import type { Value } from "../../protocol/value.ts";
import type { Answers, InputColumn, Signature } from "../model/served-model.ts";
import { elementsOf, type NamedTensor, type TensorDescription } from "../model/tensor.ts";
import type { InputRows } from "../transform/input-rows.ts";
import { bytesOf, numberAt } from "../protocol/datatype.ts";
import { elementBytes } from "../protocol/tensor-bytes.ts";

/** Columns that one input is made of. */
interface RowInput {
  readonly tensor: TensorDescription;
  readonly columns: readonly string[];
}

export interface RowForm {
  readonly inputs: readonly RowInput[];
  readonly columns: readonly InputColumn[];
}

const columnsMax = 10_000;

/**
 * Null where some input is no columns: an image, a sequence. `named`: names for all columns in their order, where somebody gave as many as there
 * are; else those of one input are called `X_0`, `X_1` and so on.
 */
export function rowFormOf(
  tensors: readonly TensorDescription[],
  named: readonly string[] | null,
): RowForm | null {
  const widths = tensors.map(({ shape }) => {
    const [batch, width = 1] = shape;
    const isRows = (batch === -1 || batch === 1) && shape.length <= 2 && width > 0;
    return isRows ? width : 0;
  });
  const sum = widths.reduce((all, width) => all + width, 0);
  if (tensors.length === 0 || widths.includes(0) || sum > columnsMax) return null;
  // Inputs that are columns already have their own names, in whichever order they are named.
  const areColumns = widths.every((width) => width === 1) && tensors.length > 1;
  const given =
    !areColumns && named !== null && named.length === sum && new Set(named).size === sum ? named : null;
  let at = 0;
  const inputs = tensors.map((tensor, index) => {
    const width = widths[index] ?? 0;
    const own = Array.from({ length: width }, (_, column) =>
      tensor.shape.length < 2 || width === 1 ? tensor.name : `${tensor.name}_${column}`,
    );
    const columns = given === null ? own : given.slice(at, at + width);
    at += width;
    return { tensor, columns };
  });
  const columns = inputs.flatMap(({ columns: names, tensor }) =>
    names.map((name) => ({
      name,
      kind: tensor.datatype === "BYTES" ? ("text" as const) : ("number" as const),
      optional: false,
    })),
  );
  return new Set(columns.map(({ name }) => name)).size === columns.length ? { inputs, columns } : null;
}

/** Of rows with a value in every column. */
export function tensorsOfRows({ inputs }: RowForm, { columns, count }: InputRows): readonly NamedTensor[] {
  return inputs.map(({ columns: names, tensor: { datatype, name, shape } }) => {
    const lists = names.map((column): readonly (Value | null)[] => columns.get(column) ?? []);
    const values: unknown[] = [];
    for (let row = 0; row < count; row++) for (const list of lists) values.push(list[row] ?? null);
    const whole = shape.length === 1 ? [count] : [count, names.length];
    return { name, datatype, shape: whole, data: elementBytes(datatype, values) };
  });
}

/** What of the outputs answers rows. */
export type RowOutput =
  | { readonly kind: "labels"; readonly name: string; readonly labels: readonly string[] }
  | { readonly kind: "values"; readonly name: string }
  | { readonly kind: "tensors" };

/** `classes`: as the graph names them. `example`: what the outputs are for a row; scores that are no probabilities are tensors. */
export function rowOutputOf(
  outputs: readonly TensorDescription[],
  classes: readonly string[] | null,
  example: readonly NamedTensor[],
): RowOutput {
  const floats = outputs.filter(({ datatype }) => datatype === "FP32" || datatype === "FP64");
  const labels = classes ?? [];
  const ofClasses = floats.filter(({ shape }) => shape.length === 2 && shape[1] === labels.length);
  const found = ofClasses.find(({ name }) => /prob/i.test(name)) ?? ofClasses[0];
  if (found !== undefined && new Set(labels).size === labels.length && labels.length > 1) {
    const shown = example.find(({ name }) => name === found.name);
    if (shown === undefined || areProbabilities(floatsOf(shown)))
      return { kind: "labels", name: found.name, labels };
  }
  const [only] = outputs;
  if (only === undefined || outputs.length > 1 || !floats.includes(only)) return { kind: "tensors" };
  const [, width = 1, ...more] = only.shape;
  return only.shape.length > 0 && width === 1 && more.length === 0
    ? { kind: "values", name: only.name }
    : { kind: "tensors" };
}

const sumTolerance = 1e-3;

function areProbabilities(values: Float32Array): boolean {
  const sum = values.reduce((all, value) => all + value, 0);
  return values.every((value) => value >= 0 && value <= 1 + sumTolerance) && Math.abs(sum - 1) < sumTolerance;
}

export function answersOf(output: RowOutput, made: readonly NamedTensor[]): Answers | null {
  if (output.kind === "tensors") return null;
  const tensor = made.find(({ name }) => name === output.name);
  if (tensor === undefined) return null;
  const numbers = floatsOf(tensor);
  return output.kind === "labels"
    ? { kind: "labels", probabilities: numbers }
    : { kind: "values", values: numbers };
}

/** In single precision, whichever it was. */
function floatsOf({ data, datatype, shape }: NamedTensor): Float32Array {
  if (!(data instanceof Uint8Array) || datatype === "BYTES") return new Float32Array();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Float32Array.from({ length: elementsOf(shape) }, (_, at) =>
    Number(numberAt(view, at * bytesOf[datatype], datatype)),
  );
}

export function signatureOfRows(form: RowForm | null, output: RowOutput): Signature {
  return {
    inputs: form?.columns ?? [],
    labels: output.kind === "labels" ? output.labels : null,
    target: output.kind === "labels" ? "label" : "value",
  };
}
