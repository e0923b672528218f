import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keyOf, parameterOrder, paramsFrom } from "../../search/space/active.ts";
import { fromUnit, listed } from "../../search/space/axis.ts";
import { gridSampler } from "../../search/sampler/grid.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { scrambledSobol, sobolAxesMax, plainBits } from "../../search/sampler/sobol.ts";
import { walkOf } from "../../search/space/walk.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import { runSearch } from "../support/search-run.ts";

const nested: Space = {
  rate: { distribution: "choice", values: [0.1, 0.2], when: { optimizer: "sgd" } },
  optimizer: { distribution: "choice", values: ["sgd", "adam"] },
  width: { distribution: "int", min: 1, max: 2 },
};

test("GRID-1: combinations come in the stated order, parents first, the last parameter fastest", () => {
  assert.deepEqual(parameterOrder(nested), ["optimizer", "rate", "width"]);
  const problem = { space: nested, where: [], seed: 1, trials: 99, objectives: 1 };
  const { history } = runSearch(gridSampler, problem, () => ({ state: "completed", values: [0] }), 4);
  assert.deepEqual(
    history.map(({ params }) => Object.values(params).join(" ")),
    ["0.1 sgd 1", "0.1 sgd 2", "0.2 sgd 1", "0.2 sgd 2", "adam 1", "adam 2"],
  );
});

test("GRID-2: what breaks a constraint is left out, and is not counted", () => {
  const where = [
    {
      text: "width > 1",
      terms: [
        { coefficient: -1, parameters: ["width"] },
        { coefficient: 1, parameters: [] },
      ],
      relation: "<" as const,
    },
  ];
  const problem = { space: nested, where, seed: 1, trials: 99, objectives: 1 };
  assert.equal(gridSampler.size(problem), 3);
  const { history } = runSearch(gridSampler, problem, () => ({ state: "completed", values: [0] }));
  assert.deepEqual(
    history.map(({ params }) => params["width"]),
    [2, 2, 2],
  );
});

const leaf: fc.Arbitrary<Distribution> = fc.oneof<fc.Arbitrary<Distribution>[]>(
  fc.integer({ min: 1, max: 3 }).map((max) => ({ distribution: "int" as const, min: 1, max })),
  fc.constant({ distribution: "choice", values: ["a", "b"] }),
  fc.constant({ distribution: "constant", value: 1 }),
);

/** Conditions point at any earlier parameter, whatever it is. */
const conditional: fc.Arbitrary<Space> = fc
  .array(fc.tuple(leaf, fc.option(fc.tuple(fc.nat(4), fc.constantFrom(1, 2, "a")))), {
    minLength: 1,
    maxLength: 5,
  })
  .map((entries) =>
    Object.fromEntries(
      entries.map(([distribution, on], index) => {
        if (on === null || index === 0) return [`p${index}`, distribution];
        const [parent, value] = on;
        return [`p${index}`, { ...distribution, when: { [`p${parent % index}`]: value } }];
      }),
    ),
  );

test("WALK-1: the walk meets each trial that can occur exactly once, with inactive parameters left out", () => {
  fc.assert(
    fc.property(conditional, (space) => {
      // By brute force: every combination of indices, inactive ones dropped, doubles merged.
      const names = Object.keys(space);
      const expected = new Set<string>();
      const lists = names.map((name) => listed(space[name] ?? { distribution: "constant", value: 0 }) ?? []);
      const combinations = lists.reduce((product, list) => product * list.length, 1);
      for (let index = 0; index < combinations; index++) {
        let left = index;
        const picked = lists.map((list) => {
          const value = list[left % list.length];
          left = Math.floor(left / list.length);
          return value;
        });
        expected.add(keyOf(paramsFrom(space, (name) => picked[names.indexOf(name)] ?? 0)));
      }
      const walk = walkOf(space);
      assert.ok(walk !== null);
      const met = Array.from({ length: walk.count }, (_, index) => keyOf(walk.at(index) ?? {}));
      assert.equal(new Set(met).size, met.length);
      assert.deepEqual(new Set(met), expected);
      assert.equal(walk.at(walk.count), null);
    }),
    { numRuns: 150 },
  );
});

test("SOBOL-1: unscrambled, the first points are the published ones", () => {
  // Joe and Kuo, sobol.cc with new-joe-kuo-6.21201, first eight points of four dimensions.
  assert.deepEqual(
    Array.from({ length: 8 }, (_, index) => [0, 1, 2, 3].map((axis) => plainBits(index, axis) / 2 ** 32)),
    [
      [0, 0, 0, 0],
      [0.5, 0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25, 0.25],
      [0.25, 0.75, 0.75, 0.75],
      [0.375, 0.375, 0.625, 0.875],
      [0.875, 0.875, 0.125, 0.375],
      [0.625, 0.125, 0.875, 0.625],
      [0.125, 0.625, 0.375, 0.125],
    ],
  );
});

test("SOBOL-2: scrambled by any seed, each axis has one of the first 64 points in each 64th", () => {
  const axes = 60;
  assert.ok(sobolAxesMax >= axes);
  for (const seed of [0, 1, 12345]) {
    const points = scrambledSobol(axes, seed);
    const cells = Array.from({ length: axes }, () => new Set<number>());
    for (let index = 0; index < 64; index++)
      for (const [axis, x] of points(index).entries()) cells[axis]?.add(Math.floor(x * 64));
    assert.ok(cells.every(({ size }) => size === 64));
  }
  assert.notDeepEqual(scrambledSobol(3, 1)(0), scrambledSobol(3, 2)(0));
});

test("SOBOL-3: its points are spread more evenly than random ones", () => {
  for (const seed of [1, 2, 3, 4]) {
    const sobol = scrambledSobol(3, seed);
    const random = randomStream(seed, "test", 0);
    const spread = centredDiscrepancy(Array.from({ length: 128 }, (_, index) => sobol(index)));
    const chance = centredDiscrepancy(
      Array.from({ length: 128 }, () => [random.next(), random.next(), random.next()]),
    );
    assert.ok(spread < chance / 2, `${spread} against ${chance}`);
  }
});

/** Hickernell's centred L2 discrepancy (1998), squared. */
function centredDiscrepancy(points: readonly (readonly number[])[]): number {
  const n = points.length;
  const axes = points[0]?.length ?? 0;
  let single = 0;
  let pairs = 0;
  for (const a of points) {
    let product = 1;
    for (const x of a) product *= 1 + 0.5 * Math.abs(x - 0.5) - 0.5 * (x - 0.5) ** 2;
    single += product;
    for (const b of points) {
      let pair = 1;
      for (const [axis, x] of a.entries()) {
        const y = b[axis] ?? 0;
        pair *= 1 + 0.5 * (Math.abs(x - 0.5) + Math.abs(y - 0.5) - Math.abs(x - y));
      }
      pairs += pair;
    }
  }
  return (13 / 12) ** axes - (2 / n) * single + pairs / (n * n);
}

test("random streams of neighbouring positions and seeds have nothing to do with each other", () => {
  const first = Array.from({ length: 400 }, (_, position) =>
    randomStream(3, "search/random", position).next(),
  );
  const second = Array.from({ length: 400 }, (_, seed) => randomStream(seed, "search/random", 3).next());
  for (const series of [first, second]) {
    const mean = series.reduce((sum, x) => sum + x, 0) / series.length;
    let lag = 0;
    for (const [index, x] of series.slice(1).entries()) lag += (x - 0.5) * ((series[index] ?? 0.5) - 0.5);
    // Twelve times the mean product is the correlation; four deviations are 0.2.
    assert.ok(Math.abs(mean - 0.5) < 0.06, `mean ${mean}`);
    assert.ok(Math.abs((12 * lag) / series.length) < 0.2, `correlation ${(12 * lag) / series.length}`);
  }
  assert.equal(
    fromUnit({ distribution: "int", min: 0, max: 9 }, first[0] ?? 0),
    Math.floor((first[0] ?? 0) * 10),
  );
});
