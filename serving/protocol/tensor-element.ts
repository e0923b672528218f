/**
 * The elements of one input tensor of the Open Inference Protocol, from JSON (flat or nested, which mean the same) or from its binary
 * tail. A shape that does not fit what was sent is refused, by one byte as by many. Not what the model makes of the elements.
 */
import { isUtf8 } from "node:buffer";
import { nameOf } from "./asked-rows.ts";
import { bytesOf, fitsDatatype, numberAt, type Datatype, type NumberDatatype } from "./datatype.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";

/** Where a tensor says that it has so many elements. */
export interface TensorFrame {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** The product of the shape. */
  readonly elements: number;
}

const lengthBytes = 4;

export function jsonElements(frame: TensorFrame, data: unknown): Reading<readonly unknown[]> {
  const flat = flatten(frame, data);
  if (!flat.ok) return flat;
  const { datatype, name } = frame;
  for (let at = 0; at < flat.value.length; at++) {
    const value = flat.value[at];
    if (value === null || fitsJson(value, datatype)) continue;
    return turnDown(400, `element ${at + 1} of ${quoted(name)} is ${nameOf(value)}, which is no ${datatype}`);
  }
  return flat;
}

function fitsJson(value: unknown, datatype: Datatype): boolean {
  if (datatype === "BYTES") return typeof value === "string";
  if (datatype === "BOOL") return typeof value === "boolean" || value === 0 || value === 1;
  return typeof value === "number" && fitsDatatype(value, datatype);
}

function flatten({ elements, name, shape }: TensorFrame, data: unknown): Reading<readonly unknown[]> {
  if (!Array.isArray(data))
    return turnDown(400, `the data of ${quoted(name)} is ${nameOf(data)}; it has to be a list`);
  let level: readonly unknown[] = data;
  if (!Array.isArray(level[0])) {
    if (level.length === elements) return { ok: true, value: level };
    return turnDown(
      400,
      `the shape of ${quoted(name)} is [${shape.join(", ")}], which is ${elements} elements, and its data has ${level.length}`,
    );
  }
  for (const [depth, size] of shape.entries()) {
    if (depth === 0) {
      if (level.length !== size) return unlike(name, shape, depth, level.length);
      continue;
    }
    const next: unknown[] = [];
    for (const one of level) {
      if (!Array.isArray(one))
        return turnDown(400, `the data of ${quoted(name)} is nested in some places and not in others`);
      const list: readonly unknown[] = one;
      if (list.length !== size) return unlike(name, shape, depth, list.length);
      for (const inner of list) next.push(inner);
    }
    level = next;
  }
  return { ok: true, value: level };
}

function unlike(name: string, shape: readonly number[], depth: number, found: number) {
  return turnDown(
    400,
    `the shape of ${quoted(name)} is [${shape.join(", ")}], and its data has a list of ${found} where ${shape[depth] ?? 0} should be`,
  );
}

export function binaryElements(frame: TensorFrame, tail: Buffer): Reading<readonly unknown[]> {
  return frame.datatype === "BYTES" ? textElements(frame, tail) : numberElements(frame, frame.datatype, tail);
}

function numberElements(
  frame: TensorFrame,
  datatype: NumberDatatype,
  tail: Buffer,
): Reading<readonly unknown[]> {
  const { elements, name, shape } = frame;
  const size = bytesOf[datatype];
  if (tail.length !== elements * size)
    return turnDown(
      400,
      `${quoted(name)} has ${tail.length} bytes; ${datatype} of shape [${shape.join(", ")}] has ${elements * size}`,
    );
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const values: unknown[] = [];
  for (let at = 0; at < tail.length; at += size) values.push(numberAt(view, at, datatype));
  return { ok: true, value: values };
}

function textElements({ elements, name, shape }: TensorFrame, tail: Buffer): Reading<readonly unknown[]> {
  const texts: string[] = [];
  let at = 0;
  while (at < tail.length) {
    const place = `element ${texts.length + 1} of ${quoted(name)}`;
    if (at + lengthBytes > tail.length)
      return turnDown(400, `${place} is cut off: its length takes ${lengthBytes} bytes`);
    const length = tail.readUInt32LE(at);
    const end = at + lengthBytes + length;
    if (end > tail.length)
      return turnDown(
        400,
        `${place} says it has ${length} bytes, and ${tail.length - at - lengthBytes} are left`,
      );
    const bytes = tail.subarray(at + lengthBytes, end);
    if (!isUtf8(bytes)) return turnDown(400, `${place} is not text in UTF-8`);
    texts.push(bytes.toString("utf8"));
    at = end;
  }
  if (texts.length === elements) return { ok: true, value: texts };
  return turnDown(
    400,
    `the shape of ${quoted(name)} is [${shape.join(", ")}], which is ${elements} elements, and ${texts.length} were sent`,
  );
}
