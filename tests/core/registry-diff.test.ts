/** How two versions differ: what is said of metrics, parameters, data and labels, and what is left out because both have it alike. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { modelDiffText } from "../../cli/print/model-diff-text.ts";
import { compareVersions, type ComparedVersion } from "../../client/model/compare-versions.ts";
import type { VersionView } from "../../protocol/view.ts";
import { modelFixture, sweepFixture, trialFixture } from "../support/view-fixture.ts";

function compared(
  change: Partial<VersionView> = {},
  labels: readonly string[] | null = ["a", "b"],
): ComparedVersion {
  const [base] = modelFixture("lang").versions;
  assert.ok(base !== undefined);
  const version = { ...base, ...change };
  const [trial, sweep] = [trialFixture("s1", 3), sweepFixture("s1")];
  return { lineage: { model: "lang", version, aliases: [], trial, sweep, origin: null }, labels };
}

const objective = { metric: "accuracy", goal: "maximize" } as const;
const data = (digit: string) => ({
  name: "reviews",
  digest: digit.repeat(64),
  bytes: 9,
  rows: { train: 8, validation: 1, test: 1 },
});

test("REG-7: a version beside itself differs in nothing", () => {
  const { bytes, code, epoch, labels, metrics, parameters, same, trainedBy } = compareVersions(
    compared(),
    compared(),
  );
  assert.deepEqual([same, parameters, trainedBy, code, epoch], [true, [], null, null, null]);
  assert.deepEqual([labels, bytes.from === bytes.to], [{ added: [], removed: [] }, true]);
  assert.ok(metrics.every(({ difference }) => difference === 0));
  assert.match(modelDiffText(compareVersions(compared(), compared())), /they are the same bytes/);
});

test("REG-7: better and worse are said of the objective alone, measured on the same data, whichever way its goal is", () => {
  const verdict = (from: Partial<VersionView>, to: Partial<VersionView>) => {
    const { metrics } = compareVersions(
      compared({ dataset: data("1"), ...from }),
      compared({ dataset: data("1"), ...to }),
    );
    return metrics.map(({ better, name }) => [name, better]);
  };
  const up = { objective, metrics: { loss: 0.1, accuracy: 0.9 } };
  const down = { objective, metrics: { loss: 0.2, accuracy: 0.8 } };
  assert.deepEqual(verdict(down, up), [
    ["accuracy", true],
    ["loss", null],
  ]);
  assert.deepEqual(verdict(up, down)[0], ["accuracy", false]);
  const lower = { metric: "loss", goal: "minimize" } as const;
  assert.deepEqual(verdict({ ...down, objective: lower }, { ...up, objective: lower })[0], ["loss", true]);
  assert.deepEqual(verdict(down, { ...up, dataset: data("2") })[0], ["accuracy", null]);
  assert.deepEqual(verdict(down, { ...up, metrics: { loss: 1 } })[0], ["accuracy", null]);
});

test("REG-7: what came, went and changed is named: parameters, labels, data, code, size, tokens", () => {
  const diff = compareVersions(
    compared(
      { params: { lr: 0.1, dim: 10 }, dataset: data("1"), codeVersion: "t-1", bytes: 10, spent: 1_000 },
      ["a", "b"],
    ),
    compared(
      {
        params: { lr: 0.2, layers: 2 },
        dataset: data("2"),
        codeVersion: "t-2",
        bytes: 20,
        spent: 3_000,
        artifact: "e".repeat(64),
      },
      ["b", "c"],
    ),
  );
  assert.deepEqual(diff.parameters, [
    { name: "lr", from: 0.1, to: 0.2 },
    { name: "dim", from: 10, to: null },
    { name: "layers", from: null, to: 2 },
  ]);
  assert.deepEqual(diff.labels, { added: ["c"], removed: ["a"] });
  assert.deepEqual([diff.same, diff.data.same, diff.code], [false, false, { from: "t-1", to: "t-2" }]);
  const text = modelDiffText(diff);
  for (const line of [
    /^lr +0\.1 +0\.2$/m,
    /^dim +10 +none$/m,
    /^code +t-1 +t-2$/m,
    /^labels added +c$/m,
    /^labels removed +a$/m,
    /^size +10 B +20 B$/m,
    /^tokens +1\.00 +3\.00$/m,
  ])
    assert.match(text, line);
  assert.equal(compareVersions(compared({}, null), compared({}, ["a"])).labels, null);
  assert.equal(compareVersions(compared({}, []), compared({}, [])).labels, null, "numbers have no labels");
});

const side = fc.record({
  params: fc.dictionary(
    fc.constantFrom("lr", "dim", "unit"),
    fc.oneof(fc.integer(), fc.boolean(), fc.string({ maxLength: 3 })),
  ),
  metrics: fc.dictionary(
    fc.constantFrom("accuracy", "loss", "f1"),
    fc.double({ noNaN: true, min: -9, max: 9 }),
  ),
  labels: fc.option(fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"))),
  bytes: fc.nat(),
});

test("REG-7: the other way round everything is the other way round, and the two sides with the differences make each other", () => {
  fc.assert(
    fc.property(side, side, (a, b) => {
      const of = ({ labels, ...change }: typeof a) => compared({ ...change, objective }, labels);
      const [there, back] = [compareVersions(of(a), of(b)), compareVersions(of(b), of(a))];
      for (const metric of there.metrics) {
        const other = back.metrics.find(({ name }) => name === metric.name);
        assert.deepEqual([metric.from, metric.to], [other?.to, other?.from]);
        assert.equal(
          metric.difference === null ? null : metric.difference + (other?.difference ?? 0),
          metric.difference === null ? null : 0,
        );
        if (metric.better !== null) assert.equal(other?.better, !metric.better);
      }
      const made: Record<string, unknown> = { ...a.params };
      for (const { name, to } of there.parameters) {
        if (to === null) delete made[name];
        else made[name] = to;
      }
      assert.deepEqual(made, { ...b.params });
      if (there.labels !== null && a.labels !== null && b.labels !== null) {
        const [went, came] = [new Set(there.labels.removed), there.labels.added];
        assert.deepEqual(
          new Set([...a.labels.filter((label) => !went.has(label)), ...came]),
          new Set(b.labels),
        );
      }
      modelDiffText(there);
    }),
    { numRuns: 200 },
  );
});
