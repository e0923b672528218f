/** Parameters as they are shown: what is shown is what was run, and what differs looks different. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Params, Value } from "../../protocol/value.ts";
import { clipApart } from "../../text/apart.ts";
import { formatMetric } from "../../text/figure.ts";
import { formatParams, formatValue, paramsFormat } from "../../text/shown-parameter.ts";
import { widthOf } from "../../text/width.ts";

const name = fc.constantFrom("seed", "lr", "__proto__", "constructor", "x");
const text = fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("1", "true", "", " ", "a b=1", '"1"'));
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
  fc.boolean(),
  text,
);
const params: fc.Arbitrary<Params> = fc
  .array(fc.tuple(name, value), { minLength: 1, maxLength: 4 })
  .map((entries) => Object.fromEntries(new Map(entries)));

describe("SHOWN-1: whole numbers have all their digits, wherever parameters are shown", () => {
  test("alone, beside others, and as a metric", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (one, other) => {
        assert.equal(formatValue(one), String(one));
        assert.equal(formatParams({ seed: one }), `seed=${one}`);
        const format = paramsFormat([{ params: { seed: one } }, { params: { seed: other } }]);
        assert.equal(format({ seed: one }), `seed=${one}`);
        assert.equal(formatMetric(one), String(one));
      }),
    );
  });
});

describe("SHOWN-2: two trials whose parameters differ look different", () => {
  test("in a list of any trials", () => {
    fc.assert(
      fc.property(fc.array(params, { minLength: 2, maxLength: 12 }), (all) => {
        const format = paramsFormat(all.map((each) => ({ params: each })));
        const texts = new Map<string, string>();
        for (const each of all) {
          const same = JSON.stringify(Object.entries(each));
          const shown = format(each);
          assert.equal(texts.get(shown) ?? same, same, shown);
          texts.set(shown, same);
        }
      }),
      { numRuns: 500 },
    );
  });
  test("drawn numbers have no more digits than that takes", () => {
    const format = paramsFormat([
      { params: { lr: 0.0002635882737157212 } },
      { params: { lr: 0.02208571333109367 } },
    ]);
    assert.equal(format({ lr: 0.0002635882737157212 }), "lr=0.0002636");
    const close = paramsFormat([{ params: { lr: 0.123456781234 } }, { params: { lr: 0.123456791234 } }]);
    assert.equal(close({ lr: 0.123456781234 }), "lr=0.12345678");
    assert.equal(
      formatParams({ lr: 0.0002635882737157212 }),
      "lr=0.0002635882737157212",
      "alone it is copied",
    );
    assert.equal(
      paramsFormat([{ params: { lr: 0.123456 } }])({ lr: 0.123456 }),
      "lr=0.123456",
      "a written one",
    );
  });
  test("a number beside the text of it", () => {
    const format = paramsFormat([{ params: { x: 1 } }, { params: { x: "1" } }]);
    assert.deepEqual([format({ x: 1 }), format({ x: "1" })], ["x=1", 'x="1"']);
  });
  test("where there is little room, those in which trials differ stand first", () => {
    const format = paramsFormat([{ params: { a: 1, b: 1 } }, { params: { a: 1, b: 2 } }], "differing");
    assert.equal(format({ a: 1, b: 2 }), "b=2 a=1");
  });
});

describe("SHOWN-3: names in little room stay apart where it allows that", () => {
  test("those that are alike up to their ends keep their ends", () => {
    const names = ["encoder.layer.dropout", "encoder.layer.droppath"];
    assert.deepEqual(clipApart(names, 12, "…"), ["encoder.la…t", "encoder.la…h"]);
    assert.deepEqual(clipApart(["a", "bc"], 5, "…"), ["a", "bc"]);
  });
  test("for any names that differ in their last letters", () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 24 }), fc.integer({ min: 30, max: 60 }), (width, length) => {
        const names = Array.from({ length: 20 }, (_, index) => `${"n".repeat(length)}${index}`);
        const cut = clipApart(names, width, "…");
        assert.equal(new Set(cut).size, names.length);
        for (const each of cut) assert.ok(widthOf(each) <= width, each);
      }),
    );
  });
});
