/** One rule for which version is meant: how far back a rollback goes, what is the best, and that what was shown is what is done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { resolve } from "../../coordinator/registry/resolve-version.ts";
import type { Model } from "../../coordinator/state/state.ts";
import { querySchemas } from "../../protocol/command.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { resolutionView, type ResolutionView } from "../../protocol/view.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

const model = "lang";
const alias = "champion";

function opened(): Fold {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("box", 2);
  return fold;
}

/** A sweep of one trial whose best becomes the next version. */
function register(fold: Fold, accuracy: number, change: Parameters<typeof sweepSpec>[0] = {}): void {
  const seed = fold.state.sweeps.size + 1;
  const search = { method: "random" as const, trials: 1, seed };
  fold.must("sweep-run", { spec: sweepSpec({ search, register: { model, alias }, ...change }) });
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, accuracy);
}

function modelIn(fold: Fold): Model {
  return fold.state.models.get(model) ?? assert.fail("no model");
}

function asked(fold: Fold, body: object): Outcome<ResolutionView> {
  return resolve(fold.state, querySchemas.resolve.parse({ model, ...body }));
}

function refusalOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? assert.fail(JSON.stringify(outcome.value)) : outcome.refusal.message;
}

const versionsMax = 8;
const step = fc.oneof(
  fc.constant({ kind: "register" } as const),
  fc.record({ kind: fc.constant("promote" as const), version: fc.integer({ min: 1, max: versionsMax }) }),
  fc.constant({ kind: "rollback" } as const),
  fc.record({ kind: fc.constant("rollback-to" as const), version: fc.integer({ min: 1, max: versionsMax }) }),
);

test("REG-3: whatever the ledger, rolling back again and again goes strictly back in it and ends with a refusal that says so", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const fold = opened();
      register(fold, 0.5);
      for (const each of steps) {
        // Refusals are as good as moves here: what matters is the ledger they leave.
        if (each.kind === "register") register(fold, (fold.state.sweeps.size % 7) / 10);
        if (each.kind === "promote") fold.command("model-promote", { model, alias, version: each.version });
        if (each.kind === "rollback") fold.command("model-rollback", { model, alias });
        if (each.kind === "rollback-to") fold.command("model-rollback", { model, alias, to: each.version });
      }
      const { ledger, versions } = modelIn(fold);
      const seen = [modelIn(fold).aliases[alias] ?? assert.fail()];
      let before = ledger.length;
      for (;;) {
        const would = asked(fold, { of: "rollback", alias });
        const done = fold.command("model-rollback", { model, alias });
        assert.equal(done.ok, would.ok);
        if (!would.ok) {
          assert.match(
            refusalOf(done),
            /^lang@champion is version \d+, and there is nothing left to go back to; /u,
          );
          break;
        }
        const now = modelIn(fold).aliases[alias] ?? assert.fail();
        assert.equal(now, would.value.version, "what the question said is what the command did");
        assert.ok(!seen.includes(now), `${now} again, after ${seen.join(", ")}`);
        // It came there, by something else than going back, earlier in the ledger than to any it has left since.
        const came = ledger.slice(0, before).findLastIndex(({ to }) => to === now);
        assert.ok(came >= 0 && came < before, `${now} in the ledger before ${before}`);
        before = came + 1;
        seen.push(now);
        assert.ok(seen.length <= versions.length, "ends");
      }
    }),
    { numRuns: 150 },
  );
});

test("REG-3: a rollback goes where the alias was put before, over what it was rolled back from, and never to and fro", () => {
  const fold = opened();
  for (const accuracy of [0.1, 0.2, 0.3]) register(fold, accuracy);
  const back = () => fold.must("model-rollback", { model, alias });
  back();
  back();
  assert.deepEqual(modelIn(fold).aliases, { champion: 1 });
  assert.match(refusalOf(fold.command("model-rollback", { model, alias })), /nothing left to go back to/u);
  fold.must("model-promote", { model, alias, version: 3 });
  const shown = asked(fold, { of: "rollback", alias });
  assert.deepEqual(shown.ok && [shown.value.version, shown.value.from, shown.value.why], [
    1,
    3,
    "champion pointed to version 1 before ada promoted version 3",
  ]);
  fold.must("model-promote", { model, alias, version: 1 });
  fold.must("model-promote", { model, alias, version: 3 });
  back();
  assert.deepEqual(modelIn(fold).aliases, { champion: 1 });
  const toAndFro = fold.command("model-rollback", { model, alias });
  assert.match(refusalOf(toAndFro), /^lang@champion is version 1, and there is nothing left/u);
});

test("REG-3: going back to a version that the alias does not have behind it is refused, and says what would do it", () => {
  const fold = opened();
  for (const accuracy of [0.1, 0.2]) register(fold, accuracy);
  fold.must("model-rollback", { model, alias, to: 1 });
  assert.equal(
    refusalOf(fold.command("model-rollback", { model, alias, to: 2 })),
    "lang@champion has no version 2 behind it to go back to; `trialmesh model promote lang@2 champion` points it elsewhere",
  );
});

test("REG-4: a command with what was shown is refused where the alias or the version meant has changed since", () => {
  const fold = opened();
  for (const accuracy of [0.1, 0.2]) register(fold, accuracy);
  const back = asked(fold, { of: "rollback", alias });
  assert.ok(back.ok);
  register(fold, 0.3);
  const expect = { from: back.value.from, version: back.value.version };
  assert.equal(
    refusalOf(fold.command("model-rollback", { model, alias, expect })),
    "nothing was changed: lang@champion points to version 3 now, not to version 2; ask again",
  );
  const best = asked(fold, { of: "promote", version: "best", alias: "stable" });
  assert.ok(best.ok && best.value.version === 3);
  register(fold, 0.4);
  const promote = (shown: ResolutionView) =>
    fold.command("model-promote", {
      model,
      version: "best",
      alias: "stable",
      expect: { from: shown.from, version: shown.version },
    });
  assert.match(
    refusalOf(promote(best.value)),
    /^nothing was changed: the version meant is 4 now, not 3 \(its acc/u,
  );
  const again = asked(fold, { of: "promote", version: "best", alias: "stable" });
  assert.ok(again.ok && promote(again.value).ok);
  assert.equal(modelIn(fold).aliases["stable"], 4);
  const moved = modelIn(fold).ledger.length;
  assert.equal(moved, 5, "refusals move nothing");
});

test("REG-5: the best is the best by the newest sweep's objective, of versions measured on the same data", () => {
  const fold = opened();
  const dataset = (digit: string) => ({
    name: "talk",
    digest: digit.repeat(64),
    bytes: 10,
    rows: { train: 8, validation: 1, test: 1 },
  });
  register(fold, 0.99, { dataset: dataset("1") });
  for (const accuracy of [0.5, 0.7, 0.6]) register(fold, accuracy, { dataset: dataset("2") });
  const best = asked(fold, { of: "version", version: "best" });
  assert.deepEqual(best.ok && resolutionView.parse(best.value).version, 3);
  assert.equal(
    best.ok && best.value.why,
    "its accuracy of 0.7000 is the best of 3 measured on the same data; 1 measured otherwise or on other data not compared",
  );
  register(fold, 0.8, { dataset: dataset("2"), objective: { metric: "accuracy", goal: "minimize" } });
  const least = asked(fold, { of: "version", version: "best" });
  assert.deepEqual(least.ok && least.value.version, 2);
  const newest = asked(fold, { of: "version", version: "newest" });
  assert.deepEqual(newest.ok && newest.value.version, 5);
});

test("REG-5: no new alias may be called best or newest, by a promotion or by a sweep", () => {
  const fold = opened();
  register(fold, 0.1);
  const promoted = fold.command("model-promote", { model, version: 1, alias: "best" });
  assert.match(refusalOf(promoted), /^an alias cannot be called best/u);
  const spec = sweepSpec({ register: { model, alias: "newest" } });
  assert.match(refusalOf(fold.command("sweep-run", { spec })), /^an alias cannot be called newest/u);
});
