/**
 * Checkpoint bytes in the safetensors layout: a little-endian 64-bit header length, a JSON header,
 * then raw tensors without holes. https://github.com/huggingface/safetensors#format
 * The metadata says which model it is, so that bytes alone can go on training or serve.
 */
import * as z from "zod";
import { anyValue, storedText, storedList, storedRecord } from "../../protocol/bound.ts";
import { backendNameSchema } from "../../protocol/capability.ts";
import { newerFormat } from "../../protocol/newer-format.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { valueSchema } from "../../protocol/value.ts";
import { headerLengthBytes, safetensors } from "../tensor/safetensors.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { classificationReportSchema } from "./classification-report.ts";

/** Raised where an older trialmesh could not read what is written now. */
const checkpointFormat = 1;

const metaSchema = z.strictObject({
  format: z.literal("trialmesh-checkpoint"),
  version: z.literal(checkpointFormat),
  task: storedText,
  model: storedText,
  params: storedRecord(storedText, valueSchema),
  labels: storedList(storedText),
  seed: z.int(),
  epoch: z.int().nonnegative(),
  /** Examples or steps seen, as the model counts: with the seed it is the whole random state. */
  step: z.int().nonnegative(),
  backend: backendNameSchema,
  /** What else the model needs to read a text as it did in training, such as its vocabulary. */
  extra: storedRecord(storedText, z.union([z.number(), storedText])),
  /** What these weights got right and wrong, where it was measured. */
  report: classificationReportSchema.optional(),
});
export type CheckpointMeta = z.infer<typeof metaSchema>;

export interface Checkpoint {
  readonly meta: CheckpointMeta;
  readonly tensors: ReadonlyMap<string, TensorData>;
}

const headerMaxBytes = 100_000_000;
const elementBytes = 4;
const tensorSchema = z.strictObject({
  dtype: z.enum(["F32", "I32"]),
  shape: storedList(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});
const outerMetaSchema = z.object({ trialmesh: storedText });

export function encodeCheckpoint(meta: CheckpointMeta, tensors: ReadonlyMap<string, TensorData>): Uint8Array {
  const pieces = safetensors({ trialmesh: JSON.stringify(meta) }, tensors);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function decodeCheckpoint(bytes: Uint8Array): Outcome<Checkpoint> {
  const broken = (why: string) => refuse("invalid", `the checkpoint ${why}; it is not one, or was cut short`);
  if (bytes.length < headerLengthBytes) return broken(`is ${bytes.length} bytes long`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  const bodyAt = headerLengthBytes + headerBytes;
  if (headerBytes > headerMaxBytes || bodyAt > bytes.length) return broken("has a header longer than itself");
  let header: unknown;
  try {
    header = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(headerLengthBytes, bodyAt)),
    );
  } catch {
    return broken("has a header that is not JSON");
  }
  const parts = storedRecord(storedText, anyValue).safeParse(header);
  const outer = outerMetaSchema.safeParse(parts.success ? parts.data["__metadata__"] : null);
  if (!parts.success || !outer.success) return broken("has no trialmesh metadata");
  let rawMeta: unknown;
  try {
    rawMeta = JSON.parse(outer.data.trialmesh);
  } catch {
    return broken("has metadata that is not JSON");
  }
  const newer = newerFormat(rawMeta, "version", checkpointFormat, "the checkpoint");
  if (newer !== null) return newer;
  const meta = parseOutside(metaSchema, rawMeta, "checkpoint metadata");
  if (!meta.ok) return meta;
  const tensors = new Map<string, TensorData>();
  for (const [name, part] of Object.entries(parts.data)) {
    if (name === "__metadata__") continue;
    const tensor = tensorSchema.safeParse(part);
    if (!tensor.success) return broken(`describes tensor ${name} wrongly`);
    const { dtype, shape } = tensor.data;
    const [from, to] = tensor.data.data_offsets;
    const size = shape.reduce((product, dimension) => product * dimension, 1) * elementBytes;
    if (to - from !== size || bodyAt + to > bytes.length) return broken(`lacks bytes of tensor ${name}`);
    // A copy, so that it is aligned; not by `slice`, which on a Buffer shares the memory it came from.
    const raw = Uint8Array.from(bytes.subarray(bodyAt + from, bodyAt + to)).buffer;
    tensors.set(name, { shape, data: dtype === "F32" ? new Float32Array(raw) : new Int32Array(raw) });
  }
  return accept({ meta: meta.value, tensors });
}

/** Copies saved tensors over live ones of the same names and sizes. */
export function fillTensors(
  live: ReadonlyMap<string, TensorData>,
  saved: Checkpoint["tensors"],
): Outcome<null> {
  for (const [name, { data }] of live) {
    const from = saved.get(name);
    if (from === undefined || from.data.length !== data.length) {
      return refuse(
        "invalid",
        `the checkpoint's tensor ${name} does not fit this model; it is of other parameters or data`,
      );
    }
    data.set(from.data);
  }
  return accept(null);
}
