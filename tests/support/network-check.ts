/** The checks that hold for networks on every backend: repeatable, resumable, padded, without leaks, by the rule. */
import assert from "node:assert/strict";
import test from "node:test";
import type { BackendName } from "../../protocol/capability.ts";
import type { AdamOptions } from "../../training/network/adam-options.ts";
import type { Program } from "../../training/network/graph.ts";
import { createNetwork, type Network, type NetworkInputs } from "../../training/network/network.ts";
import type { OpenedBackend } from "../../training/runtime/backend.ts";
import { openBackend } from "../../training/runtime/open.ts";
import { stream } from "../../training/tensor/seeded-stream.ts";
import { buildTextcnn, type TextcnnShape } from "../../training/text/textcnn-program.ts";

const shape: TextcnnShape = { vocabulary: 60, width: 8, filters: 12, windows: [2, 3], labels: 3 };
const batch = 16;
const length = 10;
const shorter = 7;
const text: Program = { batch, lengths: [shorter, length], build: buildTextcnn(shape, 0.25) };
/** Of `text` on the cpu backend without dropout: what 20 steps on `texts` bring the loss to. */
const lossAfter20Steps = 0.60342;

/** Texts that leave room behind them for the filling that windows need. */
function texts(rows: number, seed = 8): { readonly tokens: Int32Array; readonly labels: Int32Array } {
  const random = stream(seed, "test", 0);
  const longest = shorter - 2;
  const tokens = Int32Array.from({ length: rows * length }, (_, at) =>
    at % length < longest ? 1 + Math.floor(random.next() * (shape.vocabulary - 1)) : 0,
  );
  return { tokens, labels: Int32Array.from({ length: rows }, (_, row) => row % shape.labels) };
}

async function opened(name: BackendName): Promise<OpenedBackend> {
  const backend = await openBackend(name);
  assert.ok(backend.ok);
  return backend.value;
}

async function networkOf(
  name: BackendName,
  program: Program,
  optimizer: Partial<AdamOptions> = {},
  seed = 4,
): Promise<Network> {
  const made = createNetwork(await opened(name), {
    program,
    seed,
    optimizer: { kind: "adam", ...optimizer },
  });
  assert.ok(made.ok);
  return made.value;
}

function train(network: Network, from: number, to: number): number[] {
  const losses = [];
  for (let step = from; step < to; step++)
    losses.push(network.step(texts(batch, step % 3), { rate: 0.01, step }));
  return losses;
}

function bitsOf(network: Network): ReadonlyMap<string, string> {
  return new Map(
    [...network.tensors()].map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
    ]),
  );
}

function weightOf(network: Network, name: string): Float32Array {
  const data = network.tensors().get(name)?.data;
  assert.ok(data instanceof Float32Array);
  return data;
}

/** A straight line through the origin, so that every gradient is known on paper. */
const line: Program = {
  batch: 2,
  lengths: [0],
  build: (graph) => {
    const x = graph.input("x", [2, 2], "float32");
    const gradient = graph.weight("gradient", [2, 1], { kind: "ones" });
    const score = graph.reshape(graph.matmul(x, gradient), [2]);
    const target = graph.input("target", [2], "float32");
    return { loss: graph.squaredError(score, target, graph.input("weights", [2], "float32")), score };
  },
};

/** A table of rows whose mean is the score. */
const rowTable: Program = {
  batch: 2,
  lengths: [0],
  build: (graph) => {
    const ids = graph.input("ids", [2], "int32");
    const score = graph.reshape(graph.gather(graph.weight("table", [4, 1], { kind: "ones" }), ids), [2]);
    const target = graph.input("target", [2], "float32");
    return { loss: graph.squaredError(score, target, graph.input("weights", [2], "float32")), score };
  },
};

export function checkNetwork(name: BackendName): void {
  checkRepeats(name);
  checkRows(name);
  checkLearning(name);
}

/** What comes out alike, to the bit, and leaves nothing behind. */
function checkRepeats(name: BackendName): void {
  test(`NET-2: on ${name}, the same seed gives the same weights, bit for bit; another seed others`, async () => {
    const [first, second, other] = [
      await networkOf(name, text, { clip: 0.5, decay: 0.01 }),
      await networkOf(name, text, { clip: 0.5, decay: 0.01 }),
      await networkOf(name, text, { clip: 0.5, decay: 0.01 }, 5),
    ];
    assert.deepEqual(train(first, 0, 12), train(second, 0, 12));
    assert.deepEqual(bitsOf(first), bitsOf(second));
    train(other, 0, 12);
    assert.notEqual(bitsOf(first).get("embeddings"), bitsOf(other).get("embeddings"));
    for (const network of [first, second, other]) network.dispose();
  });

  test(`NET-3: on ${name}, weights put into a new network go on as if nothing had been, bit for bit`, async () => {
    const whole = await networkOf(name, text);
    train(whole, 0, 5);
    const resumed = await networkOf(name, text);
    assert.ok(resumed.restore(whole.tensors()).ok);
    assert.deepEqual(train(whole, 5, 12), train(resumed, 5, 12));
    assert.deepEqual(bitsOf(whole), bitsOf(resumed));
    const tensors = new Map(whole.tensors());
    tensors.delete("adam.mean.bias");
    const before = bitsOf(whole);
    const refused = whole.restore(tensors);
    assert.ok(!refused.ok && refused.refusal.message.includes("adam.mean.bias"));
    assert.deepEqual(bitsOf(whole), before);
    whole.dispose();
    resumed.dispose();
  });

  test(`NET-5: on ${name}, steps, scores, reading and restoring leave as many tensors as they found`, async () => {
    const { tf } = await opened(name);
    assert.ok(tf !== null);
    const before = tf.memory().numTensors;
    const network = await networkOf(name, text);
    train(network, 0, 3);
    network.score({ tokens: texts(3).tokens });
    assert.ok(network.restore(network.tensors()).ok);
    assert.equal(tf.memory().numTensors, before);
    network.dispose();
    assert.equal(tf.memory().numTensors, before);
  });
}

/** How rows, texts of other lengths and rows of tables are taken. */
function checkRows(name: BackendName): void {
  test(`NET-4: on ${name}, rows that fill up a batch change nothing, and any number of rows is scored`, async () => {
    const program: Program = { batch, lengths: [length], build: buildTextcnn(shape, 0) };
    const some = await networkOf(name, program);
    const filled = await networkOf(name, program);
    const five = texts(5);
    const sixteen = texts(batch);
    const weights = Float32Array.from({ length: batch }, (_, row) => (row < 5 ? 1 : 0));
    const loss = some.step(five, { rate: 0.01, step: 0 });
    assert.ok(Math.abs(loss - filled.step({ ...sixteen, weights }, { rate: 0.01, step: 0 })) < 1e-6);
    assert.ok(distance(weightOf(some, "kernel.2"), weightOf(filled, "kernel.2")) < 1e-5);
    const all = some.score({ tokens: texts(2 * batch + 3).tokens });
    assert.equal(all.length, (2 * batch + 3) * shape.labels);
    const last = some.score({ tokens: texts(2 * batch + 3).tokens.subarray((2 * batch + 2) * length) });
    assert.ok(distance(all.subarray(-shape.labels), last) < 1e-6);
    some.dispose();
    filled.dispose();
  });

  test(`NET-6: on ${name}, rows of a table that a batch leaves alone stay, unless the table moves as a whole`, async () => {
    for (const dense of [false, true]) {
      const network = await networkOf(name, rowTable, { dense });
      const step = (row: number, at: number): Float32Array => {
        const inputs: NetworkInputs = { ids: Int32Array.of(row, row), target: Float32Array.of(0, -1) };
        network.step(inputs, { rate: 0.1, step: at });
        return weightOf(network, "table");
      };
      const first = step(1, 0);
      // Two gradients of one row add up before they are squared: 2 × (1 + 2) / 2.
      assert.ok(Math.abs((weightOf(network, "adam.square.table")[1] ?? 0) - 0.001 * 9) < 1e-6);
      const second = step(2, 1);
      assert.ok(Math.abs((first[1] ?? 0) - 0.9) < 1e-4);
      assert.equal(second[0], 1);
      assert.equal(second[1] === first[1], !dense);
      assert.notEqual(second[2], first[2]);
      network.dispose();
    }
  });

  test(`NET-8: on ${name}, a text scores and teaches the same to whichever length it is filled up`, async () => {
    const program: Program = { ...text, build: buildTextcnn(shape, 0) };
    const long = await networkOf(name, program);
    const short = await networkOf(name, program);
    const { tokens, labels } = texts(batch);
    const cut = Int32Array.from({ length: batch * shorter }, (_, at) => {
      return tokens[Math.floor(at / shorter) * length + (at % shorter)] ?? 0;
    });
    assert.ok(distance(long.score({ tokens }), short.score({ tokens: cut }, shorter)) < 1e-6);
    long.step({ tokens, labels }, { rate: 0.01, step: 0 });
    short.step({ tokens: cut, labels }, { rate: 0.01, step: 0, length: shorter });
    for (const weight of ["embeddings", "kernel.3", "output"])
      assert.ok(distance(weightOf(long, weight), weightOf(short, weight)) < 1e-4, weight);
    long.dispose();
    short.dispose();
  });
}

/** What a step moves, and by how much. */
function checkLearning(name: BackendName): void {
  test(`NET-7: on ${name}, Adam with clipping and decay moves weights as its paper's arithmetic does`, async () => {
    const clip = 0.75;
    const decay = 0.1;
    const network = await networkOf(name, line, { clip, decay });
    const x = [1, 2, -0.5, 0.25];
    const target = [0.5, -1];
    const weight = [1, 1];
    const mean = [0, 0];
    const square = [0, 0];
    for (let step = 0; step < 6; step++) {
      const rate = 0.05 / (step + 1);
      network.step({ x: Float32Array.from(x), target: Float32Array.from(target) }, { rate, step });
      const off = [0, 1].map(
        (row) =>
          weight.reduce((sum, value, at) => sum + value * (x[2 * row + at] ?? 0), 0) - (target[row] ?? 0),
      );
      const gradient = [0, 1].map((at) =>
        off.reduce((sum, value, row) => sum + value * (x[2 * row + at] ?? 0), 0),
      );
      const share = Math.min(1, clip / Math.hypot(...gradient));
      for (const at of [0, 1]) {
        const g = (gradient[at] ?? 0) * share;
        mean[at] = 0.9 * (mean[at] ?? 0) + 0.1 * g;
        square[at] = 0.999 * (square[at] ?? 0) + 0.001 * g * g;
        const alpha = (rate * Math.sqrt(1 - 0.999 ** (step + 1))) / (1 - 0.9 ** (step + 1));
        const moved = (alpha * (mean[at] ?? 0)) / (Math.sqrt(square[at] ?? 0) + 1e-7);
        weight[at] = (weight[at] ?? 0) * (1 - rate * decay) - moved;
      }
    }
    assert.ok(distance(weightOf(network, "gradient"), weight) < 1e-5);
    network.dispose();
  });

  test(`NET-9: on ${name}, 20 steps bring the loss to where they bring it on every backend`, async () => {
    const network = await networkOf(name, { ...text, build: buildTextcnn(shape, 0) });
    const loss = train(network, 0, 21).at(-1) ?? NaN;
    assert.ok(Math.abs(loss - lossAfter20Steps) < 1e-3, `it is ${loss}`);
    network.dispose();
  });
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return Array.from(a).reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? NaN))), 0);
}
