/**
 * The same sweep again: every method, every way to judge, agents of other speeds and numbers, results in another order, failures,
 * restarts, stops. Values follow from parameters and epochs alone, as those of a trial that is the same work do.
 */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Sweep, Trial } from "../../coordinator/state/state.ts";
import { activeAttempt, mustGet } from "../../coordinator/state/state.ts";
import { canonicalText } from "../../coordinator/state/trial-key.ts";
import { fnv1a } from "../../numeric/fnv.ts";
import { randomStream, type RandomStream } from "../../search/space/random-stream.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

const methods = ["auto", "grid", "random", "sobol", "tpe", "gp", "cma-es", "pbt", "nsga-ii"] as const;
const stoppings = [
  { policy: "none", max: 3 },
  { policy: "asha", min: 1, max: 9, eta: 3 },
  { policy: "hyperband", min: 1, max: 9, eta: 3 },
  { policy: "median", max: 4, interval: 1, minTrials: 2 },
  { policy: "patience", max: 5, interval: 1, patience: 2, minDelta: 0 },
] as const;

const shape = fc.record({
  method: fc.constantFrom(...methods),
  stopping: fc.constantFrom(...stoppings),
  trials: fc.integer({ min: 2, max: 12 }),
  seed: fc.nat(1_000),
  models: fc.constantFrom(1, 2),
  slots: fc.integer({ min: 1, max: 4 }),
  slotsThen: fc.integer({ min: 1, max: 4 }),
  failing: fc.constantFrom(0, 5, 3),
  lost: fc.constantFrom(0, 0.15),
  order: fc.nat(),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function specOf(
  { method, models, seed, stopping, trials }: Shape,
  change: Partial<SweepSpec> = {},
): SweepSpec {
  const grid = { distribution: "choice" as const, values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] };
  const space =
    method === "grid"
      ? { lr: grid }
      : {
          lr: { distribution: "uniform" as const, min: 0, max: 1 },
          width: { distribution: "int" as const, min: 1, max: 64 },
        };
  // It needs every parameter in every trial, which several models do not have.
  const names = ["alpha", "beta"].slice(0, method === "cma-es" ? 1 : models);
  return {
    ...sweepSpec({
      search: { method, trials, seed },
      stopping,
      models: names.map((model) => ({ model, space })),
    }),
    ...change,
  };
}

function hashOf(trial: Trial): number {
  return fnv1a(JSON.stringify([trial.model, canonicalText(trial.params)]));
}

function valueOf(trial: Trial, resource: number): number {
  return ((hashOf(trial) % 997) / 997) * (1 - 1 / (resource + 1));
}

interface Fate {
  readonly random: RandomStream;
  /** One in so many parameters makes the program fail; 0: none. */
  readonly failing: number;
  /** Share of attempts that are lost. */
  readonly lost: number;
  /** Whether to go on. */
  readonly goesOn?: () => boolean;
}

/** Runs everything to its end, in an order of chance. */
function runOut(fold: Fold, { failing, goesOn = () => true, lost, random }: Fate): void {
  let restarts = 0;
  while (fold.running().length > 0 && goesOn()) {
    const running = fold.running();
    const trial = running[Math.floor(random.next() * running.length)];
    assert.ok(trial !== undefined);
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    if (random.next() < lost && trial.retries < fold.settings.retriesMax) {
      const { capability, policy } = mustGet(fold.state.agents, attempt.agent, "agent");
      const incarnation = `${attempt.agent}-again-${++restarts}-${fold.at}`;
      fold.at += 100;
      fold.do({ kind: "register", agent: attempt.agent, register: { incarnation, capability, policy } });
    } else if (failing > 0 && hashOf(trial) % failing === 0) {
      fold.at = Math.max(fold.at, attempt.at + 700);
      const { fence } = attempt;
      fold.report(attempt.agent, {
        kind: "failed",
        fence,
        reason: "exit 1: no",
        retryable: false,
        usedMs: 600,
      });
    } else fold.finish(trial, valueOf(trial, attempt.target), 500 + Math.floor(random.next() * 3_000));
  }
}

function meshOf(shape: Shape): Fold {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("slow", shape.slots, { alpha: 0.4, beta: 0.5 });
  fold.join("fast", shape.slotsThen, { alpha: 2, beta: 3 });
  return fold;
}

function outcomesOf(fold: Fold, sweep: string) {
  return [...fold.state.trials.values()]
    .filter((trial) => trial.sweep === sweep)
    .map(({ model, number, params, rungs, state, value }) => ({
      model,
      number,
      params,
      rungs,
      state,
      value,
    }));
}

function sweepOf(fold: Fold, sweep: string): Sweep {
  return mustGet(fold.state.sweeps, sweep, "sweep");
}

/** A failure is told only where the machine has shown that it can. */
function isAnswered(fold: Fold, sweep: string): boolean {
  const trials = [...fold.state.trials.values()].filter((trial) => trial.sweep === sweep);
  const finished = new Set(
    trials.flatMap(({ attempts, model }) =>
      attempts.flatMap(({ agent, ending }) => (ending === "finished" ? [`${model}/${agent}`] : [])),
    ),
  );
  return trials.every(({ attempts, model, state }) => {
    const last = attempts.at(-1);
    return state !== "failed" || (last?.ending === "failed" && finished.has(`${model}/${last.agent}`));
  });
}

test("REUSE-4: the same sweep again costs nothing and ends the same, the third time too, whatever happened in the first", () => {
  let answered = 0;
  fc.assert(
    fc.property(shape, (one) => {
      const fold = meshOf(one);
      const random = randomStream(one.order, "again", 0);
      const fate = { random, failing: one.failing, lost: one.lost };
      fold.must("sweep-run", { spec: specOf(one) });
      runOut(fold, fate);
      assert.equal(sweepOf(fold, "s1").state, "done");
      if (!isAnswered(fold, "s1")) return;
      answered++;
      const posted = fold.state.accounts.get("ada")?.posted;
      // Another machine, and neither of those that were there.
      fold.join("other", 2, { alpha: 1, beta: 1 });
      for (const again of ["s2", "s3"]) {
        fold.must("sweep-run", { spec: specOf(one, { name: again, weight: 2 }) });
        assert.equal(fold.running().length, 0);
        assert.equal(sweepOf(fold, again).state, "done");
        assert.equal(sweepOf(fold, again).spent, 0);
        assert.deepEqual(outcomesOf(fold, again), outcomesOf(fold, "s1"));
        assert.equal(sweepOf(fold, again).best?.value, sweepOf(fold, "s1").best?.value);
        const cost = [...fold.state.trials.values()].filter(({ sweep }) => sweep === "s1");
        assert.equal(
          sweepOf(fold, again).savedByReuse,
          cost.reduce((sum, { spent }) => sum + spent, 0),
        );
      }
      assert.equal(fold.state.accounts.get("ada")?.posted, posted);
    }),
    { numRuns: 150 },
  );
  assert.ok(answered > 75, `${answered} of them could be answered in full`);
});

test("REUSE-4: a sweep that was stopped goes on where it was, and the third time costs nothing", () => {
  fc.assert(
    fc.property(shape, fc.integer({ min: 1, max: 12 }), (one, steps) => {
      const fold = meshOf(one);
      const random = randomStream(one.order, "again", 0);
      let left = steps;
      fold.must("sweep-run", { spec: specOf(one) });
      runOut(fold, { random, failing: 0, lost: one.lost, goesOn: () => left-- > 0 });
      if (sweepOf(fold, "s1").finishedAt === null) fold.must("sweep-stop", { sweep: "s1" });
      for (const trial of fold.running()) {
        const fence = activeAttempt(trial)?.fence ?? 0;
        const nothing = {
          resource: trial.checkpoint?.resource ?? 0,
          digest: null,
          bytes: 0,
          metrics: {},
          usedMs: 0,
        };
        fold.report(activeAttempt(trial)?.agent ?? "", {
          kind: "stopped",
          fence,
          ...nothing,
          why: "cancelled",
        });
      }
      const first = outcomesOf(fold, "s1");
      const paid = new Set(
        first.filter(({ state }) => state === "completed" || state === "stopped").map(({ number }) => number),
      );
      fold.must("sweep-run", { spec: specOf(one) });
      runOut(fold, { random, failing: 0, lost: 0 });
      assert.equal(sweepOf(fold, "s2").state, "done");
      const second = outcomesOf(fold, "s2");
      assert.deepEqual(
        second.slice(0, first.length).map(({ params }) => params),
        first.map(({ params }) => params),
      );
      for (const trial of fold.state.trials.values()) {
        if (trial.sweep !== "s2") continue;
        if (paid.has(trial.number)) assert.equal(trial.spent, 0, `${trial.trial} was paid before`);
      }
      fold.must("sweep-run", { spec: specOf(one) });
      assert.equal(sweepOf(fold, "s3").state, "done");
      assert.equal(sweepOf(fold, "s3").spent, 0);
      assert.deepEqual(outcomesOf(fold, "s3"), second);
    }),
    { numRuns: 100 },
  );
});

test("REUSE-4: with more trials the search goes on where the record ends; with fewer nothing is run", () => {
  fc.assert(
    fc.property(shape, (one) => {
      fc.pre(one.method !== "grid");
      const fold = meshOf(one);
      const random = randomStream(one.order, "again", 0);
      const fate = { random, failing: 0, lost: 0 };
      fold.must("sweep-run", { spec: specOf(one) });
      runOut(fold, fate);
      fold.must("sweep-run", { spec: specOf({ ...one, trials: one.trials + 3 }) });
      runOut(fold, fate);
      const [first, more] = [outcomesOf(fold, "s1"), outcomesOf(fold, "s2")];
      assert.equal(more.length, one.trials + 3);
      assert.deepEqual(
        more.slice(0, first.length).map(({ params }) => params),
        first.map(({ params }) => params),
      );
      assert.equal(sweepOf(fold, "s2").reused, one.trials);
      assert.equal(
        new Set(more.map(({ model, params }) => JSON.stringify([model, params]))).size,
        more.length,
      );
      fold.must("sweep-run", { spec: specOf({ ...one, trials: one.trials - 1 }) });
      assert.equal(sweepOf(fold, "s3").spent, 0);
      assert.equal(fold.running().length, 0);
    }),
    { numRuns: 60 },
  );
});

test("REUSE-4: another seed, space, method or code is another sweep; reuse: off asks anew", () => {
  const one: Shape = {
    ...{ method: "tpe", stopping: stoppings[0], trials: 5, seed: 4, models: 1, slots: 2, slotsThen: 1 },
    ...{ failing: 0, lost: 0, order: 3 },
  };
  const fold = meshOf(one);
  const fate = { random: randomStream(3, "again", 0), failing: 0, lost: 0 };
  fold.must("sweep-run", { spec: specOf(one) });
  runOut(fold, fate);
  const others: SweepSpec[] = [
    specOf({ ...one, seed: 5 }),
    specOf({ ...one, method: "gp" }),
    specOf({ ...one, models: 2 }),
    specOf({ ...one, stopping: stoppings[1] }),
    specOf(one, { codeVersion: "other" }),
    specOf(one, { trialSeed: 9 }),
    specOf(one, { reuse: false }),
  ];
  for (const spec of others) {
    fold.must("sweep-run", { spec });
    const sweep = [...fold.state.sweeps.values()].at(-1);
    assert.equal(sweep?.repeats, undefined);
    runOut(fold, fate);
    assert.ok((sweep?.spent ?? 0) > 0);
  }
  // The order in which a file names its parameters says nothing.
  const [model] = specOf(one).models;
  assert.ok(model !== undefined);
  const space = Object.fromEntries(Object.entries(model.space).toReversed());
  fold.must("sweep-run", { spec: specOf(one, { models: [{ ...model, space }] }) });
  assert.equal([...fold.state.sweeps.values()].at(-1)?.repeats, "s1");
});

test("REUSE-4: a sweep that ended at its target ends there again, though others ran then", () => {
  const stopping = { policy: "none" as const, max: 3, target: 0.7 };
  for (const method of methods) {
    const one: Shape = {
      ...{ method, stopping: stoppings[0], trials: 12, seed: 2, models: 1, slots: 3, slotsThen: 3 },
      ...{ failing: 0, lost: 0, order: 5 },
    };
    const fold = meshOf(one);
    fold.must("sweep-run", { spec: specOf(one, { stopping }) });
    // The first finished trial has what the sweep is after, and it is not the first of the sweep.
    const last = fold.running().at(-1);
    assert.ok(last !== undefined && last.number > 1);
    fold.finish(last, 0.9);
    for (const trial of fold.running()) {
      const attempt = activeAttempt(trial);
      assert.ok(attempt !== null);
      const nothing = { resource: 0, digest: null, bytes: 0, metrics: {}, usedMs: 100 };
      fold.report(attempt.agent, { kind: "stopped", fence: attempt.fence, ...nothing, why: "cancelled" });
    }
    assert.equal(sweepOf(fold, "s1").state, "done");
    fold.must("sweep-run", { spec: specOf(one, { stopping }) });
    assert.equal(sweepOf(fold, "s2").state, "done", method);
    assert.equal(sweepOf(fold, "s2").spent, 0);
    assert.equal(sweepOf(fold, "s2").best?.value, 0.9);
    assert.equal(fold.running().length, 0);
  }
});

test("REUSE-5: a failure is told only where its machine finished another of the model, and tried again elsewhere", () => {
  const one: Shape = {
    ...{ method: "random", stopping: stoppings[0], trials: 4, seed: 4, models: 1, slots: 1, slotsThen: 1 },
    ...{ failing: 0, lost: 0, order: 3 },
  };
  const fold = meshOf(one);
  const fail = () => {
    for (const trial of fold.running()) {
      const attempt = activeAttempt(trial);
      assert.ok(attempt !== null);
      const why = { reason: "No module named torch", retryable: false, usedMs: 200 };
      fold.report(attempt.agent, { kind: "failed", fence: attempt.fence, ...why });
    }
  };
  fold.must("sweep-run", { spec: specOf(one) });
  while (fold.running().length > 0) fail();
  assert.equal(sweepOf(fold, "s1").counts.failed, 4);
  fold.must("sweep-run", { spec: specOf(one) });
  assert.ok(fold.running().length > 0, "all failed: tried again");
  const [first] = fold.running();
  assert.ok(first !== undefined);
  const failing = activeAttempt(first)?.agent;
  fail();
  const random = randomStream(3, "again", 0);
  runOut(fold, { random, failing: 0, lost: 0 });
  assert.equal(sweepOf(fold, "s2").state, "done");
  fold.must("sweep-run", { spec: specOf(one) });
  const told = outcomesOf(fold, "s3").filter(({ state }) => state === "failed");
  const finishers = new Set(
    [...fold.state.trials.values()].flatMap(({ attempts }) =>
      attempts.filter(({ ending }) => ending === "finished").map(({ agent }) => agent),
    ),
  );
  assert.ok(finishers.has(failing ?? ""));
  assert.ok(told.length > 0);
  const failure = fold.trial(`s3-${told[0]?.number}`).failure ?? "";
  assert.match(failure, /^failed as s2-\d did: No module named torch$/u);
});
