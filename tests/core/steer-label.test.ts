/** Tags and notes, in the coordinator's core and on the command line: what is kept, what is bounded, who may, what is found by them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mustGet } from "../../coordinator/state/state.ts";
import { summaryOf } from "../../coordinator/view/sweep-answer.ts";
import { trialViewOf } from "../../coordinator/view/trial-answer.ts";
import { sweepText, sweepsText } from "../../cli/print/sweep-text.ts";
import { tagSchema, tagsMax } from "../../protocol/label.ts";
import { sweepViewOf } from "../../coordinator/view/sweep-answer.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { Fold, sweepSpec } from "../support/fold.ts";
import { runHere } from "../support/run-cli.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";
import { accept } from "../../protocol/refusal.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";

function started(): Fold {
  const fold = new Fold();
  fold.open("ada", 1_000);
  fold.join("box", 2);
  fold.must("sweep-run", { spec: sweepSpec() });
  return fold;
}

function refusal(answer: ReturnType<Fold["command"]>): string {
  return answer.ok ? "" : `${answer.refusal.code}: ${answer.refusal.message}`;
}

function summary(fold: Fold) {
  return summaryOf(fold.state, mustGet(fold.state.sweeps, "s1", "sweep"), fold.settings);
}

test("TAG-1: tags are given and taken away, each once and in order, and a note takes the place of the one before", () => {
  const fold = started();
  assert.equal(summary(fold).tags, undefined);
  assert.deepEqual(fold.must("sweep-tag", { sweep: "s1", add: ["good", "base", "good"] }), {
    sweep: "s1",
    tags: ["base", "good"],
  });
  assert.deepEqual(fold.must("sweep-tag", { sweep: "s1", add: ["new"], remove: ["good", "unheard"] }), {
    sweep: "s1",
    tags: ["base", "new"],
  });
  fold.must("sweep-note", { sweep: "s1", note: "first" });
  fold.must("sweep-note", { sweep: "s1", note: "second" });
  fold.must("trial-tag", { trial: "s1-1", add: ["keep"] });
  fold.must("trial-note", { trial: "s1-1", note: "the one" });
  assert.deepEqual([summary(fold).tags, summary(fold).notes], [["base", "new"], "second"]);
  const trial = trialViewOf(fold.state, fold.trial("s1-1"));
  assert.deepEqual([trial.tags, trial.notes], [["keep"], "the one"]);
  const query = { sweep: "s1", offset: 0, limit: 9, order: "number" } as const;
  const said = sweepText(
    sweepViewOf(fold.state, mustGet(fold.state.sweeps, "s1", "sweep"), query, fold.settings),
  );
  assert.match(said, /^tags +base new$/m);
  assert.match(said, /^note +second$/m);
  assert.match(said, /TAGS +PARAMETERS\n.* keep /);
  assert.match(sweepsText([summary(fold)]), /TAGS\n.* base new$/);
  fold.must("sweep-tag", { sweep: "s1", remove: ["base", "new"] });
  fold.must("sweep-note", { sweep: "s1", note: "" });
  assert.deepEqual([summary(fold).tags, summary(fold).notes], [undefined, undefined]);
  assert.doesNotMatch(sweepsText([summary(fold)]), /TAGS/);
  assertSameEverywhere(fold);
});

test("TAG-1: there are so many tags of so many characters, and a note is no longer than a reason", () => {
  const fold = started();
  const many = Array.from({ length: tagsMax }, (_, index) => `tag-${index}`);
  fold.must("sweep-tag", { sweep: "s1", add: many });
  assert.match(
    refusal(fold.command("sweep-tag", { sweep: "s1", add: ["more"] })),
    /^invalid: s1 would have 21 tags; it may have 20/,
  );
  fold.must("sweep-tag", { sweep: "s1", add: ["more"], remove: ["tag-0"] });
  assert.match(
    refusal(fold.command("sweep-tag", { sweep: "s1", add: ["x"], remove: ["x"] })),
    /^invalid: the tag x is both/,
  );
  assert.match(refusal(fold.command("trial-note", { trial: "s1-1", note: "x".repeat(501) })), /^invalid/);
  for (const wrong of [
    "",
    "two words",
    "a,b",
    "-x",
    "+x",
    "x".repeat(51),
    "a\u0000",
    "a\u001b[31m",
    "a\u200bb",
  ])
    assert.equal(tagSchema.safeParse(wrong).success, false, JSON.stringify(wrong));
  for (const right of ["good", "v1.2", "größe", "2026-11", "lr=0.3", "a/b", "für_später", "好"])
    assert.equal(tagSchema.safeParse(right).success, true, right);
});

test("TAG-2: only who may command a sweep writes about it and its trials, in whatever state it is", () => {
  const fold = started();
  fold.open("bob", 10);
  const bodies = {
    "sweep-tag": { sweep: "s1", add: ["a"] },
    "trial-tag": { trial: "s1-1", add: ["a"] },
    "sweep-note": { sweep: "s1", note: "a" },
    "trial-note": { trial: "s1-1", note: "a" },
  } as const;
  fold.must("sweep-stop", { sweep: "s1" });
  for (const name of ["sweep-tag", "trial-tag", "sweep-note", "trial-note"] as const) {
    assert.match(
      refusal(fold.command(name, bodies[name], "bob", "requester")),
      /^forbidden: s1 belongs to ada/,
    );
    assert.match(refusal(fold.command(name, bodies[name], "vic", "viewer")), /^forbidden/);
    fold.must(name, bodies[name], "ada", "requester");
  }
  assert.match(
    refusal(fold.command("trial-tag", { trial: "s1-77", add: ["a"] })),
    /^unknown: there is no trial s1-77/,
  );
});

test("TAG-3: whatever tags are given and taken, in whatever order, they are what a set of them would be", () => {
  const tag = fc.constantFrom<string[]>("a", "b", "c", "d");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.uniqueArray(tag), fc.uniqueArray(tag)), { maxLength: 20 }),
      (changes) => {
        const fold = started();
        let model = new Set<string>();
        for (const [add, remove] of changes) {
          const answer = fold.command("sweep-tag", { sweep: "s1", add, remove });
          if (!answer.ok) {
            assert.ok(add.some((one) => remove.includes(one)));
            continue;
          }
          model = new Set([...model, ...add].filter((one) => !remove.includes(one)));
          assert.deepEqual(summary(fold).tags ?? [], [...model].toSorted());
        }
        assertSameEverywhere(fold);
      },
    ),
    { numRuns: 30 },
  );
});

test("TAG-4: on the command line +TAG gives and -TAG takes away, before and after options, and anything else is named", async () => {
  const sent: unknown[] = [];
  const client = {
    ...openFakeMesh().client,
    command: (_: string, body: object) => {
      sent.push(body);
      return Promise.resolve(accept({ sweep: "s1", trial: "s1-1", tags: ["x"] }));
    },
    close: () => Promise.resolve(),
  };
  const connected = {
    client,
    home: { mesh: "m", url: "nats://x", path: "/" },
    bus: {},
  } as unknown as Connected; // only its client is asked
  const run = (...words: string[]) => runHere(words, {}, () => Promise.resolve(accept(connected)));
  const good = { sweep: "s1", add: ["good"], remove: ["old", "h"] };
  for (const words of [
    ["sweep", "tag", "s1", "+good", "-old", "-h2"],
    ["sweep", "tag", "s1", "-old", "+good", "-h2", "--json"],
    ["sweep", "tag", "--json", "s1", "-old", "-h2", "+good"],
  ]) {
    const { code, err } = await run(...words);
    assert.equal(code, 0, err);
    assert.deepEqual(sent.pop(), { ...good, remove: ["old", "h2"] });
  }
  assert.equal((await run("trial", "tag", "s1-1", "-old")).code, 0);
  assert.deepEqual(sent.pop(), { trial: "s1-1", add: [], remove: ["old"] });
  for (const [words, says] of [
    [["sweep", "tag", "s1", "good"], /<tags> is \+TAG to give a tag, -TAG to take it away, not "good"/],
    [["sweep", "tag", "s1"], /tags/],
    [["sweep", "tag", "s1", "+a,b"], /without white space or commas/],
    [["sweep", "tag", "s1", "--jsn"], /letter or digit/],
    [["sweep", "ls", "--tag", "a b"], /--tag/],
  ] as const) {
    const { code, err } = await run(...words);
    assert.equal(code, 2, words.join(" "));
    assert.match(err, says);
  }
  assert.deepEqual(sent, []);
});
