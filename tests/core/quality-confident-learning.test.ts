/** Confident learning: the paper's thresholds, joint and prunings, on cases small enough to work out by hand, and their laws. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import {
  confidentJoint,
  labelScore,
  pruneMethods,
  suspectRows,
  type Judged,
} from "../../data/quality/confident-learning.ts";

function judge(given: readonly number[], rows: readonly (readonly number[])[]): Judged {
  return {
    given: Int32Array.from(given),
    probabilities: Float64Array.from(rows.flat()),
    classes: rows[0]?.length ?? 0,
  };
}

/** Rows of three classes with probabilities in hundredths that sum to 1. */
const judged: fc.Arbitrary<Judged> = fc
  .array(fc.tuple(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 98 }), fc.integer({ min: 1, max: 98 })), {
    minLength: 1,
    maxLength: 60,
  })
  .map((rows) =>
    judge(
      rows.map(([label]) => label),
      rows.map(([, a, b]) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        return [low / 100, (high - low) / 100, (100 - high) / 100];
      }),
    ),
  );

test("LABEL-1: thresholds are the mean own probability of each label, and who reaches one is counted there", () => {
  const small = judge(
    [0, 0, 0, 1, 1],
    [
      [0.9, 0.1],
      [0.7, 0.3],
      [0.2, 0.8],
      [0.4, 0.6],
      [0.1, 0.9],
    ],
  );
  const { confident, counts, joint, thresholds } = confidentJoint(small);
  assert.deepEqual(
    [...thresholds].map((value) => value.toFixed(4)),
    ["0.6000", "0.7500"],
  );
  assert.deepEqual([...confident], [0, 0, 1, -1, 1]);
  assert.deepEqual([...counts], [2, 1, 0, 1]);
  // Three rows labelled 0, two labelled 1: the second line of the joint is stretched to two.
  assert.deepEqual([...joint], [2, 1, 0, 2]);
  for (const prune of pruneMethods)
    assert.deepEqual(suspectRows(small, { prune, rank: "margin" }), [2], prune);
  assert.equal(labelScore(small, 2, "margin").toFixed(4), "-0.6000");
  assert.equal(labelScore(small, 2, "self-confidence"), 0.2);
});

test("LABEL-2: the calibrated joint has as many rows of each label as were given", () => {
  fc.assert(
    fc.property(judged, (one) => {
      const { joint } = confidentJoint(one);
      for (let label = 0; label < one.classes; label++) {
        const given = one.given.filter((other) => other === label).length;
        const sum = joint.subarray(label * one.classes, (label + 1) * one.classes).reduce((a, b) => a + b, 0);
        assert.ok(Math.abs(sum - given) < 1e-9);
      }
    }),
  );
});

test("LABEL-3: `both` holds exactly what the two prunings share, and the rank goes from most to least suspect", () => {
  fc.assert(
    fc.property(judged, (one) => {
      const of = (prune: (typeof pruneMethods)[number]) => suspectRows(one, { prune, rank: "margin" });
      const other = new Set(of("by-noise-rate"));
      const shared = of("by-class").filter((row) => other.has(row));
      assert.deepEqual(
        of("both").toSorted((a, b) => a - b),
        shared.toSorted((a, b) => a - b),
      );
      const scores = of("confident-joint").map((row) => labelScore(one, row, "margin"));
      assert.deepEqual(
        scores,
        scores.toSorted((a, b) => a - b),
      );
    }),
  );
});

test("LABEL-4: by class, as many of each label are pruned as the joint holds off its diagonal, least confident first", () => {
  fc.assert(
    fc.property(judged, (one) => {
      const { joint } = confidentJoint(one);
      const suspects = suspectRows(one, { prune: "by-class", rank: "self-confidence" });
      for (let label = 0; label < one.classes; label++) {
        let off = 0;
        for (let to = 0; to < one.classes; to++)
          if (to !== label) off += joint[label * one.classes + to] ?? 0;
        const rows = [...one.given.keys()].filter((row) => one.given[row] === label);
        const chosen = rows.filter((row) => suspects.includes(row));
        assert.equal(chosen.length, Math.min(rows.length, Math.round(off)));
        const own = (row: number) => labelScore(one, row, "self-confidence");
        const kept = rows.filter((row) => !suspects.includes(row));
        if (chosen.length > 0 && kept.length > 0)
          assert.ok(Math.max(...chosen.map(own)) <= Math.min(...kept.map(own)));
      }
    }),
  );
});

test("LABEL-5: labels that are sure and right are never suspect", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 40 }), (labels) => {
      const sure = judge(
        labels,
        labels.map((label) => [0, 1, 2].map((other) => (other === label ? 0.98 : 0.01))),
      );
      for (const prune of pruneMethods) assert.deepEqual(suspectRows(sure, { prune, rank: "margin" }), []);
    }),
  );
});
