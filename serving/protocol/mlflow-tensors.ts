/** MLflow's scoring protocol for a model that takes tensors and no rows: `inputs` or `instances` as lists in lists, by name or of its one input. */
import * as z from "zod";
import { anyValue } from "../../protocol/bound.ts";
import { parseOutside } from "../../protocol/refusal.ts";
import { elementsOf, type NamedTensor, type TensorDescription } from "../model/tensor.ts";
import type { DescribedModel } from "./described-model.ts";
import { describeTensor, fitTensors } from "./fit-tensors.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";
import { bodyJson, isJsonType, type RequestBody } from "./request-body.ts";
import { answerNumbersMax, dimensionsMax } from "./serving-limit.ts";
import { jsonData } from "./tensor-request.ts";

const sentSchema = z.object({ inputs: anyValue.optional(), instances: anyValue.optional() });

export function readInvocationTensors(
  body: RequestBody,
  { inputs: wanted }: DescribedModel,
): Reading<readonly NamedTensor[]> {
  if (!isJsonType(body.contentType))
    return turnDown(415, `the model takes tensors, which are sent as application/json`);
  const json = bodyJson(body.bytes, "the body");
  if (!json.ok) return json;
  const parsed = parseOutside(sentSchema, json.value, "the request");
  if (!parsed.ok) return turnDown(400, parsed.refusal.message);
  const given = parsed.value.inputs ?? parsed.value.instances;
  const takes = wanted.map(describeTensor).join(", ");
  if (given === undefined)
    return turnDown(400, `the model takes tensors, not rows: send inputs with ${takes}`);
  const named = namedValues(given, wanted);
  if (named === null) return turnDown(400, `inputs has to be an object with a list for each of ${takes}`);
  const tensors: NamedTensor[] = [];
  for (const [name, value] of named) {
    const input = wanted.find((one) => one.name === name);
    if (input === undefined) continue;
    const tensor = tensorOf(input, value);
    if (!tensor.ok) return tensor;
    tensors.push(tensor.value);
  }
  return fitTensors(wanted, tensors);
}

function namedValues(
  given: unknown,
  [first, ...more]: readonly TensorDescription[],
): readonly (readonly [string, unknown])[] | null {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return Object.entries(given);
  return first !== undefined && more.length === 0 ? [[first.name, given]] : null;
}

/** The shape is that of the lists; where they are not all alike, the reading of them says so. */
function tensorOf({ datatype, name }: TensorDescription, value: unknown): Reading<NamedTensor> {
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > dimensionsMax)
      return turnDown(400, `the input ${quoted(name)} is nested deeper than ${dimensionsMax} lists`);
  }
  const elements = elementsOf(shape);
  if (elements > answerNumbersMax)
    return turnDown(
      413,
      `the input ${quoted(name)} has ${elements} elements; at most ${answerNumbersMax} are taken`,
    );
  const data = jsonData({ name, datatype, shape, elements }, value);
  return data.ok ? { ok: true, value: { name, datatype, shape, data: data.value } } : data;
}
