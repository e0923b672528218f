/**
 * Distributions of other systems beside the packages that draw them there: W&B's `sweeps`, by its quantile functions and its grids, and
 * hyperopt, which Katib's random and tpe draw with, by how often each value comes.
 */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { cellOf, fromUnit, listed } from "../../search/space/axis.ts";
import type { Distribution } from "../../protocol/space.ts";
import { commandOf } from "../support/read-fixture.ts";
import { pythonPeer } from "../support/python-peer.ts";

const seed = 20_240_118;
const peer = pythonPeer("distributions-1", ["sweeps==0.3.0", "hyperopt==0.3.0", "setuptools<81"]);
const skip = peer.ok ? false : peer.why;

function answered<Shape extends z.ZodType>(script: string, given: unknown, shape: Shape): z.infer<Shape> {
  assert.ok(peer.ok);
  return shape.parse(JSON.parse(peer.run(script, JSON.stringify(given))));
}

/** The file is JSON, which YAML reads as well; each parameter is called after its place. */
function spaceOf(file: object): readonly Distribution[] {
  const { space } = commandOf(JSON.stringify(file)).sweep;
  return Object.keys(space)
    .toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
    .map((name) => space[name] ?? assert.fail(name));
}

const named = (list: readonly object[]) => Object.fromEntries(list.map((each, at) => [`p${at}`, each]));

const real = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer({ min: -50, max: 50 }),
  fc.constantFrom(-1e12, -0.5, 0, 1e-7, 0.1, 1e9),
);
const above = fc.oneof(fc.double({ min: 1e-9, max: 1e6, noNaN: true }), fc.constantFrom(1e-12, 0.1, 1, 64));
const exponent = fc.double({ min: -20, max: 20, noNaN: true });
const pair = (of: fc.Arbitrary<number>) =>
  fc
    .tuple(of, of)
    .filter(([a, b]) => Math.abs(a - b) > 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1))
    .map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
const q = fc.constantFrom(1, 2, 5, 0.1, 0.25, 0.3, 7, 1e-3);
const whole = fc.integer({ min: -1000, max: 1000 });
const scalar = fc.oneof(whole, fc.constantFrom("a", "b", "relu", true, false, 0.5, 1e-4));
const shape = fc.record({
  mu: fc.double({ min: -5, max: 5, noNaN: true }),
  sigma: fc.double({ min: 1e-3, max: 3, noNaN: true }),
});
const beta = fc.record({
  a: fc.double({ min: 0.2, max: 20, noNaN: true }),
  b: fc.double({ min: 0.2, max: 20, noNaN: true }),
});
const withQ = <T extends object>(of: fc.Arbitrary<T>) => fc.tuple(of, q).map(([one, by]) => ({ ...one, q: by }));
const values = fc.uniqueArray(scalar, { minLength: 1, maxLength: 6, selector: (value) => JSON.stringify(value) });
const weighted = values.chain((list) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: list.length, maxLength: list.length }).map((counts) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return { values: list, probabilities: counts.map((count) => (all === 0 ? 1 / list.length : count / all)) };
  }),
);
const parameters: Readonly<Record<string, fc.Arbitrary<object>>> = {
  int_uniform: pair(whole),
  uniform: pair(real),
  q_uniform: withQ(pair(real)),
  log_uniform: pair(exponent),
  q_log_uniform: withQ(pair(fc.double({ min: -3, max: 10, noNaN: true }))),
  inv_log_uniform: pair(exponent),
  log_uniform_values: pair(above),
  q_log_uniform_values: withQ(pair(above)),
  inv_log_uniform_values: pair(above),
  normal: shape,
  q_normal: withQ(shape),
  log_normal: shape,
  q_log_normal: withQ(shape),
  beta,
  q_beta: withQ(beta),
  categorical: values.map((list) => ({ values: list })),
  categorical_w_probabilities: weighted,
};

const quantiles = `import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
from sweeps.params import HyperParameter
given = json.loads(sys.argv[1])
def plain(value):
    return value.item() if isinstance(value, np.generic) else value.tolist() if isinstance(value, np.ndarray) else value
print(json.dumps([[plain(HyperParameter("p", one).ppf(u)) for u in given["at"]] for one in given["parameters"]]))
`;

/** Equal numbers; of a stepped one also its neighbour, where the place is the very edge between the two. */
function agree(ours: unknown, theirs: unknown, step: number): boolean {
  if (typeof ours !== "number" || typeof theirs !== "number") return ours === theirs;
  return Math.abs(ours - theirs) <= 1e-6 * Math.max(Math.abs(ours), Math.abs(theirs), step) + 1e-12;
}

const places = fc.sample(
  fc.integer({ min: 200, max: 99_800 }).map((at) => (at + 1 / 3) / 1e5),
  { numRuns: 31, seed },
);

test("WANDB-2: every distribution has the quantiles that W&B's own package gives it, odd bounds and all", { skip }, () => {
  const list = Object.entries(parameters).flatMap(([distribution, of]) =>
    fc.sample(of, { numRuns: 30, seed }).map((one) => ({ distribution, ...one })),
  );
  const space = spaceOf({ program: "t.py", method: "random", metric: { name: "m" }, parameters: named(list) });
  assert.equal(space.length, list.length);
  const theirs = answered(quantiles, { at: places, parameters: list }, z.array(z.array(z.unknown())));
  const differing = space.flatMap((distribution, index) => {
    const step = "step" in distribution ? (distribution.step ?? 0) : 0;
    return places.flatMap((at, place) => {
      const [our, their] = [fromUnit(distribution, at), theirs[index]?.[place]];
      if (agree(our, their, step)) return [];
      const near = [fromUnit(distribution, at - 1e-7), fromUnit(distribution, at + 1e-7)];
      return near.some((other) => agree(other, their, step)) ? [] : [{ ...list[index], at, our, their }];
    });
  });
  assert.deepEqual(differing, []);
});

const grids = `import json, sys, warnings
warnings.simplefilter("ignore")
import sweeps
out = []
for parameters in json.loads(sys.argv[1]):
    runs = sweeps.next_runs({"method": "grid", "parameters": parameters}, [], n=400)
    out.append([{name: given["value"] for name, given in run.config.items()} for run in runs if run is not None])
print(json.dumps(out))
`;

test("WANDB-2: a grid has the points that W&B's own package walks", { skip }, () => {
  const small = fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: 1, max: 4 }));
  const walked = fc.oneof(
    values.map((list) => ({ values: list })),
    small.map(([min, width]) => ({ distribution: "int_uniform", min, max: min + width })),
    fc
      .tuple(small, fc.constantFrom(1, 0.5, 0.3, 0.7, 2))
      .map(([[min, width], by]) => ({ distribution: "q_uniform", min, max: min + width, q: by })),
  );
  const all = fc.sample(fc.array(walked, { minLength: 1, maxLength: 2 }), { numRuns: 80, seed }).map(named);
  const point = z.record(z.string(), z.unknown());
  const theirs = answered(grids, all, z.array(z.array(point)));
  for (const [index, parameters] of all.entries()) {
    const space = spaceOf({ program: "t.py", method: "grid", metric: { name: "m" }, parameters });
    let points: unknown[][] = [[]];
    for (const distribution of space)
      points = points.flatMap((before) => (listed(distribution) ?? []).map((value) => [...before, value]));
    const inOrder = theirs[index]?.map((each) => space.map((_, at) => each[`p${at}`]));
    const text = (each: readonly unknown[]) =>
      JSON.stringify(each.map((value) => (typeof value === "number" ? Number(value.toPrecision(12)) : value)));
    assert.deepEqual(points.map(text), inOrder?.map(text), JSON.stringify(parameters));
  }
});

const draws = `import json, sys, math
import numpy as np
from hyperopt.pyll import stochastic
given = json.loads(sys.argv[1])
out = []
for one in given["draws"]:
    rng = np.random.default_rng(given["seed"])
    drawn = getattr(stochastic, one["name"])(*one["words"], rng=rng, size=(given["size"],))
    values, counts = np.unique(drawn, return_counts=True)
    out.append([values.tolist(), counts.tolist()])
print(json.dumps(out))
`;

interface Range {
  readonly type: "int" | "double";
  readonly min: number;
  readonly max: number;
  readonly step: number | null;
  readonly distribution: string;
}

const ranges = fc
  .record({
    type: fc.constantFrom("int" as const, "double" as const),
    ends: pair(fc.integer({ min: 1, max: 30 })),
    by: fc.constantFrom(1, 2, 3, 5),
    tenths: fc.boolean(),
    stepped: fc.boolean(),
    distribution: fc.constantFrom("uniform", "logUniform", "normal"),
  })
  .map(({ by, distribution, ends, stepped, tenths, type }): Range => {
    const scale = type === "double" && tenths ? 10 : 1;
    const step = stepped || type === "double" ? by / scale : null;
    return { type, min: ends.min / scale, max: ends.max / scale, step, distribution };
  });

/** As Katib's service calls hyperopt for it. */
function drawOf({ distribution, max, min, step }: Range): { name: string; words: readonly number[] } {
  const by = step ?? 1;
  if (distribution === "normal") return { name: "qnormal", words: [(min + max) / 2, (max - min) / 6, by] };
  const log = distribution === "logUniform";
  const [low, high] = log ? [Math.log(min), Math.log(max)] : [min, max];
  return { name: log ? "qloguniform" : "quniform", words: [low, high, by] };
}

function experiment(list: readonly Range[]): object {
  const parameters = list.map(({ distribution, max, min, step, type }, index) => ({
    name: `p${index}`,
    parameterType: type,
    feasibleSpace: {
      ...{ min: String(min), max: String(max), distribution },
      ...(step === null ? {} : { step: String(step) }),
    },
  }));
  const args = list.map((_, index) => `--p${index}=\${trialParameters.p${index}}`);
  const container = { name: "c", image: "i", command: ["python3", "t.py", ...args] };
  return {
    ...{ apiVersion: "kubeflow.org/v1beta1", kind: "Experiment", metadata: { name: "e" } },
    spec: {
      objective: { type: "minimize", objectiveMetricName: "m" },
      algorithm: { algorithmName: "random" },
      parameters,
      trialTemplate: {
        primaryContainerName: "c",
        trialParameters: list.map((_, index) => ({ name: `p${index}`, reference: `p${index}` })),
        trialSpec: {
          apiVersion: "batch/v1",
          kind: "Job",
          spec: { template: { spec: { containers: [container], restartPolicy: "Never" } } },
        },
      },
    },
  };
}

test("KATIB-2: whole and stepped ranges take the values that hyperopt draws, as often as it draws them", { skip }, () => {
  const size = 20_000;
  const list = fc.sample(ranges, { numRuns: 60, seed });
  const space = spaceOf(experiment(list));
  const shape = z.array(z.tuple([z.array(z.number()), z.array(z.number())]));
  const drawn = answered(draws, { seed, size, draws: list.map(drawOf) }, shape);
  for (const [index, distribution] of space.entries()) {
    const [found = [], counts = []] = drawn[index] ?? [];
    let seen = 0;
    for (const [at, value] of found.entries()) {
      const { high, low } = cellOf(distribution, value);
      const share = high - low;
      seen += share;
      const off = Math.abs((counts[at] ?? 0) / size - share);
      const what = `${JSON.stringify(list[index])}: ${value} has ${share} and came ${counts[at]} times of ${size}`;
      assert.ok(off <= 5 * Math.sqrt((share * (1 - share)) / size) + 1e-9, what);
      if (share > 0.01) {
        const our = fromUnit(distribution, (low + high) / 2);
        assert.ok(agree(our, value, 0), `${what}; ${String(our)} stands at its place`);
      }
    }
    assert.ok(seen > 0.99, `${JSON.stringify(list[index])}: what hyperopt draws is ${seen} of it`);
  }
});
