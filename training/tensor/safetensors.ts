/**
 * Tensors in the safetensors layout: a little-endian 64-bit header length, a JSON header, then raw tensors without holes.
 * https://github.com/huggingface/safetensors#format
 */
import type { TensorData } from "./tensor-data.ts";

export const headerLengthBytes = 8;
const headerAlignBytes = 8;

/** The file's bytes in pieces; the tensors' own are not copied. */
export function safetensors(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, TensorData>,
): Uint8Array[] {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, data }] of tensors) {
    const dtype = data instanceof Float32Array ? "F32" : "I32";
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(header));
  const headerBytes = Math.ceil(json.length / headerAlignBytes) * headerAlignBytes;
  const start = Buffer.alloc(headerLengthBytes + headerBytes, 0x20);
  start.writeBigUInt64LE(BigInt(headerBytes));
  start.set(json, headerLengthBytes);
  const raw = ({ data }: TensorData) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [start, ...[...tensors.values()].map(raw)];
}
