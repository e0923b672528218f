/** Checkpoint bytes: the safetensors layout, read back bit for bit, and never half. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { decodeCheckpoint, encodeCheckpoint, type CheckpointMeta } from "../../training/task/checkpoint.ts";
import type { TensorData } from "../../training/tensor/tensor-data.ts";

const meta: CheckpointMeta = {
  format: "trialmesh-checkpoint",
  version: 1,
  task: "text-classification",
  model: "linear",
  params: { lr: 0.1, unit: "char", flag: true },
  labels: ["ä", "b"],
  seed: 7,
  epoch: 3,
  step: 12,
  backend: "sparse",
  extra: { vocabulary: "[]" },
};
const tensor: fc.Arbitrary<TensorData> = fc.oneof(
  fc
    .array(fc.float({ noNaN: true }), { maxLength: 9 })
    .map((list) => ({ shape: [list.length], data: Float32Array.from(list) })),
  fc
    .array(fc.integer(), { maxLength: 9 })
    .map((list) => ({ shape: [1, list.length], data: Int32Array.from(list) })),
);

test("CKPT-1: what is written is read back, from any alignment", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.string({ minLength: 1, maxLength: 5 }).filter((name) => !name.startsWith("__")),
        { maxLength: 4 },
      ),
      fc.array(tensor, { minLength: 4, maxLength: 4 }),
      fc.nat({ max: 7 }),
      (names, list, shift) => {
        const tensors = new Map(
          names.map((name, index) => [name, list[index] ?? { shape: [0], data: new Int32Array(0) }]),
        );
        const bytes = encodeCheckpoint(meta, tensors);
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        // A Buffer is a Uint8Array with a memory of its own kind.
        for (const given of [shifted.subarray(shift), Buffer.from(shifted.buffer, shift)]) {
          const read = decodeCheckpoint(given);
          assert.ok(read.ok);
          assert.deepEqual(read.value.meta, meta);
          assert.deepEqual(read.value.tensors, tensors); // the order of a Map's entries does not count
        }
      },
    ),
  );
});

test("CKPT-2: the layout is safetensors: length, JSON header with offsets from its end, raw little-endian values", () => {
  const bytes = encodeCheckpoint(meta, new Map([["w", { shape: [1, 2], data: Float32Array.of(1, -2) }]]));
  const headerBytes = Number(Buffer.from(bytes).readBigUInt64LE(0));
  const header: unknown = JSON.parse(Buffer.from(bytes).toString("utf8", 8, 8 + headerBytes));
  assert.equal(headerBytes % 8, 0);
  assert.ok(typeof header === "object" && header !== null && "w" in header && "__metadata__" in header);
  assert.deepEqual(header.w, { dtype: "F32", shape: [1, 2], data_offsets: [0, 8] });
  assert.equal(Buffer.from(bytes).readFloatLE(8 + headerBytes + 4), -2);
});

test("CKPT-3: bytes cut short anywhere, or not a checkpoint, are refused", () => {
  const bytes = encodeCheckpoint(meta, new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]));
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(
      decodeCheckpoint(bytes.subarray(0, length)).ok,
      false,
      `${length} of ${bytes.length} bytes were read`,
    );
  }
  assert.equal(decodeCheckpoint(new Uint8Array(64).fill(0xff)).ok, false);
});
