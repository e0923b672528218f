/** Inputs of the kind "newcomer" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases } from "../support/case-place.ts";

/** Tokens a sweep says that it spent, and the rest of that line. */
function spentIn(text: string): { readonly spent: number; readonly line: string } {
  const found = /^tokens: ([\d.]+) spent.*$/mu.exec(text);
  assert.ok(found !== null, text);
  return { spent: Number(found[1]), line: found[0] };
}

testCases("newcomer", {
  "budget-does-not-throttle": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --slots 3");
    assert.equal(up.code, 0, up.all);
    const { all, code } = await place.run("trialmesh sweep run throttle.yaml");
    assert.equal(code, 0, all);
    const { out } = await place.run("trialmesh budget history owner");
    // Before anything is settled three trials have their reservations, of the sweep's 50 tokens.
    const first = out.slice(0, out.indexOf(" post "));
    const reserved = [...first.matchAll(/ reserve +([\d.]+) /gu)].map(([, amount]) => Number(amount));
    assert.equal(reserved.length, 3, out);
    assert.ok(Math.max(...reserved) <= 17, `${reserved.join()} are reserved`);
  },
  "first-line-of-a-sweep": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --slots 2");
    assert.equal(up.code, 0, up.all);
    const file = `
name: first-line
task: text-classification
dataset: language-id
objective: { metric: accuracy }
search: { method: auto, trials: 2 }
stopping: { policy: none, max: 1 }
models: { linear: {} }
`;
    const { all, code } = await place.run(
      `cat > first.yaml <<'END'${file}END\ntrialmesh sweep run first.yaml`,
    );
    assert.equal(code, 0, all);
    assert.doesNotMatch(all, /waiting/u);
  },
  "least-is-least": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0");
    assert.equal(up.code, 0, up.all);
    const small = await place.run("trialmesh sweep run least-small.yaml");
    assert.equal(small.code, 0, small.all);
    const { out } = await place.run("trialmesh sweep estimate least-large.yaml");
    const least = Number(/will cost about [\d.]+ tokens \(([\d.]+) to/u.exec(out)?.[1]);
    const large = await place.run("trialmesh sweep run least-large.yaml --beyond-budget");
    assert.equal(large.code, 0, large.all);
    const { spent } = spentIn(large.all);
    assert.ok(least > 0 && spent >= least, `${spent} were spent, ${least} was the least: ${out}`);
  },
  "rerun-is-free": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0");
    assert.equal(up.code, 0, up.all);
    const first = await place.run("trialmesh sweep run rerun.yaml");
    assert.equal(first.code, 0, first.all);
    const best = (text: string) => /^best model: .* of s\d+(-\d+, .*)$/mu.exec(text)?.[1];
    for (const again of ["second", "third"]) {
      const { all, code } = await place.run("trialmesh sweep run rerun.yaml");
      assert.equal(code, 0, all);
      assert.match(all, /will cost about 0\.0 tokens .*; 14 of them are on record and cost nothing/u);
      assert.equal(spentIn(all).spent, 0, again);
      assert.equal(best(all), best(first.all));
    }
  },
  "saved-is-true": async (place) => {
    const up = await place.run("trialmesh up --detach --port 0 --programs own");
    assert.equal(up.code, 0, up.all);
    const stopped = await place.run("trialmesh sweep run slow-start.yaml");
    assert.equal(stopped.code, 0, stopped.all);
    const whole = await place.run("trialmesh sweep run slow-start-full.yaml");
    assert.equal(whole.code, 0, whole.all);
    const more = Math.max(0, spentIn(whole.all).spent - spentIn(stopped.all).spent);
    const saved = Number(/([\d.]+) saved by stopping/u.exec(stopped.all)?.[1] ?? 0);
    assert.ok(Math.abs(saved - more) <= 10, `${saved} is said to be saved, ${more} are`);
  },
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
