/**
 * SERVE-1, SERVE-3. A request of the Open Inference Protocol v2, `POST …/infer`: JSON, or JSON followed by the tensors' bytes (Triton's binary tensor
 * data extension, docs "Binary Tensor Data Extension"). Becomes rows and the outputs that are wanted. Knows no sockets.
 */
import * as z from "zod";
import { anyValue, listOf, recordOf, shortText } from "../../protocol/bound.ts";
import { parseOutside } from "../../protocol/refusal.ts";
import type { InputColumn } from "../model/served-model.ts";
import { countRefusal, fitRows, fitTexts, inputNames, type AskedRows } from "./asked-rows.ts";
import { isDatatype, datatypes, type Datatype } from "./datatype.ts";
import type { DescribedModel } from "./described-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { bodyJson, isJsonType, type RequestBody } from "./request-body.ts";
import { dimensionsMax } from "./serving-limit.ts";
import { binaryElements, jsonElements, type TensorFrame } from "./tensor-element.ts";

export interface WantedOutput {
  readonly name: string;
  readonly binary: boolean;
  /** Above 0: the so many most probable as `score:index:label`, in place of the output itself. */
  readonly classes: number;
}

export interface InferRequest {
  /** Comes back as sent. */
  readonly id: string | null;
  readonly rows: AskedRows;
  readonly outputs: readonly WantedOutput[];
}

const tensorsMax = 1_000;
const parametersSchema = recordOf(shortText, anyValue, 64);
const inputSchema = z.object({
  name: shortText,
  shape: listOf(z.int().min(0), dimensionsMax),
  datatype: shortText,
  parameters: parametersSchema.optional(),
  data: anyValue.optional(),
});
const wantedSchema = z.object({ name: shortText, parameters: parametersSchema.optional() });
export const inferSchema = z.object({
  id: shortText.optional(),
  parameters: parametersSchema.optional(),
  inputs: listOf(inputSchema, tensorsMax).min(1),
  outputs: listOf(wantedSchema, tensorsMax).optional(),
});
export type SentTensor = z.infer<typeof inputSchema>;
export type SentInfer = z.infer<typeof inferSchema>;

export function readInfer(body: RequestBody, described: DescribedModel): Reading<InferRequest> {
  const parts = splitBody(body);
  if (!parts.ok) return parts;
  const json = bodyJson(
    parts.value.json,
    parts.value.tail === null ? "the body" : "the JSON before the tensors",
  );
  if (!json.ok) return json;
  return readSent(json.value, parts.value.tail, described);
}

/** What the JSON of a request is, however it came; `tail`: the tensors' bytes, null where there are none. */
export function readSent(
  given: unknown,
  tail: Buffer | null,
  described: DescribedModel,
): Reading<InferRequest> {
  const parsed = parseOutside(inferSchema, given, "the request");
  if (!parsed.ok) return turnDown(400, parsed.refusal.message);
  const sent = parsed.value;
  const tensors = readTensors(sent.inputs, tail);
  if (!tensors.ok) return tensors;
  const rows = fitTensors(tensors.value, described);
  if (!rows.ok) return rows;
  const outputs = wantedOutputs(sent, described);
  if (!outputs.ok) return outputs;
  return { ok: true, value: { id: sent.id ?? null, rows: rows.value, outputs: outputs.value } };
}

export interface BodyParts {
  readonly json: Buffer;
  /** Null where no binary was announced. */
  readonly tail: Buffer | null;
}

export function splitBody({ bytes, charset, contentType, inferenceHeader }: RequestBody): Reading<BodyParts> {
  if (charset !== null && charset !== "utf-8" && charset !== "utf8")
    return turnDown(415, `the body is in ${quoted(charset)}; JSON is in UTF-8`);
  if (inferenceHeader === null) {
    if (isJsonType(contentType)) return { ok: true, value: { json: bytes, tail: null } };
    if (contentType !== "application/octet-stream")
      return turnDown(
        415,
        `a request is application/json or application/octet-stream, not ${quoted(contentType ?? "")}`,
      );
    return turnDown(
      400,
      "a binary request says how long its JSON is in the header Inference-Header-Content-Length",
    );
  }
  const length = /^\d{1,10}$/.test(inferenceHeader) ? Number(inferenceHeader) : null;
  if (length === null)
    return turnDown(
      400,
      `Inference-Header-Content-Length is a number of bytes, not ${quoted(inferenceHeader)}`,
    );
  if (length > bytes.length)
    return turnDown(
      400,
      `Inference-Header-Content-Length says ${length} bytes of JSON, and the whole body has ${bytes.length}`,
    );
  return { ok: true, value: { json: bytes.subarray(0, length), tail: bytes.subarray(length) } };
}

interface ReadTensor extends TensorFrame {
  readonly values: readonly unknown[];
}

/** Tails lie in the order of the inputs, without gaps, and nothing follows them. */
function readTensors(
  inputs: readonly SentTensor[],
  tail: Buffer | null,
): Reading<ReadonlyMap<string, ReadTensor>> {
  const tensors = new Map<string, ReadTensor>();
  let at = 0;
  for (const input of inputs) {
    const { name } = input;
    if (tensors.has(name)) return turnDown(400, `the input ${quoted(name)} stands twice`);
    const frame = frameOf(input);
    if (!frame.ok) return frame;
    const size = input.parameters?.["binary_data_size"];
    let values: Reading<readonly unknown[]>;
    if (size === undefined) {
      values =
        input.data === undefined
          ? turnDown(400, `the input ${quoted(name)} has neither data nor a binary_data_size`)
          : jsonElements(frame.value, input.data);
    } else {
      const bytes = tailOf(name, size, input, tail, at);
      if (!bytes.ok) return bytes;
      at += bytes.value.length;
      values = binaryElements(frame.value, bytes.value);
    }
    if (!values.ok) return values;
    tensors.set(name, { ...frame.value, values: values.value });
  }
  const left = (tail?.length ?? 0) - at;
  if (left > 0) return turnDown(400, `${left} bytes follow the last tensor; nothing may stand there`);
  return { ok: true, value: tensors };
}

export function tailOf(
  name: string,
  size: unknown,
  input: SentTensor,
  tail: Buffer | null,
  at: number,
): Reading<Buffer> {
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    return turnDown(400, `the binary_data_size of ${quoted(name)} has to be a whole number of bytes`);
  if (input.data !== undefined)
    return turnDown(
      400,
      `the input ${quoted(name)} has both data and a binary_data_size; one of them is to be sent`,
    );
  if (tail === null)
    return turnDown(
      400,
      `the input ${quoted(name)} has a binary_data_size, and the header Inference-Header-Content-Length is missing`,
    );
  if (at + size > tail.length)
    return turnDown(
      400,
      `the binary_data_size of ${quoted(name)} is ${size} bytes, and ${tail.length - at} are left in the body`,
    );
  return { ok: true, value: tail.subarray(at, at + size) };
}

function frameOf({ datatype, name, shape }: SentTensor): Reading<TensorFrame> {
  if (!isDatatype(datatype))
    return turnDown(
      400,
      `the input ${quoted(name)} has datatype ${quoted(datatype)}; there are ${datatypes.join(", ")}`,
    );
  let elements = 1;
  for (const size of shape) elements *= size;
  if (shape.length === 0 || elements !== shape[0])
    return turnDown(
      400,
      `the input ${quoted(name)} has shape [${shape.join(", ")}]; an input has one value a row: [rows] or [rows, 1]`,
    );
  return { ok: true, value: { name, datatype, shape, elements } };
}

function fitTensors(
  tensors: ReadonlyMap<string, ReadTensor>,
  { model, textInput }: DescribedModel,
): Reading<AskedRows> {
  const { signature } = model;
  let first: ReadTensor | null = null;
  const columns = new Map<string, readonly unknown[]>();
  for (const tensor of tensors.values()) {
    const input = signature.inputs.find(({ name }) => name === tensor.name);
    if (input === undefined)
      return turnDown(
        400,
        `the model has no input ${quoted(tensor.name)}; it takes ${inputNames(signature)}`,
      );
    if (!takes(input, tensor.datatype))
      return turnDown(
        400,
        `the input ${quoted(tensor.name)} is a ${input.kind} and was sent as ${tensor.datatype}; it is sent as ${input.kind === "number" ? "a number, such as FP64" : "BYTES"}`,
      );
    first ??= tensor;
    if (tensor.elements !== first.elements)
      return turnDown(
        400,
        `the input ${quoted(first.name)} has ${first.elements} rows and ${quoted(tensor.name)} has ${tensor.elements}`,
      );
    columns.set(tensor.name, tensor.values);
  }
  const count = first?.elements ?? 0;
  const counted = countRefusal(count);
  if (counted !== null) return counted;
  if (textInput !== null && first !== null) return fitTexts(textInput, first.values);
  return fitRows(signature, count, columns);
}

function takes({ kind }: InputColumn, datatype: Datatype): boolean {
  if (kind === "text") return datatype === "BYTES";
  return kind === "category" || datatype !== "BYTES";
}

export function wantedOutputs(
  { outputs, parameters }: SentInfer,
  { model, outputs: known }: DescribedModel,
): Reading<readonly WantedOutput[]> {
  const binary = parameters?.["binary_data_output"] ?? false;
  if (typeof binary !== "boolean") return turnDown(400, "the parameter binary_data_output is true or false");
  if (outputs === undefined || outputs.length === 0)
    return { ok: true, value: known.map(({ name }) => ({ name, binary, classes: 0 })) };
  const wanted: WantedOutput[] = [];
  for (const { name, parameters: own } of outputs) {
    if (!known.some((output) => output.name === name))
      return turnDown(
        400,
        `the model has no output ${quoted(name)}; it gives ${known.map((one) => one.name).join(", ")}`,
      );
    if (wanted.some((output) => output.name === name))
      return turnDown(400, `the output ${quoted(name)} is asked for twice`);
    const isBinary = own?.["binary_data"] ?? binary;
    if (typeof isBinary !== "boolean")
      return turnDown(400, `the parameter binary_data of ${quoted(name)} is true or false`);
    const classes = own?.["classification"] ?? 0;
    if (typeof classes !== "number" || !Number.isSafeInteger(classes) || classes < 0)
      return turnDown(400, `the parameter classification of ${quoted(name)} is a number of classes`);
    if (classes > 0 && (name !== "probabilities" || model.signature.labels === null))
      return turnDown(400, `the output ${quoted(name)} has no classes; classification is for probabilities`);
    wanted.push({ name, binary: isBinary, classes });
  }
  return { ok: true, value: wanted };
}
