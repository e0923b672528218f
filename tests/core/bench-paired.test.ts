/** The test that decides who won in the search bench, against published and computed figures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pairedTest } from "../../bench/search/paired-test.ts";

/** `scipy.stats.wilcoxon(ours, theirs, method="exact")` of SciPy 1.17; with ties, `method=PermutationMethod(n_resamples=inf)`. */
test("BENCH-1: the signed-rank test gives SciPy's two-sided p", () => {
  const ours = [125, 115, 130, 140, 140, 115, 140, 125, 140, 135].map((value, at) => value + at / 100);
  const theirs = [110, 122, 125, 120, 140, 124, 123, 137, 135, 145].map((value, at) => value + at / 1000);
  const { losses, p, ties, wins } = pairedTest(ours, theirs);
  assert.deepEqual([wins, losses, ties], [4, 6, 0]);
  assert.ok(Math.abs(p - 0.625) < 1e-9, String(p));
});

test("BENCH-1: equal differences share their ranks, equal pairs do not count", () => {
  const { losses, p, ties, wins } = pairedTest([1, 2, 3, 4, 5, 6, 7], [2, 3, 4, 3, 5, 8, 8]);
  assert.deepEqual([wins, losses, ties], [5, 1, 1]);
  assert.ok(Math.abs(p - 0.1875) < 1e-9, String(p));
  assert.deepEqual(pairedTest([1, 2], [1, 2]), { wins: 0, losses: 0, ties: 2, p: 1 });
});

test("BENCH-1: five wins out of five are as far as five pairs can go", () => {
  assert.equal(pairedTest([1, 2, 3, 4, 5], [2, 4, 6, 8, 10]).p, 2 / 32);
});
