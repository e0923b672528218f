/**
 * SERVE-2. Answers of the Open Inference Protocol v2, as JSON written by hand (its shape is known) or with binary tensors after the JSON. Every
 * number in it is finite: whoever calls has looked.
 */
import type { Datatype } from "../model/tensor-datatype.ts";
import { bestOf } from "./best-label.ts";
import type { Answers } from "../model/served-model.ts";
import { textElement, type DescribedModel } from "./described-model.ts";
import type { InferRequest, WantedOutput } from "./infer-request.ts";
import { numbersJson } from "./number-json.ts";
import { isAsciiText, type WrittenAnswer } from "./written-answer.ts";

/** `answerId` is safe in JSON as it is. */
export function writeInfer(
  described: DescribedModel,
  { id, outputs, rows: { count } }: InferRequest,
  answers: Answers,
  answerId: string,
): WrittenAnswer {
  const tails: Uint8Array[] = [];
  let json = `${described.inferHead}"${answerId}"},`;
  if (id !== null) json += `"id":${JSON.stringify(id)},`;
  json += '"outputs":[';
  for (let at = 0; at < outputs.length; at++) {
    const wanted = outputs[at];
    if (wanted === undefined) break;
    if (at > 0) json += ",";
    json += wanted.binary
      ? binaryOutput(described, wanted, count, answers, tails)
      : jsonOutput(described, wanted, count, answers);
  }
  json += "]}";
  if (tails.length === 0) {
    const isAscii = described.isAscii && (id === null || isAsciiText(id));
    return { contentType: "application/json", body: json, isAscii, inferenceHeader: null };
  }
  const head = Buffer.from(json, "utf8");
  return {
    contentType: "application/octet-stream",
    body: Buffer.concat([head, ...tails]),
    isAscii: false,
    inferenceHeader: head.length,
  };
}

function jsonOutput(
  described: DescribedModel,
  { classes, name }: WantedOutput,
  count: number,
  answers: Answers,
): string {
  if (answers.kind === "values")
    return `{"name":"value","datatype":"FP32","shape":[${count}],"data":[${numbersJson(answers.values)}]}`;
  const { labelJson } = described;
  const width = labelJson.length;
  if (classes > 0) {
    const shown = Math.min(classes, width);
    const data = classElements(described, answers.probabilities, shown).map((text) => JSON.stringify(text));
    return `{"name":"probabilities","datatype":"BYTES","shape":[${count},${shown}],"data":[${data.join(",")}]}`;
  }
  if (name === "probabilities")
    return `{"name":"probabilities","datatype":"FP32","shape":[${count},${width}],"data":[${numbersJson(answers.probabilities)}]}`;
  let data = "";
  for (let row = 0; row < count; row++) {
    if (row > 0) data += ",";
    data += labelJson[bestOf(answers.probabilities, row, width)] ?? '""';
  }
  return `{"name":"label","datatype":"BYTES","shape":[${count}],"data":[${data}]}`;
}

function binaryOutput(
  described: DescribedModel,
  wanted: WantedOutput,
  count: number,
  answers: Answers,
  tails: Uint8Array[],
): string {
  const { datatype, name, parts, shape } = outputTensor(described, wanted, count, answers);
  let size = 0;
  for (const part of parts) {
    tails.push(part);
    size += part.length;
  }
  return `{"name":"${name}","datatype":"${datatype}","shape":[${shape.join(",")}],"parameters":{"binary_data_size":${size}}}`;
}

export interface OutputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Its bytes, one behind the other; some are the answers' own, and may be written over. */
  readonly parts: readonly Uint8Array[];
}

/** An output in binary. */
export function outputTensor(
  described: DescribedModel,
  { classes, name }: WantedOutput,
  count: number,
  answers: Answers,
): OutputTensor {
  if (answers.kind === "values")
    return { name, datatype: "FP32", shape: [count], parts: [floatBytes(answers.values)] };
  const { labelBytes } = described;
  const width = labelBytes.length;
  if (classes > 0) {
    const shown = Math.min(classes, width);
    const parts = classElements(described, answers.probabilities, shown).map(textElement);
    return { name, datatype: "BYTES", shape: [count, shown], parts };
  }
  if (name === "probabilities")
    return { name, datatype: "FP32", shape: [count, width], parts: [floatBytes(answers.probabilities)] };
  const parts: Uint8Array[] = [];
  for (let row = 0; row < count; row++) {
    const element = labelBytes[bestOf(answers.probabilities, row, width)];
    if (element !== undefined) parts.push(element);
  }
  return { name, datatype: "BYTES", shape: [count], parts };
}

/** As they lie in memory, which is little-endian on every machine that Node runs on but one. */
function floatBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Triton's classification extension: `score:index:label`, most probable first. */
function classElements({ model }: DescribedModel, probabilities: Float32Array, shown: number): string[] {
  const labels = model.signature.labels ?? [];
  const elements: string[] = [];
  for (let at = 0; at < probabilities.length; at += labels.length) {
    const row = probabilities.subarray(at, at + labels.length);
    const order = labels.map((_, index) => index).sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b);
    for (const index of order.slice(0, shown))
      elements.push(`${row[index] ?? 0}:${index}:${labels[index] ?? ""}`);
  }
  return elements;
}
