/** Which epoch, which trial and which version is the best: one answer in the list, the head line, the report and the registry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bestTable } from "../../client/report/best-table.ts";
import { defaultSettings } from "../../coordinator/state/setting.ts";
import { activeAttempt, type Sweep, type Trial } from "../../coordinator/state/state.ts";
import { sweepViewOf } from "../../coordinator/view/sweep-answer.ts";
import { models } from "../../training/catalog/model-catalog.ts";
import { registeredText } from "../../text/sweep-phrase.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";
import { readSweepFile } from "../support/read-sweep-file.ts";

type Change = NonNullable<Parameters<typeof sweepSpec>[0]>;
type Goal = "maximize" | "minimize";

const metric = "accuracy";

function sweepIn(fold: Fold, id = "s1"): Sweep {
  return fold.state.sweeps.get(id) ?? assert.fail(`no sweep ${id}`);
}

function viewIn(fold: Fold, id = "s1") {
  const body = { sweep: id, offset: 0, limit: 1_000, order: "best" } as const;
  return sweepViewOf(fold.state, sweepIn(fold, id), body, defaultSettings);
}

/** One figure for each epoch of the segment; the agent says which epoch of it was the best, where that is not the last. */
function finish(fold: Fold, trial: Trial, figures: readonly number[], goal: Goal): void {
  const attempt = activeAttempt(trial) ?? assert.fail(`${trial.trial} does not run`);
  const first = (attempt.from?.resource ?? 0) + 1;
  const epochs = Array.from({ length: attempt.target - first + 1 }, (_, index) => ({
    resource: first + index,
    digest: digestOfNumber(attempt.fence * 1_000 + first + index),
    bytes: 10,
    metrics: { [metric]: figures[index % figures.length] ?? 0 },
  }));
  const score = (epoch: (typeof epochs)[number]) =>
    (epoch.metrics[metric] ?? 0) * (goal === "maximize" ? 1 : -1);
  const best = epochs.reduce((found, epoch) => (score(epoch) > score(found) ? epoch : found));
  const last = epochs.at(-1) ?? assert.fail("no epoch");
  fold.at += 1_000;
  fold.report(attempt.agent, {
    ...{ kind: "finished", fence: attempt.fence, usedMs: 1_000, ...last },
    ...(best === last ? {} : { best }),
  });
  curves.set(trial.trial, [...(curves.get(trial.trial) ?? []), ...epochs]);
}

let curves = new Map<string, { resource: number; digest: string; metrics: Record<string, number> }[]>();

function opened(change: Change): Fold {
  curves = new Map();
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("box", 2);
  fold.must("sweep-run", { spec: sweepSpec(change) });
  return fold;
}

const stopping = fc.constantFrom<NonNullable<Change["stopping"]>[]>(
  { policy: "none", max: 4 },
  { policy: "asha", min: 1, max: 9, eta: 3 },
  { policy: "median", max: 6, interval: 2, minTrials: 2 },
  { policy: "patience", max: 6, interval: 1, patience: 2, minDelta: 0 },
);
const figures = fc.array(
  fc.integer({ min: 0, max: 8 }).map((step) => step / 8),
  { minLength: 1, maxLength: 9 },
);
const goals = fc.constantFrom<Goal[]>("maximize", "minimize");

test("BEST-1, BEST-2: at every moment the head line, the list and the report name one winner with one value, the best that was measured", () => {
  fc.assert(
    fc.property(
      stopping,
      goals,
      fc.array(figures, { minLength: 3, maxLength: 14 }),
      (stopping, goal, results) => {
        const fold = opened({
          stopping,
          objective: { metric, goal },
          search: { method: "random", trials: 4, seed: 1 },
          register: { model: "best", alias: "champion" },
        });
        const sign = goal === "maximize" ? 1 : -1;
        for (const result of results) {
          const [trial] = fold.running();
          if (trial === undefined) break;
          finish(fold, trial, result, goal);
          const { summary, trials } = viewIn(fold);
          const all = [...curves.values()].flat();
          const reached = Math.max(...all.map((epoch) => sign * (epoch.metrics[metric] ?? Number.NaN)));
          assert.equal(sign * (summary.best?.value ?? Number.NaN), reached);
          assert.equal(trials[0]?.trial, summary.best?.trial);
          assert.equal(trials[0]?.value, summary.best?.value);
          assert.equal(trials[0]?.metrics[metric], summary.best?.value);
          const [, first] = /<tbody><tr data-trial="([^"]+)">/.exec(bestTable(viewIn(fold))) ?? [];
          assert.equal(first, summary.best?.trial);
          const epoch = curves
            .get(summary.best?.trial ?? "")
            ?.find((one) => one.resource === summary.best?.resource);
          assert.equal(epoch?.metrics[metric], summary.best?.value);
          assert.equal(trials[0]?.artifact, epoch?.digest);
        }
        const sweep = sweepIn(fold);
        if (sweep.finishedAt === null) return;
        const [version] = fold.state.models.get("best")?.versions ?? [];
        assert.equal(version?.metrics[metric], sweep.best?.value);
        assert.equal(version?.artifact, viewIn(fold).trials[0]?.artifact);
        // Asked again, the record answers with the same, and it is the same version.
        fold.must("sweep-run", { spec: { ...sweep.spec, name: "again" } });
        const again = viewIn(fold, "s2");
        if (again.summary.counts.reused < again.summary.total) return;
        assert.equal(again.summary.best?.value, sweep.best?.value);
        assert.equal(again.trials[0]?.artifact, version?.artifact);
        assert.equal(fold.state.models.get("best")?.versions.length, 1);
      },
    ),
  );
});

test("BEST-2: with several objectives the newest epoch counts, whose figures belong together", () => {
  const fold = opened({
    stopping: { policy: "none", max: 3 },
    objective: { metric, goal: "maximize" },
    alsoObjectives: [{ metric: "seconds", goal: "minimize" }],
    search: { method: "random", trials: 1, seed: 1 },
  });
  const [trial] = fold.running();
  assert.ok(trial !== undefined);
  const attempt = activeAttempt(trial) ?? assert.fail("it does not run");
  const epoch = (resource: number, value: number) => ({
    ...{
      resource,
      digest: digestOfNumber(resource),
      bytes: 1,
      metrics: { [metric]: value, seconds: resource },
    },
  });
  fold.at += 1_000;
  fold.report("box", {
    ...{ kind: "finished", fence: attempt.fence, usedMs: 1_000, ...epoch(3, 0.2), best: epoch(1, 0.9) },
  });
  assert.equal(fold.trial("s1-1").value, 0.2);
  assert.equal(viewIn(fold).trials[0]?.artifact, digestOfNumber(3));
});

test("BEST-2: a best epoch said with a checkpoint on the way survives the loss of its agent", () => {
  const fold = opened({
    stopping: { policy: "none", max: 5 },
    search: { method: "random", trials: 1, seed: 1 },
  });
  const [trial] = fold.running();
  const attempt = activeAttempt(trial ?? assert.fail("nothing runs")) ?? assert.fail("it does not run");
  const epoch = (resource: number, value: number) => ({
    ...{ resource, digest: digestOfNumber(resource), bytes: 1, metrics: { [metric]: value } },
  });
  fold.at += 1_000;
  fold.report("box", {
    ...{ kind: "checkpoint", fence: attempt.fence, usedMs: 900, ...epoch(3, 0.4), best: epoch(2, 0.8) },
  });
  fold.report("box", {
    ...{ kind: "stopped", why: "drain", fence: attempt.fence, usedMs: 900, ...epoch(3, 0.4) },
  });
  const [again] = fold.running();
  finish(fold, again ?? assert.fail("it does not go on"), [0.3, 0.5], "maximize");
  assert.equal(sweepIn(fold).best?.value, 0.8);
  assert.equal(viewIn(fold).trials[0]?.artifact, digestOfNumber(2));
});

test("BEST-3: a later attempt adds the test's figures to the best epoch of an earlier one, whose work it stays; other figures change nothing", () => {
  for (const { value, changed } of [
    { value: 0.8, changed: true },
    { value: 0.7, changed: false },
  ]) {
    const fold = opened({
      stopping: { policy: "none", max: 5 },
      search: { method: "random", trials: 1, seed: 1 },
    });
    const fenceIn = () => (activeAttempt(fold.trial("s1-1")) ?? assert.fail("it does not run")).fence;
    const epoch = (resource: number, score: number, digest = resource) => ({
      ...{ resource, digest: digestOfNumber(digest), bytes: 1, metrics: { [metric]: score } },
    });
    const first = fenceIn();
    fold.at += 1_000;
    fold.report("box", {
      ...{ kind: "stopped", why: "drain", fence: first, usedMs: 900, ...epoch(3, 0.4), best: epoch(2, 0.8) },
    });
    const again = fenceIn();
    fold.at += 1_000;
    const tested = epoch(2, value, 20);
    const best = { ...tested, metrics: { ...tested.metrics, testAccuracy: 0.75 } };
    fold.report("box", { kind: "finished", fence: again, usedMs: 900, ...epoch(5, 0.5), best });
    const kept = fold.trial("s1-1").best;
    assert.deepEqual([kept?.value, kept?.fence], [0.8, first]);
    assert.equal(kept?.digest, digestOfNumber(changed ? 20 : 2));
    assert.equal(kept?.metrics["testAccuracy"], changed ? 0.75 : undefined);
  }
});

const alias = "champion";

function registers(fold: Fold, who: string, value: number, register: object, change: Change = {}): string {
  const seed = fold.state.sweeps.size + 1;
  const spec = sweepSpec({
    search: { method: "random", trials: 1, seed },
    stopping: { policy: "none", max: 1 },
    register: { model: "lang", alias, ...register },
    ...change,
  });
  fold.must("sweep-run", { spec }, who, "requester");
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, value);
  return `s${fold.state.sweeps.size}`;
}

test("REG-6: whoever sweeps what in whatever order, the alias moves to a better version only, or as asked, and never off another's", () => {
  const step = fc.record({
    who: fc.constantFrom("ada", "bob"),
    value: fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
    move: fc.constantFrom({}, { move: "if-better" as const }, { move: "always" as const }),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
      const fold = new Fold();
      for (const who of ["ada", "bob"]) fold.open(who, 1_000_000);
      fold.join("box", 2);
      for (const { move, value, who } of steps) {
        const before = fold.state.models.get("lang");
        const at = before?.aliases[alias];
        const known = at === undefined ? undefined : before?.versions[at - 1];
        const versions = before?.versions.length ?? 0;
        const id = registers(fold, who, value, move);
        const model = fold.state.models.get("lang") ?? assert.fail("no model");
        assert.equal(model.versions.length, versions + 1, "it is registered all the same");
        const moves =
          known === undefined ||
          (known.requester === who &&
            ("move" in move && move.move === "always" ? true : value > (known.metrics[metric] ?? 0)));
        assert.equal(model.aliases[alias], moves ? versions + 1 : at);
        const said = registeredText(viewIn(fold, id).summary);
        if (moves) assert.match(said, /champion points to it$/);
        else
          assert.match(
            said,
            new RegExp(
              `stays at version ${at}, for .+; \`trialmesh model promote lang@${versions + 1} champion\` moves it$`,
            ),
          );
      }
    }),
    { numRuns: 60 },
  );
});

test("REG-6: a requester's repeat of another's sweep, answered from the record, moves nothing", () => {
  const fold = new Fold();
  for (const who of ["ada", "bob"]) fold.open(who, 1_000_000);
  fold.join("box", 2);
  const search = { method: "random", trials: 1, seed: 7 } as const;
  registers(fold, "ada", 0.5, {}, { search });
  registers(fold, "ada", 0.9, {});
  registers(fold, "bob", 0.1, { move: "always" }, { search });
  const model = fold.state.models.get("lang");
  assert.equal(model?.versions.length, 2);
  assert.equal(model?.aliases[alias], 2);
  assert.match(
    registeredText(viewIn(fold, "s3").summary),
    /^lang@1; lang@champion stays at version 2, for ada registered/,
  );
});

test("REG-6: figures of other data do not move an alias", () => {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("box", 2);
  const dataset = (digest: string) => ({
    ...{ name: "toy", digest: digest.repeat(64), bytes: 9, rows: { train: 10, validation: 1, test: 1 } },
  });
  registers(fold, "ada", 0.5, {}, { dataset: dataset("a") });
  registers(fold, "ada", 0.9, {}, { dataset: dataset("b") });
  assert.equal(fold.state.models.get("lang")?.aliases[alias], 1);
  registers(fold, "ada", 0.6, {}, { dataset: dataset("a") });
  assert.equal(fold.state.models.get("lang")?.aliases[alias], 3);
});

test("REG-7: a file with several data sets registers each one's winner under a name of its own", () => {
  const text = `name: both
task: text-classification
datasets: [language-id, ag-news]
objective: { metric: accuracy }
search: { method: grid, trials: 1 }
stopping: { policy: none, max: 1 }
models: { linear: { lr: 0.3 } }
register: { model: tongues, alias: champion }
`;
  const read = readSweepFile({ file: "both.yaml", text, environment: {}, models, codeVersion: "test" });
  assert.ok(read.ok, JSON.stringify(read));
  assert.deepEqual(
    read.plans.map((plan) => plan.spec(null).register),
    [
      { model: "tongues-language-id", alias },
      { model: "tongues-ag-news", alias },
    ],
  );
});
