import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cellOf, fromUnit, levels, listed, toUnit } from "../../search/space/axis.ts";
import { normalCumulative, normalQuantile } from "../../numeric/normal-law.ts";
import type { Distribution } from "../../protocol/space.ts";
import { assertAllowed } from "../support/search-run.ts";

const bounds = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 60 }));
const step = fc.option(fc.constantFrom(0.1, 0.25, 1, 3, 7), { nil: undefined });

const numeric: fc.Arbitrary<Distribution> = fc
  .tuple(
    bounds,
    step,
    fc.constantFrom("uniform" as const, "log-uniform" as const, "int" as const, "log-int" as const),
  )
  .map(([[min, width], by, distribution]) => ({
    distribution,
    min,
    max: min + width,
    ...(by === undefined ? {} : { step: by }),
  }));
const other: fc.Arbitrary<Distribution> = fc.oneof(
  fc.record({
    distribution: fc.constant("normal" as const),
    mean: fc.double({ min: -5, max: 5, noNaN: true }),
    deviation: fc.constantFrom(0.5, 3),
  }),
  fc.record({
    distribution: fc.constant("normal" as const),
    mean: fc.constantFrom(-2, 0.3),
    deviation: fc.constantFrom(0.5, 3),
    step: fc.constantFrom(0.25, 1),
  }),
  fc.record({
    distribution: fc.constant("log-normal" as const),
    mean: fc.constantFrom(-1, 0, 2),
    deviation: fc.constantFrom(0.5, 1),
    step: fc.constantFrom(0.25, 1),
  }),
  fc
    .tuple(fc.constantFrom(0.5, 1, 2), fc.constantFrom(1, 5), fc.option(fc.constantFrom(0.1, 0.25)))
    .map(([a, b, by]) => ({ distribution: "beta" as const, a, b, ...(by === null ? {} : { step: by }) })),
  fc.record({
    distribution: fc.constant("quantised" as const),
    min: fc.constantFrom(1, 2.3),
    max: fc.constantFrom(9, 40.2),
    step: fc.constantFrom(0.5, 3),
    log: fc.boolean(),
  }),
  fc
    .array(fc.tuple(fc.string({ maxLength: 3 }), fc.constantFrom(0, 1, 2.5)), { minLength: 1, maxLength: 5 })
    .filter((pairs) => pairs.some(([, weight]) => weight > 0))
    .map((pairs) => ({
      distribution: "choice" as const,
      values: pairs.map(([v], i) => v + String(i)),
      weights: pairs.map(([, w]) => w),
    })),
  fc.record({ distribution: fc.constant("constant" as const), value: fc.constantFrom(3, "x", true) }),
);
const any = fc.oneof(numeric, other);
const share = fc.double({ min: 0, max: 1, noNaN: true });

test("AXIS-1: whatever stands on the axis is a value of the distribution, and rises along it", () => {
  fc.assert(
    fc.property(any, share, share, (distribution, a, b) => {
      const [low, high] = [fromUnit(distribution, Math.min(a, b)), fromUnit(distribution, Math.max(a, b))];
      for (const value of [low, high])
        assertAllowed(
          { space: { p: distribution }, where: [], seed: 0, trials: 1, objectives: 1 },
          { p: value },
        );
      if (typeof low === "number" && typeof high === "number") assert.ok(low <= high);
    }),
    { numRuns: 400 },
  );
});

/** How far apart two values are whose places on the axis a double cannot tell apart: much, where a bell's tail is thin. */
function roundingOf(distribution: Distribution, u: number): number {
  const roundings = 8 * Number.EPSILON;
  const [low, high] = [Math.max(0, u - roundings), Math.min(1, u + roundings)];
  const ends = [fromUnit(distribution, low), fromUnit(distribution, high)].map(Number);
  return Math.abs((ends[1] ?? 0) - (ends[0] ?? 0));
}

test("AXIS-2: a value's place on the axis leads back to the value", () => {
  fc.assert(
    fc.property(any, share, (distribution, u) => {
      const value = fromUnit(distribution, u);
      const back = fromUnit(distribution, toUnit(distribution, value));
      if (typeof value === "number" && levels(distribution) === null && typeof back === "number") {
        const bound = 1e-6 * (1 + Math.abs(value)) + roundingOf(distribution, u);
        assert.ok(Math.abs(back - value) <= bound, `${value} came back as ${back}`);
      } else assert.equal(back, value);
    }),
    { numRuns: 400, examples: [[{ distribution: "beta", a: 0.5, b: 5 }, 0.9999999999999859]] },
  );
});

test("AXIS-3: the cells of the listed values cover the axis once, and there are as many as levels", () => {
  fc.assert(
    fc.property(any, (distribution) => {
      const values = listed(distribution);
      assert.equal(values?.length ?? null, levels(distribution));
      let end = 0;
      for (const value of values ?? []) {
        const { high, low } = cellOf(distribution, value);
        assert.ok(Math.abs(low - end) < 1e-9, `gap before ${String(value)}: ${end} to ${low}`);
        end = high;
      }
      if (values !== null) assert.ok(Math.abs(end - 1) < 1e-9);
    }),
    { numRuns: 400 },
  );
});

test("AXIS-4: every whole number between the bounds has an equal share of the axis", () => {
  const distribution: Distribution = { distribution: "int", min: 3, max: 6 };
  for (const value of [3, 4, 5, 6])
    assert.deepEqual(cellOf(distribution, value), { low: (value - 3) / 4, high: (value - 2) / 4 });
});

test("AXIS-4: large whole numbers keep all their digits", () => {
  const distribution: Distribution = { distribution: "int", min: 10 ** 14 + 1, max: 10 ** 14 + 9 };
  assert.equal(fromUnit(distribution, 0.5), 10 ** 14 + 5);
  assert.equal(fromUnit(distribution, toUnit(distribution, 10 ** 14 + 3)), 10 ** 14 + 3);
});

test("AXIS-2: a range may be as wide as numbers go", () => {
  const widest = { distribution: "uniform", min: -Number.MAX_VALUE, max: Number.MAX_VALUE } as const;
  const wide = { distribution: "uniform", min: -1e308, max: 1.2e308 } as const;
  for (const range of [widest, wide]) {
    for (const at of [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]) {
      const value = fromUnit(range, at);
      assert.ok(Number.isFinite(value), `${String(value)} at ${at}`);
      assert.ok(Math.abs(toUnit(range, value) - at) < 1e-9, `${String(value)} at ${at}`);
    }
  }
});

test("AXIS-5: a choice's share is its weight, and a weight of nothing is never taken", () => {
  const distribution: Distribution = { distribution: "choice", values: ["a", "b", "c"], weights: [1, 0, 3] };
  assert.deepEqual(cellOf(distribution, "c"), { low: 0.25, high: 1 });
  assert.deepEqual(listed(distribution), ["a", "c"]);
  for (let u = 0; u <= 1; u += 1 / 64) assert.notEqual(fromUnit(distribution, u), "b");
});

test("the normal law agrees with tables, and its quantile is its inverse far into the tails", () => {
  // Abramowitz and Stegun, table 26.1.
  for (const [x, p] of [
    [0, 0.5],
    [1, 0.841344746068543],
    [1.96, 0.97500210485178],
    [-3, 0.001349898031630095],
    [-6, 9.865876450376946e-10],
  ] as const) {
    assert.ok(Math.abs(normalCumulative(x) / p - 1) < 1e-8, `Φ(${x})`);
    assert.ok(Math.abs(normalQuantile(p) - x) < 1e-8, `quantile of ${p}`);
  }
});
