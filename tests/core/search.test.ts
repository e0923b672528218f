import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromUnit } from "../../search/space/axis.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { samplerFor } from "../../search/choose/choose-sampler.ts";
import { distributionSchema, type Distribution, type Space } from "../../protocol/space.ts";
import { sweepSpec } from "../support/fold.ts";

const distribution: fc.Arbitrary<Distribution> = fc.oneof(
  fc.record({
    distribution: fc.constant("uniform" as const),
    min: fc.integer({ min: -9, max: 0 }),
    max: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    distribution: fc.constant("log-uniform" as const),
    min: fc.constant(0.001),
    max: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    distribution: fc.constant("int" as const),
    min: fc.integer({ min: -9, max: 0 }),
    max: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({
    distribution: fc.constant("log-int" as const),
    min: fc.integer({ min: 1, max: 3 }),
    max: fc.integer({ min: 4, max: 99 }),
  }),
  fc.record({
    distribution: fc.constant("choice" as const),
    values: fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
  }),
);

test("SEARCH-1: every draw lies within its distribution's bounds", () => {
  fc.assert(
    fc.property(distribution, fc.nat(), (d, seed) => {
      const value = fromUnit(d, randomStream(seed, "test", 0).next());
      if (d.distribution === "choice") return d.values.includes(value);
      if (!("min" in d) || typeof value !== "number") return false;
      const whole = d.distribution === "int" || d.distribution === "log-int";
      return value >= d.min && value <= d.max && (!whole || Number.isInteger(value));
    }),
  );
});

for (const method of ["random", "grid"] as const) {
  const space: Space = {
    lr:
      method === "grid"
        ? { distribution: "uniform", min: 0, max: 1, step: 0.25 }
        : { distribution: "uniform", min: 0, max: 1 },
    width: { distribution: "choice", values: [8, 16, 32] },
  };
  const spec = sweepSpec({
    search: { method, trials: 100, seed: 9 },
    models: [
      { model: "alpha", space },
      { model: "beta", space },
    ],
  });
  const propose = (count: number) => {
    const sampler = samplerFor(spec);
    const seen = new Set<string>();
    const found: string[] = [];
    let draws = 0;
    while (found.length < count) {
      const proposal = sampler.propose(draws, (model, params) => seen.has(JSON.stringify([model, params])));
      if (proposal === null) break;
      draws = proposal.draws;
      const text = JSON.stringify([proposal.model, proposal.params]);
      seen.add(text);
      found.push(text);
    }
    return found;
  };

  test(`SEARCH-2 ${method}: the same seed and history give the same proposals, none twice`, () => {
    const first = propose(40);
    assert.deepEqual(propose(40), first);
    assert.equal(new Set(first).size, first.length);
    assert.equal(first.length, method === "grid" ? 30 : 40);
  });
}

test("SEARCH-3: a space with fewer points than trials is used up, not repeated", () => {
  const spec = sweepSpec({
    models: [{ model: "alpha", space: { a: { distribution: "choice", values: [1, 2] } } }],
  });
  const sampler = samplerFor(spec);
  assert.equal(sampler.size(), 2);
  assert.equal(
    sampler.propose(0, () => true),
    null,
  );
});

test("a grid over a distribution that cannot be listed is refused with the parameter", () => {
  const spec = sweepSpec({
    search: { method: "grid", trials: 5, seed: 1 },
    models: [{ model: "alpha", space: { lr: { distribution: "log-uniform", min: 0.1, max: 1 } } }],
  });
  assert.equal(samplerFor(spec).problem()?.parameter, "lr");
});

test("spaces that make no sense are refused with the field and what is wrong", () => {
  const problem = (value: unknown) => distributionSchema.safeParse(value).error?.issues[0]?.message ?? "";
  assert.match(problem({ distribution: "uniform", min: 2, max: 1 }), /min 2 is above max 1/);
  assert.match(problem({ distribution: "log-uniform", min: 0, max: 1 }), /min above 0/);
  assert.match(problem({ distribution: "choice", values: [1, 2], weights: [1] }), /as many weights/);
});
