/** Inputs of the kind "sweep" that once failed: see tests/support/case-place.ts. */
import assert from "node:assert/strict";
import { testCases, type CasePlace } from "../support/case-place.ts";

/** The programs got these command lines, in this order. */
async function ranWith(place: CasePlace, ...lines: readonly (readonly string[])[]): Promise<string> {
  const { all, code } = await place.run();
  assert.equal(code, 0, all);
  assert.deepEqual(place.seen(), lines, all);
  return all;
}

async function refusedIn(place: CasePlace, pattern: RegExp): Promise<string> {
  const { all } = await place.run();
  assert.match(all, pattern);
  assert.deepEqual(place.seen(), [], "nothing was run");
  return all;
}

testCases("sweep", {
  "broken-link": async (place) => {
    const { all, code } = await place.run();
    assert.equal(code, 0, all);
    assert.match(all, /last-run in the program's folder \S+ is a link that leads nowhere, and stays behind/);
    assert.match(all, /2 completed/);
  },
  "linked-folder": async (place) => {
    const { all, code } = await place.run();
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
  "own-proto": async (place) => {
    await ranWith(place, ["--__proto__=8", "--hasOwnProperty=1"], ["--__proto__=9", "--hasOwnProperty=1"]);
    const { all } = await place.run(
      `sed 's/^command:.*/command: [sh, -c, "env > env.txt; echo score=1"]/' own-proto.yaml > env.yaml; echo "reads: environment" >> env.yaml; trialmesh sweep local env.yaml; cat env.txt`,
    );
    assert.match(all, /^__proto__=1$/m);
    assert.match(all, /^constructor=2$/m);
  },
  "own-wide-id": async (place) => {
    await ranWith(
      place,
      ["--customer=4611686018427387905", "--run=99999999999999999999999"],
      ["--customer=4611686018427387907", "--run=99999999999999999999999"],
    );
  },
  "shown-rounded": async (place) => {
    const { all } = await place.run();
    for (const [index, seed] of ["19870523", "19870524"].entries()) {
      const shown = `seed=${seed} warmup=654321 batch=8192`;
      assert.match(all, new RegExp(`^trial ${index + 1}: .*${shown}`, "m"), "its line");
      assert.match(all, new RegExp(`^ *${index + 1} +completed .*${shown}`, "m"), "the table");
    }
    assert.match(all, /^best: trial 1 .*seed=19870523 warmup=654321 batch=8192$/m);
  },
  "wandb-both-iters": async (place) => {
    const { all, code } = await place.run();
    assert.equal(code, 0, all);
    assert.match(all, /asha with min 2 eta 4/);
    assert.match(all, /min_iter counts for nothing/);
  },
  "wandb-clock": async (place) => {
    await ranWith(place, ["--at=07:30", "--every=01:00:00"], ["--at=06:45", "--every=01:00:00"]);
  },
  "wandb-commit": async (place) => {
    await ranWith(place, ["--commit=31e7"], ["--commit=902e31"], ["--commit=6e1"]);
  },
  "wandb-date-list": async (place) => {
    await ranWith(place, ["--since=2021-03-05"], ["--since=2021-03-12"]);
  },
  "wandb-dot-beside-nested": async (place) => {
    await refusedIn(place, /yaml:8: .*has the same name, optim\.beta; rename one/);
  },
  "wandb-exponent-bounds": async (place) => {
    const { all } = await place.run();
    const numbers = place.seen().map((words) => words.map((word) => Number(word.replace(/^.*=/, ""))));
    assert.equal(numbers.length, 5, all);
    for (const [lr = NaN, decay = NaN] of numbers) {
      assert.ok(lr >= 3e-5 && lr <= 0.03, String(lr));
      assert.ok(decay >= 0 && decay <= 0.1, String(decay));
    }
  },
  "wandb-int-forms": async (place) => {
    await ranWith(place, ["--mask=10"], ["--mask=3735928559"], ["--mask=12345678"], ["--mask=12"]);
  },
  "wandb-no-args": async (place) => {
    const { all, code } = await place.run(place.case.run.replace(/; cat seen\.txt$/, ""));
    assert.equal(code, 1, all);
    const told = all.match(/wandb-no-args\.yaml:4: field command: no word of it passes a parameter/g);
    assert.equal(told?.length, 2, all);
    assert.deepEqual(place.seen(), []);
  },
  "wandb-no-such-date": async (place) => {
    await refusedIn(place, /yaml:5: 2023-02-29: day is out of range for month/);
  },
  "wandb-proto": async (place) => {
    await ranWith(
      place,
      ...["8", "9"].flatMap((proto) =>
        ["x", "z"].map((value) => [`--__proto__=${proto}`, `--valueOf=${value}`, "--toLocaleString=3"]),
      ),
    );
  },
  "wandb-timestamp": async (place) => {
    await ranWith(place, ["--until=2023-07-09 18:45:00", "--since=2023-07-09 06:30:00+01:00", "--epochs=2"]);
  },
  "wandb-two-documents": async (place) => {
    const all = await refusedIn(place, /the file has 2 documents/);
    assert.equal(all.trim().split("\n").length, 1, "in one sentence");
  },
  "wandb-wide-json": async (place) => {
    await ranWith(place, ['{"run":72057594037927937,"epochs":1}']);
  },
  "wandb-wide-seed": async (place) => {
    await ranWith(
      place,
      ["--seed=36028797018963969"],
      ["--seed=18014398509481985"],
      ["--seed=340282366920938463463374607431768211456"],
    );
  },
  "wandb-zip": async (place) => {
    await ranWith(place, ["--zip=01069"], ["--zip=08371"], ["--zip=02108"]);
  },
});
