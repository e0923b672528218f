/** Inputs of the kind "katib" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases, type Expectation } from "../support/case-place.ts";

/** One trial that is completed with 0.75. */
const readsThreeQuarters: Expectation = async (place) => {
  const { all, code } = await place.run();
  assert.equal(code, 0, all);
  assert.match(all, /"reported": \{\s*"val_acc": 0\.75\s*\}/);
};

testCases("katib", {
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
});
