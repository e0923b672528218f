/** MODEL-RUN-2. A version whose model is an ONNX graph: it answers tensors as the graph takes them, and rows where they can be made into tensors. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type {
  Answers,
  InputRows,
  ServedModel,
  Signature,
  TensorFace,
  VersionName,
} from "../model/served-model.ts";
import { elementsOf, type NamedTensor, type TensorDescription } from "../model/tensor.ts";
import { bytesOf } from "../protocol/datatype.ts";
import { datatypeFor, elementTypeFor } from "./element-type.ts";
import type { OnnxEngine } from "./onnx-engine.ts";
import { answersOf, signatureOfRows, tensorsOfRows, type RowForm, type RowOutput } from "./onnx-rows.ts";

export interface OnnxParts {
  readonly engine: OnnxEngine;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** Null where it takes no rows. */
  readonly form: RowForm | null;
  readonly output: RowOutput;
  readonly onDispose: () => void;
}

export class OnnxModel implements ServedModel {
  readonly model: string;
  readonly version: number;
  readonly digest: string;
  readonly task = "command";
  readonly algorithm = "onnx";
  readonly signature: Signature;
  readonly answerTexts = null;
  readonly tensors: TensorFace;
  readonly #parts: OnnxParts;

  constructor({ digest, model, version }: VersionName, parts: OnnxParts) {
    this.model = model;
    this.version = version;
    this.digest = digest;
    this.#parts = parts;
    const { form, inputs, output, outputs } = parts;
    this.signature = signatureOfRows(form, output);
    this.tensors = {
      inputs,
      outputs,
      rowAnswers: form === null ? null : output.kind,
      ofRows: (rows) => (form === null ? [] : tensorsOfRows(form, rows)),
      run: (tensors, wanted) => this.#run(tensors, wanted),
    };
  }

  async answer(rows: InputRows): Promise<Outcome<Answers>> {
    const { output } = this.#parts;
    if (output.kind === "tensors" || this.tensors.rowAnswers === null)
      return refuse(
        "invalid",
        `${this.model}@${this.version} gives tensors, not a label or a number a row; ask it by the Open Inference Protocol`,
      );
    const made = await this.#run(this.tensors.ofRows(rows), [output.name]);
    if (!made.ok) return made;
    const answers = answersOf(output, made.value);
    return answers === null ? refuse("unavailable", "the model gave something else") : accept(answers);
  }

  dispose(): void {
    this.#parts.engine.close();
    this.#parts.onDispose();
  }

  /** No `wanted` means all. One row after the other where the graph takes one and several are asked about. */
  async #run(
    tensors: readonly NamedTensor[],
    wanted: readonly string[],
  ): Promise<Outcome<readonly NamedTensor[]>> {
    const { inputs, outputs } = this.#parts;
    const names = wanted.length === 0 ? outputs.map(({ name }) => name) : wanted;
    const [first] = tensors;
    const rows = first?.shape[0] ?? 1;
    const isSingle = rows > 1 && inputs.every(({ shape }) => shape[0] === 1);
    if (!isSingle) return this.#runOnce(tensors, names);
    const parts: (readonly NamedTensor[])[] = [];
    for (let row = 0; row < rows; row++) {
      const made = await this.#runOnce(
        tensors.map((tensor) => rowOf(tensor, row, rows)),
        names,
      );
      if (!made.ok) return made;
      parts.push(made.value);
    }
    return accept(names.map((_, at) => joined(parts.flatMap((part) => part[at] ?? []))));
  }

  async #runOnce(
    tensors: readonly NamedTensor[],
    names: readonly string[],
  ): Promise<Outcome<readonly NamedTensor[]>> {
    const sent = tensors.map(({ data, datatype, name, shape }) => ({
      ...{ name, type: elementTypeFor(datatype), shape: [...shape] },
      data: data instanceof Uint8Array ? data : [...data],
    }));
    const ran = await this.#parts.engine.run(sent, names);
    if (!ran.ok) return ran;
    const made: NamedTensor[] = [];
    for (const { data, name, shape, type } of ran.value) {
      const datatype = datatypeFor(type);
      if (datatype === null) return refuse("unavailable", "the model gave a tensor of another type");
      made.push({ name, datatype, shape, data });
    }
    return accept(made);
  }
}

function rowOf(tensor: NamedTensor, row: number, rows: number): NamedTensor {
  const { data, datatype, shape } = tensor;
  const elements = elementsOf(shape) / rows;
  const size = datatype === "BYTES" ? elements : elements * bytesOf[datatype];
  const own =
    data instanceof Uint8Array
      ? data.subarray(row * size, (row + 1) * size)
      : data.slice(row * size, (row + 1) * size);
  return { ...tensor, shape: [1, ...shape.slice(1)], data: own };
}

/** Rows that were answered one by one, as one tensor. */
function joined(parts: readonly NamedTensor[]): NamedTensor {
  const [first] = parts;
  if (first === undefined) throw new Error("broken invariant: no part of an answer");
  const data = parts.every(({ data: one }) => one instanceof Uint8Array)
    ? Buffer.concat(parts.flatMap(({ data: one }) => (one instanceof Uint8Array ? [one] : [])))
    : parts.flatMap(({ data: one }) => (one instanceof Uint8Array ? [] : [...one]));
  return { ...first, shape: [parts.length, ...first.shape.slice(1)], data };
}
