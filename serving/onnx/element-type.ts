/** ONNX's types of elements by those of the Open Inference Protocol. */
import type { Datatype } from "../protocol/datatype.ts";
import { elementTypes, type ElementType } from "./engine-message.ts";

const datatypeOf: Readonly<Record<ElementType, Datatype>> = {
  ...{ float32: "FP32", float64: "FP64", bool: "BOOL", string: "BYTES" },
  ...{ int8: "INT8", int16: "INT16", int32: "INT32", int64: "INT64" },
  ...{ uint8: "UINT8", uint16: "UINT16", uint32: "UINT32", uint64: "UINT64" },
};

/** Null of a type that is not served, such as half precision. */
export function datatypeFor(type: string | null): Datatype | null {
  const known = elementTypes.find((one) => one === type);
  return known === undefined ? null : datatypeOf[known];
}

export function elementTypeFor(datatype: Datatype): ElementType {
  const found = elementTypes.find((one) => datatypeOf[one] === datatype);
  if (found === undefined) throw new Error(`broken invariant: no element type for ${datatype}`);
  return found;
}
