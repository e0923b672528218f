/** Splits: the same text never stands on both sides, whatever its case, spacing or label. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Example } from "../../data/row/dataset-rows.ts";
import { normaliseText, splitByText } from "../../data/row/split.ts";

const text = fc
  .constantFrom("one", "One", " one ", "two", "TWO", "t3", "t7", "ﬁne", "fine")
  .chain((word) => fc.nat({ max: 30 }).map((number) => `${word}-${String.fromCharCode(97 + (number % 20))}`));
const examples: fc.Arbitrary<Example[]> = fc.array(fc.record({ text, label: fc.nat({ max: 2 }) }), {
  maxLength: 80,
});
const shares = [0.8, 0.1, 0.1];

test("SPLIT-1: texts equal after normalising are in one split", () => {
  fc.assert(
    fc.property(examples, (all) => {
      const home = new Map<string, number>();
      splitByText(all, shares, "s").forEach((part, index) => {
        for (const one of part) {
          const key = normaliseText(one.text);
          assert.equal(home.get(key) ?? index, index);
          home.set(key, index);
        }
      });
    }),
  );
});

test("SPLIT-2: nothing is lost or doubled, and the order of the rows does not matter", () => {
  const sorted = (list: readonly Example[]) => list.map((one) => `${one.label} ${one.text}`).toSorted();
  fc.assert(
    fc.property(examples, (all) => {
      const parts = splitByText(all, shares, "s");
      assert.deepEqual(sorted(parts.flat()), sorted(all));
      const textsOf = (part: readonly Example[]) => new Set(part.map((one) => normaliseText(one.text)));
      const again = splitByText(
        all.toSorted((a, b) => a.label - b.label),
        shares,
        "s",
      );
      assert.deepEqual(
        again.map((part) => [...textsOf(part)].toSorted()),
        parts.map((part) => [...textsOf(part)].toSorted()),
      );
    }),
  );
});

test("SPLIT-3: each label has its share in each split, to within a row", () => {
  const all = Array.from({ length: 3000 }, (_, row) => ({
    text: `text ${String.fromCodePoint(0x4e00 + row)}`,
    label: row % 3,
  }));
  const parts = splitByText(all, shares, "s");
  parts.forEach((part, index) => {
    for (const label of [0, 1, 2]) {
      const found = part.filter((one) => one.label === label).length;
      assert.ok(
        Math.abs(found - 1000 * (shares[index] ?? 0)) <= 1,
        `split ${index} has ${found} rows of label ${label}`,
      );
    }
  });
});
