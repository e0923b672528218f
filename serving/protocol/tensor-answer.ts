/**
 * Tensors that a model gave, as an answer of the Open Inference Protocol, of `/predict` and of MLflow's. JSON has no NaN: what is not finite is
 * refused there, and goes out in binary as it is.
 */
import type { NamedTensor } from "../model/tensor.ts";
import { textElement, type DescribedModel } from "./described-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { elementsJson, nestedJson } from "./tensor-bytes.ts";
import type { TensorRequest } from "./tensor-request.ts";
import type { WrittenAnswer } from "./written-answer.ts";

/** `answerId` is safe in JSON as it is. `made`: in the order of the outputs that are wanted. */
export function writeTensors(
  described: DescribedModel,
  { id, outputs }: TensorRequest,
  made: readonly NamedTensor[],
  answerId: string,
): Reading<WrittenAnswer> {
  const tails: Uint8Array[] = [];
  const written: string[] = [];
  for (const [at, tensor] of made.entries()) {
    const head = `"name":${JSON.stringify(tensor.name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(",")}]`;
    if (outputs[at]?.binary === true) {
      const tail = tensorTail(tensor);
      tails.push(tail);
      written.push(`{${head},"parameters":{"binary_data_size":${tail.length}}}`);
      continue;
    }
    const elements = elementsJson(tensor);
    if (elements === null) return notFinite(described, tensor);
    written.push(`{${head},"data":[${elements.join(",")}]}`);
  }
  const sent = id === null ? "" : `"id":${JSON.stringify(id)},`;
  const json = `${described.inferHead}"${answerId}"},${sent}"outputs":[${written.join(",")}]}`;
  if (tails.length === 0) return jsonAnswer(json);
  const head = Buffer.from(json, "utf8");
  const body = Buffer.concat([head, ...tails]);
  const answer = { contentType: "application/octet-stream", body, isAscii: false };
  return { ok: true, value: { ...answer, inferenceHeader: head.length } };
}

/** Each row with its part of every output, where each has a row for it; else the outputs as they are. */
export function writePlainTensors(
  described: DescribedModel,
  made: readonly NamedTensor[],
  count: number,
  answerId: string,
): Reading<WrittenAnswer> {
  const nested = namedJson(described, made);
  if (!nested.ok) return nested;
  const head = `${described.predictHead}"${answerId}",`;
  if (!made.every(({ shape }) => shape.length > 0 && shape[0] === count))
    return jsonAnswer(`${head}"outputs":{${nested.value.join(",")}}}`);
  const rows: string[] = [];
  for (let row = 0; row < count; row++)
    rows.push(
      `{${made.map((tensor) => `${JSON.stringify(tensor.name)}:${rowJson(tensor, row, count)}`).join(",")}}`,
    );
  return jsonAnswer(`${head}"predictions":[${rows.join(",")}]}`);
}

/** As MLflow's own ONNX models answer: each output under its name. */
export function writeInvocationTensors(
  described: DescribedModel,
  made: readonly NamedTensor[],
): Reading<WrittenAnswer> {
  const nested = namedJson(described, made);
  return nested.ok ? jsonAnswer(`{"predictions":{${nested.value.join(",")}}}`) : nested;
}

function namedJson(described: DescribedModel, made: readonly NamedTensor[]): Reading<readonly string[]> {
  const named: string[] = [];
  for (const tensor of made) {
    const elements = elementsJson(tensor);
    if (elements === null) return notFinite(described, tensor);
    named.push(`${JSON.stringify(tensor.name)}:${nestedJson(elements, tensor.shape)}`);
  }
  return { ok: true, value: named };
}

function rowJson(tensor: NamedTensor, row: number, count: number): string {
  const { data, shape } = tensor;
  const size = data.length / count;
  const own =
    data instanceof Uint8Array
      ? data.subarray(row * size, (row + 1) * size)
      : data.slice(row * size, (row + 1) * size);
  const elements = elementsJson({ ...tensor, data: own }) ?? [];
  return nestedJson(elements, shape.slice(1));
}

function notFinite({ reference }: DescribedModel, { name }: NamedTensor) {
  return turnDown(
    500,
    `${reference} gave a number that is not finite in ${quoted(name)}, which JSON has no word for; ask for it in binary, by the Open Inference Protocol`,
  );
}

/** Its elements in binary. */
export function tensorTail({ data }: NamedTensor): Uint8Array {
  return data instanceof Uint8Array ? data : Buffer.concat(data.map(textElement));
}

function jsonAnswer(json: string): Reading<WrittenAnswer> {
  return {
    ok: true,
    value: { contentType: "application/json", body: json, isAscii: false, inferenceHeader: null },
  };
}
