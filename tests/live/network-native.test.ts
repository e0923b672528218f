/**
 * Networks as one compiled graph on libtensorflow: the same checks as on the script backends. In a process of
 * its own, since TensorFlow.js keeps one backend per process. Skipped where no runtime is installed.
 */
import assert from "node:assert/strict";
import test from "node:test";
import { createNetwork } from "../../training/network/network.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import { buildTextcnn } from "../../training/text/textcnn-program.ts";
import { checkNetwork } from "../support/network-check.ts";

const opened = await openBackend("tfjs-node");
if (opened.ok) {
  const backend = opened.value;
  checkNetwork("tfjs-node");

  test("NET-11: on tfjs-node, sums that several threads share come out the same, bit for bit", () => {
    const shape = { vocabulary: 400, width: 32, filters: 64, windows: [3, 4], labels: 4 };
    const program = { batch: 64, lengths: [24], build: buildTextcnn(shape, 0.3) };
    const random = stream(3, "test", 0);
    const tokens = Int32Array.from({ length: 64 * 24 }, () => Math.floor(random.next() ** 3 * 400));
    const labels = Int32Array.from({ length: 64 }, (_, row) => row % 4);
    const runs = [0, 1, 2].map(() => {
      const made = createNetwork(backend, { program, seed: 2, optimizer: { kind: "adam", clip: 1 } });
      assert.ok(made.ok);
      for (let step = 0; step < 25; step++) made.value.step({ tokens, labels }, { rate: 0.01, step });
      const tensors = made.value.tensors();
      made.value.dispose();
      return tensors;
    });
    assert.deepEqual(runs[1], runs[0]);
    assert.deepEqual(runs[2], runs[0]);
  });

  test("NET-14: what a network is given is its giver's again at once, wherever in memory it lies", () => {
    const program = {
      batch: 2,
      lengths: [3],
      build: buildTextcnn({ vocabulary: 5, width: 2, filters: 3, windows: [2], labels: 2 }, 0),
    };
    const made = createNetwork(backend, { program, seed: 2, optimizer: { kind: "adam" } });
    assert.ok(made.ok);
    const before = made.value.tensors();
    // One of 16 places in a row is a multiple of 64 bytes, where TensorFlow computes on what it is given.
    for (let place = 0; place < 16; place++) {
      const lent = new Map(
        [...before].map(([name, { data, shape }]) => {
          const memory = new Float32Array(new ArrayBuffer(4 * (place + data.length)), 4 * place);
          memory.set(data);
          return [name, { shape, data: memory }];
        }),
      );
      assert.ok(made.value.restore(lent).ok);
      for (const { data } of lent.values()) data.fill(Number.NaN);
      assert.deepEqual(made.value.tensors(), before, `${place} numbers into its memory`);
    }
    made.value.dispose();
  });

  test("NET-12: of networks that are done with few graphs stay, and the next built alike takes one of them", () => {
    const { tf } = backend;
    assert.ok(tf !== null);
    const native: object = tf.backend();
    assert.ok("getNumOfSavedModels" in native);
    const { getNumOfSavedModels } = native;
    assert.ok(typeof getNumOfSavedModels === "function");
    const count = () => Number(Reflect.apply(getNumOfSavedModels, native, []));
    const make = (filters: number) => {
      const shape = { vocabulary: 5, width: 2, filters, windows: [2], labels: 2 };
      const program = { batch: 2, lengths: [3, 4], build: buildTextcnn(shape, 0) };
      const made = createNetwork(backend, { program, seed: 2, optimizer: { kind: "adam" } });
      assert.ok(made.ok);
      return made.value;
    };
    const first = make(7);
    const held = count();
    first.dispose();
    first.dispose(); // a second time is nothing
    const second = make(7);
    assert.ok(count() <= held, "the graph of the first is the second's");
    const alone = count();
    const beside = make(7);
    assert.equal(count(), alone + 1, "and no two have one at a time");
    beside.dispose();
    second.dispose();
    for (let filters = 8; filters < 20; filters++) make(filters).dispose();
    assert.ok(count() <= held + 4, `${count()} graphs`);
  });

  test("NET-13: a folder that takes no graph is a refusal in one sentence", () => {
    const held = process.env["TMPDIR"];
    process.env["TMPDIR"] = "/nowhere/at/all";
    try {
      const shape = { vocabulary: 5, width: 2, filters: 2, windows: [2], labels: 2 };
      const program = { batch: 2, lengths: [3], build: buildTextcnn(shape, 0) };
      const made = createNetwork(backend, { program, seed: 2, optimizer: { kind: "adam" } });
      assert.ok(!made.ok);
      assert.match(made.refusal.message, /^TensorFlow did not take .* by way of \/nowhere\/at\/all: /);
    } finally {
      if (held === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = held;
    }
  });
} else test("networks on tfjs-node", { skip: opened.refusal.message }, () => undefined);
