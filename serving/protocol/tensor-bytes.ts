/** Elements of a tensor as they lie in binary, from values that came as JSON or in rows; and back as JSON. */
import type { NamedTensor } from "../model/tensor.ts";
import { bytesOf, numberAt, type Datatype, type NumberDatatype } from "./datatype.ts";
import { numberJson } from "./number-json.ts";

/** `values`: each of the type, as `jsonElements` checks; null stands for a missing number. */
export function elementBytes(datatype: Datatype, values: readonly unknown[]): NamedTensor["data"] {
  if (datatype === "BYTES") return values.map(String);
  const size = bytesOf[datatype];
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, at) =>
    setNumber(view, at * size, datatype, value === null ? Number.NaN : Number(value)),
  );
  return bytes;
}

function setNumber(view: DataView, at: number, datatype: NumberDatatype, value: number): void {
  switch (datatype) {
    case "BOOL":
    case "UINT8":
      return view.setUint8(at, value);
    case "UINT16":
      return view.setUint16(at, value, true);
    case "UINT32":
      return view.setUint32(at, value, true);
    case "UINT64":
      return view.setBigUint64(at, BigInt(value), true);
    case "INT8":
      return view.setInt8(at, value);
    case "INT16":
      return view.setInt16(at, value, true);
    case "INT32":
      return view.setInt32(at, value, true);
    case "INT64":
      return view.setBigInt64(at, BigInt(value), true);
    case "FP32":
      return view.setFloat32(at, value, true);
    case "FP64":
      return view.setFloat64(at, value, true);
  }
}

/** Each element as JSON, whole numbers of 64 bits to the last digit; null where a number is not finite, of which JSON has none. */
export function elementsJson({ data, datatype }: NamedTensor): readonly string[] | null {
  if (!(data instanceof Uint8Array)) return data.map((text) => JSON.stringify(text));
  if (datatype === "BYTES") return [];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const json: string[] = [];
  for (let at = 0; at < data.length; at += bytesOf[datatype]) {
    if (datatype === "INT64") json.push(String(view.getBigInt64(at, true)));
    else if (datatype === "UINT64") json.push(String(view.getBigUint64(at, true)));
    else {
      const value = numberAt(view, at, datatype);
      if (typeof value === "number" && !Number.isFinite(value)) return null;
      json.push(typeof value === "number" && datatype === "FP32" ? numberJson(value) : String(value));
    }
  }
  return json;
}

/** Lists in lists, as a shape has them. */
export function nestedJson(elements: readonly string[], shape: readonly number[]): string {
  let level = elements;
  for (const length of shape.slice(1).toReversed()) {
    if (length === 0) return `[${Array.from({ length: shape[0] ?? 0 }, () => "[]").join(",")}]`;
    const next: string[] = [];
    for (let at = 0; at < level.length; at += length)
      next.push(`[${level.slice(at, at + length).join(",")}]`);
    level = next;
  }
  return shape.length === 0 ? (level[0] ?? "null") : `[${level.join(",")}]`;
}
