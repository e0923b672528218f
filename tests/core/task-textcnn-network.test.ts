/** The text CNN's hand-written gradients are the slopes of its loss, and its steps leave no tensors behind. */
import assert from "node:assert/strict";
import test from "node:test";
import { openBackend } from "../../agent/runtime/open.ts";
import { createNetwork, type NetworkShape } from "../../agent/task/textcnn-network.ts";
import { stream } from "../../agent/task/random.ts";

const shape: NetworkShape = { vocabulary: 12, length: 7, width: 3, filters: 4, windows: [2, 3], labels: 3 };
const random = stream(8, "test", 0);
const batch = 6;
const tokens = Int32Array.from({ length: batch * shape.length }, () =>
  Math.floor(random.next() * shape.vocabulary),
);
const labels = Int32Array.from({ length: batch }, (_, row) => row % shape.labels);

/** With a learning rate of 0 a first Adam step only fills its mean: a tenth of the gradient. */
const meanShare = 0.1;
const nudge = 3e-4;

for (const backend of ["cpu", "wasm"] as const) {
  test(`CNN-1: on ${backend}, gradients equal differences of the loss, with dropout on`, async () => {
    const opened = await openBackend(backend);
    assert.ok(opened.ok && opened.value.tf !== null);
    const network = createNetwork(opened.value.tf, shape, { lr: 0, dropout: 0.25, seed: 4 });
    const bias = network.tensors.get("bias")?.data;
    assert.ok(bias instanceof Float32Array);
    bias.fill(0.3); // away from the relu's corner
    network.step(tokens, labels, 0);
    const means = new Map([...network.tensors].map(([name, { data }]) => [name, Float32Array.from(data)]));
    for (const name of ["embeddings", "kernel.2", "kernel.3", "bias", "output", "output.bias"]) {
      const value = network.tensors.get(name)?.data;
      const gradient = Float32Array.from(means.get(`adam.mean.${name}`) ?? [], (mean) => mean / meanShare);
      assert.ok(value !== undefined && gradient.length === value.length);
      assert.ok(
        gradient.some((slope) => Math.abs(slope) > 1e-3),
        `${name} has no gradient`,
      );
      let off = 0;
      for (let at = 0; at < value.length; at++) {
        const held = value[at] ?? 0;
        value[at] = held + nudge;
        const above = network.step(tokens, labels, 0);
        value[at] = held - nudge;
        const below = network.step(tokens, labels, 0);
        value[at] = held;
        if (Math.abs((above - below) / (2 * nudge) - (gradient[at] ?? 0)) > 2e-3) off++;
      }
      // A nudge may move a maximum or cross the relu's corner; a wrong gradient is off nearly everywhere.
      assert.ok(off <= value.length * 0.1, `${off} of ${value.length} slopes of ${name} are off`);
    }
  });

  test(`CNN-2: on ${backend}, steps and predictions leave as many tensors as they found`, async () => {
    const opened = await openBackend(backend);
    assert.ok(opened.ok && opened.value.tf !== null);
    const { tf } = opened.value;
    const network = createNetwork(tf, shape, { lr: 0.01, dropout: 0.25, seed: 4 });
    const before = tf.memory().numTensors;
    for (let step = 0; step < 5; step++) network.step(tokens, labels, step);
    network.probabilities(tokens);
    assert.equal(tf.memory().numTensors, before);
  });
}

test("CNN-3: cpu and wasm agree on a loss after 20 steps", async () => {
  const losses: number[] = [];
  for (const backend of ["cpu", "wasm"] as const) {
    const opened = await openBackend(backend);
    assert.ok(opened.ok && opened.value.tf !== null);
    const network = createNetwork(opened.value.tf, shape, { lr: 0.01, dropout: 0.25, seed: 4 });
    let loss = 0;
    for (let step = 0; step < 20; step++) loss = network.step(tokens, labels, step);
    losses.push(loss);
  }
  const [cpu = 0, wasm = 1] = losses;
  assert.ok(cpu < 1.05 && Math.abs(cpu - wasm) < 1e-3, `cpu ${cpu}, wasm ${wasm}`);
});
