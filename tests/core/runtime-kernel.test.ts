/** Mended kernels give what the plain definition gives. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Tensor } from "@tensorflow/tfjs-core";
import { addFewAtOnce } from "../../training/runtime/tensor-kernel.ts";
import { openBackend } from "../../training/runtime/open.ts";

for (const backend of ["wasm", "cpu"] as const) {
  test(`KERNEL-1: on ${backend}, a segment sum adds rows where their ids say`, async () => {
    const opened = await openBackend(backend);
    assert.ok(opened.ok && opened.value.tf !== null);
    const { tf } = opened.value;
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const sum = tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, 2], "int32"), 4);
    assert.deepEqual([...sum.dataSync()], [3, 4, 0, 0, 6, 8, 0, 0]);
    assert.deepEqual(sum.shape, [4, 2]);
  });

  test(`KERNEL-2: on ${backend}, a gather copies rows in the indices' shape and refuses what is not there`, async () => {
    const opened = await openBackend(backend);
    assert.ok(opened.ok && opened.value.tf !== null);
    const { tf } = opened.value;
    const table = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const rows = tf.gather(table, tf.tensor2d([2, 0, 0, 1], [2, 2], "int32"));
    assert.deepEqual(rows.shape, [2, 2, 2]);
    assert.deepEqual([...rows.dataSync()], [5, 6, 1, 2, 1, 2, 3, 4]);
    assert.throws(() => tf.gather(table, tf.tensor1d([3], "int32")).dataSync());
    const columns = tf.gather(table, tf.tensor1d([1], "int32"), 1);
    assert.deepEqual([...columns.dataSync()], [2, 4, 6]);
  });

  test(`KERNEL-3: on ${backend}, products of transposed matrices are those of the matrices turned first`, async () => {
    const opened = await openBackend(backend);
    assert.ok(opened.ok && opened.value.tf !== null);
    const { tf } = opened.value;
    const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);
    const b = tf.tensor2d([1, -1, 2, 0, 3, 1], [3, 2]);
    const before = tf.memory().numTensors;
    const [left, right] = [tf.matMul(a, b, true, false), tf.matMul(a, b, false, true)];
    assert.deepEqual([...left.dataSync()], [1 + 6 + 15, -1 + 5, 2 + 8 + 18, -2 + 6]);
    assert.deepEqual([...right.dataSync()], [-1, 2, 5, -1, 6, 13, -1, 10, 21]);
    assert.equal(tf.memory().numTensors, before + 2);
  });
}

test("KERNEL-4: a sum of many is taken seven at a time, leaves nothing behind, and is the same sum", async () => {
  const opened = await openBackend("cpu");
  assert.ok(opened.ok && opened.value.tf !== null);
  const { tf } = opened.value;
  const original = tf.getKernel("AddN", "cpu").kernelFunc;
  let most = 0;
  const counted: typeof original = (call) => {
    most = Math.max(most, Object.keys(call.inputs).length);
    return original(call);
  };
  for (const count of [1, 2, 7, 8, 13, 14, 30]) {
    const tensors = Array.from({ length: count }, (_, index) => tf.tensor1d([index, 2 * index]));
    const inputs = Object.assign<Tensor[], Record<string, Tensor>>([...tensors], {});
    const before = tf.backend().numDataIds();
    const out = addFewAtOnce(counted)({ inputs, backend: tf.backend(), attrs: {} });
    const held = tf.backend().numDataIds();
    assert.ok(!Array.isArray(out));
    const total = (count * (count - 1)) / 2;
    const sum = tf.tidy(() => [...tf.engine().makeTensorFromTensorInfo(out).dataSync()]);
    assert.deepEqual(sum, [total, 2 * total]);
    assert.equal(held - before, 1, `${count} left a sum of a part behind`);
  }
  assert.equal(most, 7);
});
