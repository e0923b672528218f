/** Inputs of the kind "katib" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases, type Expectation } from "../support/case-place.ts";

/** One trial that is completed with 0.75. */
const readsThreeQuarters: Expectation = async (place) => {
  const { all, code } = await place.run();
  assert.equal(code, 0, all);
  assert.match(all, /"reported": \{\s*"val_acc": 0\.75\s*\}/);
};

/** Refused by lint and by the run, and no trial starts. */
const refusedFor =
  (told: RegExp): Expectation =>
  async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; cat seen\.txt$/, ""));
    assert.notEqual(code, 0, all);
    assert.match(all, told);
    assert.deepEqual(place.seen(), []);
  };

testCases("katib", {
  "katib-no-trial-parameters": refusedFor(
    /no-trial-parameters\.yaml:11: .*trialParameters: is missing: Katib asks/,
  ),
  "katib-re-backref": async (place) => {
    const { all, code } = await place.run();
    assert.notEqual(code, 0, all);
    assert.match(
      all,
      /katib-re-backref\.yaml:9: .*metricsFormat\.0: .*looks ahead by \(\?=…\), which RE2 does not have/,
    );
  },
  "katib-re-class": readsThreeQuarters,
  "katib-re-end": readsThreeQuarters,
  "katib-re-flags": readsThreeQuarters,
  "katib-re-named": readsThreeQuarters,
  "katib-twice": refusedFor(/katib-twice\.yaml:13: .*two trialParameters are called "x"/),
  "katib-unused": refusedFor(
    /katib-unused\.yaml:13: .*\$\{trialParameters\.x\} stands nowhere in the template/,
  ),
});
