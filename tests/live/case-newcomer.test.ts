/** Inputs of the kind "newcomer" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases } from "../support/case-place.ts";

testCases("newcomer", {
  "profile-shows-the-data": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0");
    assert.equal(up.code, 0, up.all);
    const added = await place.run("trialmesh dataset add flats.yaml");
    assert.equal(added.code, 0, added.all);
    const { code, out, err } = await place.run("trialmesh dataset profile flats --html flats.html");
    assert.equal(code, 0, err);
    assert.match(out, /240 rows .*, 6 columns/u);
    assert.match(out, /^warn +80 +column garden has no value in 80 rows \(33\.3%\)/mu);
    assert.match(out, /^built +DATE +0% .*2000-\d\d-\d\d.*2023-\d\d-\d\d/mu);
    assert.match(out, /^heating +characters +19\.2%/mu);
    assert.match(out, /^area +BIGINT +8\.3%/mu);
    assert.match(out, /^zip +80331 +53/mu);
    assert.match(out, /^heating +4 columns, one for each value/mu);
    assert.doesNotMatch(out, /heating=/u);
  },
  "question-marks": async (place) => {
    const { code, all } = await place.run("trialmesh dataset preview question-marks.yaml");
    assert.notEqual(code, 0);
    assert.match(
      all,
      /column area: 10 of 90 values are "\?"; if that means there is none, say missing: \["\?"\] in the source/u,
    );
    assert.doesNotMatch(all, /rename/u);
  },
});
