/** A dataset version is its bytes: what is written is read back, and nothing else is taken for one. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { datasetDigest, decodeDataset, encodeDataset, type TextDataset } from "../../data/dataset.ts";

const labels = ["a", "b", "c"];
const plain = { noNullPrototype: true } as const;
const example = fc.record(
  { text: fc.string({ unit: "grapheme", maxLength: 20 }), label: fc.nat({ max: labels.length - 1 }) },
  plain,
);
const split = fc.array(example, { maxLength: 8 });
const dataset: fc.Arbitrary<TextDataset> = fc.record(
  {
    kind: fc.constant("text" as const),
    name: fc.constant("some-set"),
    labels: fc.constant(labels),
    train: split,
    validation: split,
    test: split,
  },
  plain,
);

test("DS-1: a dataset comes back from its bytes as it was, and twice the same has one digest", () => {
  fc.assert(
    fc.property(dataset, (one) => {
      const bytes = encodeDataset(one);
      assert.deepEqual(decodeDataset(bytes), { ok: true, value: one });
      assert.equal(datasetDigest(encodeDataset(structuredClone(one))), datasetDigest(bytes));
    }),
    { numRuns: 50 },
  );
});

test("DS-2: bytes cut short anywhere are refused", () => {
  const bytes = encodeDataset({
    kind: "text",
    name: "x",
    labels,
    train: [{ text: "é", label: 0 }],
    validation: [],
    test: [{ text: "b", label: 2 }],
  });
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(
      decodeDataset(bytes.subarray(0, length)).ok,
      false,
      `${length} of ${bytes.length} bytes were read`,
    );
  }
});

test("DS-3: a label beyond the list is refused with its line", () => {
  const bytes = encodeDataset({
    kind: "text",
    name: "x",
    labels: ["a"],
    train: [
      { text: "t", label: 0 },
      { text: "u", label: 1 },
    ],
    validation: [],
    test: [],
  });
  const read = decodeDataset(bytes);
  assert.ok(!read.ok);
  assert.match(read.refusal.message, /line 3 .* label 1/u);
});
