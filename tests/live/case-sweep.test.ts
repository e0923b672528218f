/** Inputs of the kind "sweep" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases } from "../support/case-place.ts";

testCases("sweep", {
  "own-one-of-two": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; cat seen\.txt$/, ""));
    assert.equal(code, 0, all);
    const told = all.match(
      /:5: field parameters\.depth: depth is searched \(6 trials\) and no word passes it, so 3 trials each run the same command line/g,
    );
    assert.equal(told?.length, 2, all);
    assert.equal(place.seen().length, 6);
  },
  "wandb-no-args": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; cat seen\.txt$/, ""));
    assert.equal(code, 1, all);
    const told = all.match(/wandb-no-args\.yaml:4: field command: no word of it passes a parameter/g);
    assert.equal(told?.length, 2, all);
    assert.deepEqual(place.seen(), []);
  },
});
