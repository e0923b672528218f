/**
 * A loaded version with the pieces of its answers that never change, made once: names and labels as JSON and as bytes, what the
 * protocols say of its inputs and outputs. Not what answers: that is `serving/model`.
 */
import type { InputColumn, ServedModel } from "../model/served-model.ts";
import type { TensorDescription } from "../model/tensor.ts";
import { isAsciiText } from "./written-answer.ts";

export interface DescribedModel {
  readonly model: ServedModel;
  /** `name@version`. */
  readonly reference: string;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
  /** The one column's name, where the model takes one text and no more. */
  readonly textInput: string | null;
  /** Whether nothing in an answer is beyond ASCII but what the caller sent. */
  readonly isAscii: boolean;
  /** Each label as JSON; empty where the model gives numbers. */
  readonly labelJson: readonly string[];
  /** Each label as an element of BYTES: its length, its bytes. */
  readonly labelBytes: readonly Uint8Array[];
  /** Model, version, digest as the first fields of an answer of the Open Inference Protocol, up to the answer's id. */
  readonly inferHead: string;
  /** The same of `/predict`. */
  readonly predictHead: string;
  /** What the ids of its answers begin with: `name@version~`, safe in JSON and in headers. */
  readonly answerHead: string;
  /** What the answers of a protocol that has no room for it say in headers, names and values in turn. */
  readonly headers: readonly string[];
}

const lengthBytes = 4;

export function describeModel(model: ServedModel): DescribedModel {
  const { signature, version } = model;
  const [first] = signature.inputs;
  const labels = signature.labels ?? [];
  const name = JSON.stringify(model.model);
  const digest = JSON.stringify(model.digest);
  return {
    model,
    reference: `${model.model}@${version}`,
    inputs: model.tensors?.inputs ?? signature.tensors?.inputs ?? signature.inputs.map(inputTensor),
    outputs:
      model.tensors?.outputs ??
      signature.tensors?.outputs ??
      (signature.labels === null
        ? [{ name: "value", datatype: "FP32", shape: [-1] }]
        : [
            { name: "label", datatype: "BYTES", shape: [-1] },
            { name: "probabilities", datatype: "FP32", shape: [-1, labels.length] },
          ]),
    textInput: signature.inputs.length === 1 && first?.kind === "text" && !first.optional ? first.name : null,
    isAscii: labels.every(isAsciiText),
    labelJson: labels.map((label) => JSON.stringify(label)),
    labelBytes: labels.map(textElement),
    inferHead: `{"model_name":${name},"model_version":"${version}","parameters":{"digest":${digest},"answer":`,
    predictHead: `{"model":${name},"version":${version},"digest":${digest},"answer":`,
    answerHead: `${encodeURIComponent(model.model)}@${version}~`,
    headers: [
      ...["x-trialmesh-model", encodeURIComponent(model.model), "x-trialmesh-version", String(version)],
      ...["x-trialmesh-digest", model.digest],
    ],
  };
}

function inputTensor({ kind, name }: InputColumn): TensorDescription {
  return { name, datatype: kind === "number" ? "FP64" : "BYTES", shape: [-1] };
}

/** A text as it lies in a tensor of BYTES. */
export function textElement(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const element = new Uint8Array(lengthBytes + bytes.length);
  new DataView(element.buffer).setUint32(0, bytes.length, true);
  element.set(bytes, lengthBytes);
  return element;
}
