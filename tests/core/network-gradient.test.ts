/** The engine's way back: each rule of `differentiate` gives the gradients that differences of the loss show. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Graph, Program } from "../../training/network/graph.ts";
import { createNetwork } from "../../training/network/network.ts";
import type { Node } from "../../training/network/node.ts";
import type { Shape } from "../../training/network/shape.ts";
import { openBackend } from "../../training/runtime/open.ts";

type Rule = readonly [
  name: string,
  weights: readonly Shape[],
  expression: (g: Graph, w: Node[], ids: Node) => Node,
];

const batch = 2;
const rules: readonly Rule[] = [
  ["add, broadcasting", [[2, 3], [3]], (g, [a, b]) => g.plus(of(a), of(b))],
  [
    "sub, broadcasting both",
    [
      [2, 1],
      [1, 3],
    ],
    (g, [a, b]) => g.minus(of(a), of(b)),
  ],
  ["mul", [[2, 3], [3]], (g, [a, b]) => g.times(of(a), of(b))],
  [
    "div",
    [
      [2, 3],
      [2, 1],
    ],
    (g, [a, b]) => g.over(of(a), g.shift(g.unary("square", of(b)), 1)),
  ],
  ["scale and shift", [[3]], (g, [a]) => g.shift(g.scale(of(a), -2.5), 1)],
  ["addN", [[3], [3]], (g, [a, b]) => g.addN([of(a), of(b), of(a)])],
  ["relu", [[7]], (g, [a]) => g.relu(of(a))],
  ["tanh", [[7]], (g, [a]) => g.tanh(of(a))],
  ["sigmoid", [[7]], (g, [a]) => g.sigmoid(of(a))],
  ["gelu", [[7]], (g, [a]) => g.gelu(of(a))],
  ["exp", [[7]], (g, [a]) => g.unary("exp", of(a))],
  ["log and square", [[7]], (g, [a]) => g.unary("log", g.shift(g.unary("square", of(a)), 0.5))],
  ["sqrt", [[7]], (g, [a]) => g.unary("sqrt", g.shift(g.unary("square", of(a)), 0.5))],
  ["rsqrt", [[7]], (g, [a]) => g.unary("rsqrt", g.shift(g.unary("square", of(a)), 0.5))],
  [
    "matmul",
    [
      [2, 3],
      [3, 4],
    ],
    (g, [a, b]) => g.matmul(of(a), of(b)),
  ],
  [
    "matmul, a turned",
    [
      [3, 2],
      [3, 4],
    ],
    (g, [a, b]) => g.matmul(of(a), of(b), { transposeA: true }),
  ],
  [
    "matmul, b turned",
    [
      [2, 3],
      [4, 3],
    ],
    (g, [a, b]) => g.matmul(of(a), of(b), { transposeB: true }),
  ],
  [
    "matmul, both turned, batched",
    [
      [2, 3, 2],
      [2, 4, 3],
    ],
    (g, [a, b]) => g.matmul(of(a), of(b), { transposeA: true, transposeB: true }),
  ],
  [
    "matmul, one for all",
    [
      [2, 3, 2],
      [2, 4],
    ],
    (g, [a, b]) => g.matmul(of(a), of(b)),
  ],
  [
    "matmul by one weight, twice over",
    [
      [2, 3],
      [3, 3],
    ],
    (g, [a, b]) => g.matmul(g.tanh(g.matmul(of(a), of(b))), of(b)),
  ],
  ["dense", [[2, 3]], (g, [a]) => g.dense("d", of(a), 2)],
  ["softmax", [[2, 3]], (g, [a]) => g.softmax(of(a))],
  ["gather", [[5, 3]], (g, [a], ids) => g.gather(of(a), ids)],
  ["gather of a computed table", [[5, 3]], (g, [a], ids) => g.gather(g.tanh(of(a)), ids)],
  [
    "two gathers",
    [[5, 3]],
    (g, [a], ids) => g.plus(g.gather(of(a), ids), g.gather(of(a), g.reshape(ids, [2, 3]))),
  ],
  ["reshape and transpose", [[2, 3, 2]], (g, [a]) => g.transpose(g.reshape(of(a), [3, 2, 2]), [2, 0, 1])],
  ["slice", [[4, 3]], (g, [a]) => g.slice(of(a), [1, 0], [2, 2])],
  [
    "slices side by side, with a gap",
    [[2, 7]],
    (g, [a]) => g.times(g.sliceAxis(of(a), 1, 0, 3), g.tanh(g.sliceAxis(of(a), 1, 4, 3))),
  ],
  [
    "slices that overlap",
    [[2, 5]],
    (g, [a]) => g.times(g.sliceAxis(of(a), 1, 0, 3), g.tanh(g.sliceAxis(of(a), 1, 2, 3))),
  ],
  ["pad", [[2, 3]], (g, [a]) => g.pad(of(a), [1, 0], [4, 4])],
  [
    "concat",
    [
      [2, 3],
      [2, 1],
    ],
    (g, [a, b]) => g.concat([of(a), of(b)], 1),
  ],
  ["broadcast", [[2, 1]], (g, [a]) => g.broadcastTo(of(a), [3, 2, 4])],
  ["sum over an axis", [[2, 3]], (g, [a]) => g.sum(of(a), [0])],
  ["mean over axes", [[2, 3, 2]], (g, [a]) => g.mean(of(a), [0, 2], true)],
  ["max over an axis", [[2, 5, 3]], (g, [a]) => g.max(of(a), [1])],
  [
    "conv1d, valid",
    [
      [2, 5, 3],
      [2, 3, 4],
    ],
    (g, [a, b]) => g.conv1d(of(a), of(b)),
  ],
  [
    "conv1d, same",
    [
      [2, 5, 3],
      [4, 3, 4],
    ],
    (g, [a, b]) => g.conv1d(of(a), of(b), "same"),
  ],
  [
    "best windows",
    [
      [2, 6, 3],
      [6, 4],
    ],
    (g, [a, b]) => g.windowMax(of(a), of(b), 2),
  ],
  ["layer norm", [[2, 4]], (g, [a]) => g.layerNorm("n", of(a))],
  ["dropout", [[4, 4]], (g, [a]) => g.dropout(of(a), 0.3, "d")],
  [
    "cross-entropy",
    [[2, 3]],
    (g, [a]) =>
      g.scale(g.crossEntropy(of(a), g.input("labels", [2], "int32"), g.input("shares", [2], "float32")), 2),
  ],
  [
    "squared error",
    [[2], [2]],
    (g, [a, b]) => g.squaredError(of(a), of(b), g.input("shares", [2], "float32")),
  ],
];

function of(node: Node | undefined): Node {
  assert.ok(node !== undefined);
  return node;
}

const ids = Int32Array.from([1, 4, 1, 0, 1, 3]);
const inputs = { ids, labels: Int32Array.from([2, 0]), shares: Float32Array.from([1, 0.25]) };
/** With a rate of 0 a first Adam step only fills its mean: a tenth of the gradient. */
const meanShare = 0.1;
const nudge = 1e-2;

for (const [name, shapes, expression] of rules) {
  test(`NET-1: the gradients of ${name} equal differences of the loss`, async () => {
    const program: Program = {
      batch,
      lengths: [0],
      build: (graph) => {
        const rows = graph.input("ids", [batch, 3], "int32");
        const made = shapes.map((shape, index) =>
          graph.weight(`w${index}`, shape, { kind: "uniform", bound: 1.5 }),
        );
        const value = expression(graph, made, rows);
        // Unequal shares of its cells, so that no gradient is hidden by symmetry.
        const share = graph.weight("share", value.shape, { kind: "uniform", bound: 1 });
        return { loss: graph.sum(graph.times(value, share)), score: value };
      },
    };
    const opened = await openBackend("cpu");
    assert.ok(opened.ok);
    const made = createNetwork(opened.value, { program, seed: 7, optimizer: { kind: "adam" } });
    assert.ok(made.ok);
    const network = made.value;
    const begun = network.tensors();
    network.step(inputs, { rate: 0, step: 0 });
    const after = network.tensors();
    for (const [weight, { shape, data }] of begun) {
      if (weight.startsWith("adam.")) continue;
      const gradient = after.get(`adam.mean.${weight}`)?.data;
      assert.ok(gradient !== undefined && data instanceof Float32Array);
      for (let at = 0; at < data.length; at++) {
        const lossAt = (off: number): number => {
          const moved = data.slice();
          moved[at] = (moved[at] ?? 0) + off;
          assert.ok(network.restore(new Map([...begun, [weight, { shape, data: moved }]])).ok);
          return network.step(inputs, { rate: 0, step: 0 });
        };
        const expected = (lossAt(nudge) - lossAt(-nudge)) / (2 * nudge);
        const found = (gradient[at] ?? 0) / meanShare;
        assert.ok(
          Math.abs(found - expected) < 4e-3 * Math.max(1, Math.abs(expected)),
          `${weight}[${at}] has gradient ${found}, differences say ${expected}`,
        );
      }
    }
  });
}
