/** Inputs of the kind "sweep" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases } from "../support/case-place.ts";

/** A machine that holds the mesh's keys runs nobody else's programs any more. */
const ownPrograms = (lines: string) => lines.replace("--programs any", "--programs own");

testCases("sweep", {
  "broken-link": async (place) => {
    const { all, code } = await place.run(ownPrograms(place.case.run));
    assert.equal(code, 0, all);
    assert.match(all, /last-run in the program's folder \S+ is a link that leads nowhere, and stays behind/);
    assert.match(all, /2 completed/);
  },
  "linked-folder": async (place) => {
    const { all, code } = await place.run(ownPrograms(place.case.run));
    assert.equal(code, 0, all);
    assert.match(all, /1 completed/);
    assert.match(all, /score 7\b/);
  },
  "own-long-env": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; echo \$\?$/, ""));
    assert.equal(code, 1, all);
    assert.match(
      all,
      /long-env\.yaml:1: field environment\.VOCABULARY: has 150000 characters; at most 20000/,
    );
  },
  "own-long-word": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; echo \$\?.*$/, ""));
    assert.equal(code, 0, all.slice(0, 2_000));
    assert.match(all, /3 trials: 1 completed, 2 failed/);
    assert.match(all, /the command line is too long; pass the parameters by \$\{args_json_file\}/);
    assert.deepEqual(place.seen(), [["--prompt=short"]]);
    assert.ok(all.length < 10_000, "what is too long to run is not shown whole either");
  },
  "own-nul-env": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; echo \$\?$/, ""));
    assert.equal(code, 1, all);
    assert.match(all, /own-nul-env\.yaml:5: field environment\.SEPARATOR: has a NUL character in it/);
  },
  "own-nul-value": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; echo \$\?.*$/, ""));
    assert.equal(code, 0, all);
    assert.match(all, /4 trials: 2 completed, 2 failed/);
    assert.match(all, /word 3 of its command has a NUL character in it/);
    assert.deepEqual(place.seen(), [["--mark=ok"], ["--mark=also"]]);
  },
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
