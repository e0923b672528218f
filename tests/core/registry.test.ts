import assert from "node:assert/strict";
import { test } from "node:test";
import { Fold, sweepSpec } from "../support/fold.ts";

function registered(): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 2);
  for (const seed of [1, 2]) {
    fold.must("sweep-run", {
      spec: sweepSpec({
        search: { method: "random", trials: 2, seed },
        register: { model: "lang", alias: "champion" },
      }),
    });
    while (fold.running().length > 0)
      for (const trial of fold.running()) fold.finish(trial, seed / 10 + trial.number / 100);
  }
  return fold;
}

test("REG-2: registering moves the alias, and the ledger says who, when and from which version", () => {
  const model = registered().state.models.get("lang");
  assert.deepEqual(model?.aliases, { champion: 2 });
  assert.deepEqual(
    model?.ledger.map(({ from, kind, to, who }) => [kind, who, from, to]),
    [
      ["register", "ada", null, 1],
      ["register", "ada", 1, 2],
    ],
  );
});

test("rollback goes to the version before, again and again, and refuses where there is none", () => {
  const fold = registered();
  fold.must("model-rollback", { model: "lang", alias: "champion", why: "worse in use" }, "bob");
  const model = fold.state.models.get("lang");
  assert.equal(model?.aliases["champion"], 1);
  const last = model?.ledger.at(-1);
  assert.deepEqual(
    [last?.kind, last?.who, last?.from, last?.to, last?.why],
    ["rollback", "bob", 2, 1, "worse in use"],
  );
  const again = fold.command("model-rollback", { model: "lang", alias: "champion" });
  assert.equal(again.ok ? "" : again.refusal.code, "conflict");
});

test("REG-1: an alias cannot point to a version that does not exist; names are suggested", () => {
  const fold = registered();
  const promote = fold.command("model-promote", { model: "lang", version: 9, alias: "champion" });
  assert.match(promote.ok ? "" : promote.refusal.message, /no version 9; it has 1, 2/);
  const mistyped = fold.command("model-rollback", { model: "lagn", alias: "champion" });
  assert.match(mistyped.ok ? "" : mistyped.refusal.message, /did you mean "lang"/);
});

test("a version names what it was made from: dataset, sweep, trial, agent, backend, tokens", () => {
  const version = registered().state.models.get("lang")?.versions[0];
  assert.deepEqual(
    [version?.sweep, version?.trial, version?.agent, version?.backend, version?.spent],
    ["s1", "s1-2", "box", "cpu", 1_000],
  );
});
