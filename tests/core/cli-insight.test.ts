/** What a sweep has taught, in the command line's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { insightText } from "../../cli/print/insight-text.ts";
import { insightFixture } from "../support/insight-fixture.ts";

test("INSIGHT-12: the text has a bar for each parameter, the best so far, what more would gain, and how it searches", () => {
  const text = insightText(insightFixture("s1"));
  const expected: readonly RegExp[] = [
    /^s1 language-id: 60 trials judged at epoch 3 are compared\.$/m,
    /^How it searches: Sobol points for the first ten trials, then TPE\.$/m,
    /^rate +84% +\[#{25}\.{5}\]$/m,
    /^momentum +0% +\[\.{30}\]$/m,
    /^best macroF1 so far: 0\.9184 after 120 trials and 240\.0 tokens$/m,
    /^0\.9184 \|/m,
    /^ +trial 1 +trial 120$/m,
    /^10 more trials would cost about 20\.0 tokens and improve macroF1 by/m,
  ];
  for (const each of expected) assert.match(text, each);
  assert.ok(text.split("\n\n").every((part) => part.trim() !== ""));
});

test("INSIGHT-12: without results it is the sentence and why nothing is foretold", () => {
  const sentence = "No trial has been proposed yet.";
  const gainSentence = "Too few trials to foretell what more of them would gain.";
  const empty = insightFixture("s1", {
    sentence,
    gainSentence,
    importance: [],
    bestSoFar: [],
    note: null,
  });
  assert.equal(insightText(empty), `s1 language-id: ${sentence}\n\n${gainSentence}`);
});

test("INSIGHT-12: several objectives list the trials that no other beats, and how many more there are", () => {
  const front = {
    objectives: [
      { metric: "macroF1", goal: "maximize" as const },
      { metric: "seconds", goal: "minimize" as const },
    ],
    trials: [
      { trial: "s1-4", values: [0.91, 12] },
      { trial: "s1-9", values: [0.88, 3.5] },
    ],
    count: 5,
  };
  const text = insightText(insightFixture("s1", { front }));
  assert.match(text, /^TRIAL +MACROF1 \(maximize\) +SECONDS \(minimize\)$/m);
  assert.match(text, /^s1-9 +0\.88 +3\.5$/m);
  assert.match(text, /^and 3 more trials$/m);
  const none = insightText(insightFixture("s1", { front: { ...front, trials: [], count: 0 } }));
  assert.match(none, /no trial has a value in each of them yet/);
});
