/**
 * MODEL-RUN-3. A request of the Open Inference Protocol to a model that is asked by tensors: as `infer-request.ts` reads it, but with tensors of any shape in
 * place of rows. What comes in binary is passed on as it came.
 */
import { parseOutside } from "../../protocol/refusal.ts";
import { elementsOf, type NamedTensor } from "../model/tensor.ts";
import { datatypes, isDatatype } from "./datatype.ts";
import type { DescribedModel } from "./described-model.ts";
import { fitTensors } from "./fit-tensors.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import {
  inferSchema,
  splitBody,
  tailOf,
  wantedOutputs,
  type SentTensor,
  type WantedOutput,
} from "./infer-request.ts";
import { bodyJson, type RequestBody } from "./request-body.ts";
import { answerNumbersMax } from "./serving-limit.ts";
import { elementBytes } from "./tensor-bytes.ts";
import { binaryElements, jsonElements, type TensorFrame } from "./tensor-element.ts";

export interface TensorRequest {
  /** Comes back as sent. */
  readonly id: string | null;
  readonly inputs: readonly NamedTensor[];
  readonly outputs: readonly WantedOutput[];
}

export function readTensorRequest(body: RequestBody, described: DescribedModel): Reading<TensorRequest> {
  const parts = splitBody(body);
  if (!parts.ok) return parts;
  const { json: bytes, tail } = parts.value;
  const json = bodyJson(bytes, tail === null ? "the body" : "the JSON before the tensors");
  if (!json.ok) return json;
  return readSentTensors(json.value, tail, described);
}

/** What the JSON of a request is, however it came; `tail`: the tensors' bytes, null where there are none. */
export function readSentTensors(
  given: unknown,
  tail: Buffer | null,
  described: DescribedModel,
): Reading<TensorRequest> {
  const parsed = parseOutside(inferSchema, given, "the request");
  if (!parsed.ok) return turnDown(400, parsed.refusal.message);
  const tensors = readAll(parsed.value.inputs, tail);
  if (!tensors.ok) return tensors;
  const inputs = fitTensors(described.inputs, tensors.value);
  if (!inputs.ok) return inputs;
  const outputs = wantedOutputs(parsed.value, described);
  if (!outputs.ok) return outputs;
  const classified = outputs.value.find(({ classes }) => classes > 0);
  if (classified !== undefined)
    return turnDown(
      400,
      `the output ${quoted(classified.name)} is a tensor of the model's own, and is not given as classes; leave out classification`,
    );
  return { ok: true, value: { id: parsed.value.id ?? null, inputs: inputs.value, outputs: outputs.value } };
}

/** Tails lie in the order of the inputs, without gaps, and nothing follows them. */
function readAll(inputs: readonly SentTensor[], tail: Buffer | null): Reading<readonly NamedTensor[]> {
  const tensors: NamedTensor[] = [];
  let at = 0;
  for (const input of inputs) {
    const { name } = input;
    if (tensors.some((one) => one.name === name))
      return turnDown(400, `the input ${quoted(name)} stands twice`);
    const frame = frameOf(input);
    if (!frame.ok) return frame;
    const size = input.parameters?.["binary_data_size"];
    let data: Reading<NamedTensor["data"]>;
    if (size !== undefined) {
      const bytes = tailOf(name, size, input, tail, at);
      if (!bytes.ok) return bytes;
      at += bytes.value.length;
      data = binaryData(frame.value, bytes.value);
    } else if (input.data === undefined)
      return turnDown(400, `the input ${quoted(name)} has neither data nor a binary_data_size`);
    else data = jsonData(frame.value, input.data);
    if (!data.ok) return data;
    const { datatype, shape } = frame.value;
    tensors.push({ name, datatype, shape, data: data.value });
  }
  const left = (tail?.length ?? 0) - at;
  return left > 0
    ? turnDown(400, `${left} bytes follow the last tensor; nothing may stand there`)
    : { ok: true, value: tensors };
}

function frameOf({ datatype, name, shape }: SentTensor): Reading<TensorFrame> {
  if (!isDatatype(datatype))
    return turnDown(
      400,
      `the input ${quoted(name)} has datatype ${quoted(datatype)}; there are ${datatypes.join(", ")}`,
    );
  const elements = elementsOf(shape);
  if (elements > answerNumbersMax)
    return turnDown(
      413,
      `the input ${quoted(name)} has ${elements} elements; a tensor has at most ${answerNumbersMax}`,
    );
  return { ok: true, value: { name, datatype, shape, elements } };
}

function binaryData(frame: TensorFrame, tail: Buffer): Reading<NamedTensor["data"]> {
  // The check of each size is there; of numbers nothing else is to be seen.
  const elements = binaryElements(frame, tail);
  if (!elements.ok) return elements;
  return { ok: true, value: frame.datatype === "BYTES" ? elements.value.map(String) : tail };
}

export function jsonData(frame: TensorFrame, data: unknown): Reading<NamedTensor["data"]> {
  // A scalar is a list of one, or stands alone.
  const listed = frame.shape.length === 0 && !Array.isArray(data) ? [data] : data;
  const elements = jsonElements(frame, listed);
  if (!elements.ok) return elements;
  const { datatype, name } = frame;
  const isFloat = datatype === "FP32" || datatype === "FP64";
  for (let at = 0; at < elements.value.length; at++) {
    const value = elements.value[at];
    if (value === null && !isFloat)
      return turnDown(400, `element ${at + 1} of ${quoted(name)} is null, which is no ${datatype}`);
    if (!isFloat && typeof value === "number" && !Number.isSafeInteger(value))
      return turnDown(
        400,
        `element ${at + 1} of ${quoted(name)} is larger than JSON's numbers are exact; send it in binary`,
      );
  }
  return { ok: true, value: elementBytes(datatype, elements.value) };
}
