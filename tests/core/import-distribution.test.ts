/** The two distributions that other tools' files brought in: beta, and rounding without clipping. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cellOf, fromUnit, levels, listed, toUnit } from "../../search/space/axis.ts";
import { betaCumulative, betaQuantile } from "../../numeric/beta-law.ts";
import { distributionSchema, type Distribution } from "../../protocol/space.ts";

describe("DIST-1: the beta law is SciPy's", () => {
  // scipy.stats.beta.cdf(x, a, b), SciPy 1.16.
  const table: readonly [a: number, b: number, x: number, share: number][] = [
    [2, 3, 0.4, 0.5248],
    [0.5, 0.5, 0.1, 0.2048327646991335],
    [10, 2, 0.9, 0.6973568802],
    [1, 1, 0.25, 0.25],
  ];
  for (const [a, b, x, share] of table) {
    test(`beta(${a}, ${b}) below ${x}`, () => {
      assert.ok(Math.abs(betaCumulative(a, b, x) - share) < 1e-10);
      assert.ok(Math.abs(betaQuantile(a, b, share) - x) < 1e-9);
    });
  }
  test("its ends are 0 and 1", () => {
    assert.deepEqual([betaCumulative(2, 3, -1), betaCumulative(2, 3, 2)], [0, 1]);
    assert.deepEqual([betaQuantile(2, 3, 0), betaQuantile(2, 3, 1)], [0, 1]);
  });
});

describe("DIST-2: a quantised value is the nearest multiple of the step, and no value is clipped", () => {
  const finite = fc.double({ min: 0.01, max: 50, noNaN: true });
  test("of a number drawn uniformly or on a logarithmic scale", () => {
    fc.assert(
      fc.property(
        finite,
        finite,
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (a, b, step, log, u) => {
          const [min, max] = [Math.min(a, b), Math.max(a, b)];
          const distribution: Distribution = { distribution: "quantised", min, max, step, log };
          const value = Number(fromUnit(distribution, u));
          const x = log
            ? Math.exp(Math.log(min) + u * (Math.log(max) - Math.log(min)))
            : min + u * (max - min);
          assert.ok(Math.abs(value - x) <= step / 2 + 1e-6 * Math.max(1, x), `${value} for ${x}`);
          assert.ok(Math.abs(value / step - Math.round(value / step)) < 1e-6);
        },
      ),
    );
  });

  const distribution: Distribution = { distribution: "quantised", min: 0.3, max: 2.6, step: 1 };
  test("its values and their shares are known", () => {
    assert.deepEqual(listed(distribution), [0, 1, 2, 3]);
    assert.equal(levels(distribution), 4);
    const shares = [0, 1, 2, 3].map((value) => {
      const { high, low } = cellOf(distribution, value);
      return Number(((high - low) * 2.3).toFixed(9));
    });
    assert.deepEqual(shares, [0.2, 1, 1, 0.1]);
  });
  test("the centre of a value's cell gives the value again", () => {
    for (const value of listed(distribution) ?? [])
      assert.equal(fromUnit(distribution, toUnit(distribution, value)), value);
  });
  test("a range narrower than the step has one value", () => {
    const narrow: Distribution = { distribution: "quantised", min: 0.9, max: 1.1, step: 1 };
    assert.deepEqual(listed(narrow), [1]);
    assert.equal(fromUnit(narrow, 0), 1);
  });
  test("a logarithmic one needs min above 0", () => {
    const parsed = distributionSchema.safeParse({
      distribution: "quantised",
      min: 0,
      max: 1,
      step: 0.1,
      log: true,
    });
    assert.equal(parsed.error?.issues[0]?.message, "a logarithmic scale needs min above 0, not 0");
  });
});
