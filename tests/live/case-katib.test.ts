/** Inputs of the kind "katib" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases, type CasePlace } from "../support/case-place.ts";

/** The programs got these command lines, in this order. */
async function ranWith(place: CasePlace, ...lines: readonly (readonly string[])[]): Promise<string> {
  const { all, code } = await place.run();
  assert.equal(code, 0, all);
  assert.deepEqual(place.seen(), lines, all);
  return all;
}

testCases("katib", {
  "katib-after-config": async (place) => {
    const all = await ranWith(place, ["--x=1"], ["--x=2"]);
    assert.match(all, /has 2 documents; the Experiment is read/);
  },
  "katib-clock": async (place) => {
    await ranWith(place, ["--x=4:3"], ["--x=21:9"]);
  },
  "katib-date-args": async (place) => {
    await ranWith(place, ["--since", "2021-03-05", "--x", "1"], ["--since", "2021-03-05", "--x", "2"]);
  },
  "katib-env-zeros": async (place) => {
    const all = await ranWith(place, ["0078", "2021-03-05"], ["0078", "2021-03-05"]);
    assert.match(all, /yaml:24: .*0078 is a number to Kubernetes.*taken as written/);
  },
  "katib-hash-args": async (place) => {
    const all = await ranWith(place, ["--commit", "31e7", "--x=1"], ["--commit", "31e7", "--x=2"]);
    assert.match(all, /yaml:23: .*31e7 is a number to Kubernetes.*taken as written/);
  },
  "katib-on-off": async (place) => {
    await ranWith(place, ["--x=On"], ["--x=Off"]);
  },
  "katib-proto": async (place) => {
    await ranWith(place, ...["1", "2"].flatMap((v) => ["a", "b"].map((p) => [`--v=${v}`, `--p=${p}`])));
  },
  "katib-two-experiments": async (place) => {
    const { all } = await place.run();
    assert.match(all, /has 2 Experiments, on lines 1 and 25/);
    assert.deepEqual(place.seen(), [], "none of them was run");
  },
});
