/** What becomes of a trial whose machine lacks what its program needs, of that machine, and of who pays. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { apply } from "../../coordinator/core/apply.ts";
import { eventSchema } from "../../coordinator/format/event.ts";
import { activeAttempt, emptyState, type Trial } from "../../coordinator/state/state.ts";
import { mismatchesOf } from "../../coordinator/placement/feasible.ts";
import { explainMismatch } from "../../protocol/match.ts";
import { capability, Fold, sweepSpec } from "../support/fold.ts";
import { stateText } from "../support/state-text.ts";

const yaml = 'the Python module "yaml"';
const xgboost = 'the Python module "xgboost"';

function started(agents: readonly string[], trials: number): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  for (const agent of agents) fold.join(agent, 1);
  fold.must("sweep-run", { spec: sweepSpec({ search: { method: "random", trials, seed: 1 } }) });
  return fold;
}

/** Its attempt ends because its machine lacks that. */
function lack(fold: Fold, trial: Trial, lacks = yaml, usedMs = 40): void {
  const attempt = activeAttempt(trial);
  assert.ok(attempt !== null);
  const reason = `the program of trial ${trial.trial} ended with code 1: ModuleNotFoundError`;
  fold.at += usedMs;
  fold.report(attempt.agent, {
    kind: "failed",
    fence: attempt.fence,
    reason,
    retryable: true,
    usedMs,
    lacks,
  });
}

/** Runs all that is to run: `needs` says what of a machine's lacks a trial on it meets, null for none. */
function runAll(fold: Fold, needs: (trial: Trial, agent: string) => string | null): void {
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const what = needs(trial, activeAttempt(trial)?.agent ?? "");
    if (what === null) fold.finish(trial, 0.5);
    else lack(fold, trial, what);
  }
}

const states = (fold: Fold) => [...fold.state.trials.values()].map(({ state }) => state);
const startsOn = (fold: Fold, agent: string) =>
  [...fold.state.trials.values()].flatMap(({ attempts }) => attempts.filter((one) => one.agent === agent));

test("LACK-1: what one machine lacks is found there once: all trials complete elsewhere, and none has failed", () => {
  const fold = started(["bare", "full"], 12);
  runAll(fold, (_, agent) => (agent === "bare" ? yaml : null));
  assert.deepEqual(new Set(states(fold)), new Set(["completed"]));
  assert.equal(startsOn(fold, "bare").length, 1);
  assert.ok([...fold.state.trials.values()].every(({ retries }) => retries === 0));
  const [agent, sweep] = [fold.state.agents.get("bare"), fold.state.sweeps.get("s1")];
  assert.ok(agent !== undefined && sweep !== undefined);
  assert.deepEqual(mismatchesOf(agent, sweep, "alpha").map(explainMismatch), [`it lacks ${yaml}`]);
});

test("LACK-1: a new run of the agent, or other packages there, may try again; a mere return may not", () => {
  for (const [again, expected] of [
    ["the same", 0],
    ["restarted", 1],
    ["installed", 1],
  ] as const) {
    const fold = started(["bare", "full"], 40);
    const first = fold.running().find((trial) => activeAttempt(trial)?.agent === "bare");
    assert.ok(first !== undefined);
    lack(fold, first);
    const before = startsOn(fold, "bare").length;
    if (again === "installed") fold.joinWith("bare", 1, { ...capability(), environment: "with yaml" });
    else fold.join("bare", 1, undefined, again === "restarted" ? "bare-2" : "bare-1");
    const next = fold.running().find((trial) => activeAttempt(trial)?.agent === "full");
    assert.ok(next !== undefined);
    fold.finish(next, 0.5);
    assert.equal(startsOn(fold, "bare").length - before, expected, again);
  }
});

test("LACK-1: what an attempt lacked before something was installed there says nothing of the machine as it is now", () => {
  const fold = started(["bare"], 3);
  const [first] = fold.running();
  assert.ok(first !== undefined);
  const others = fold.command("sweep-run", { spec: sweepSpec({ name: "other", trialSeed: 2 }) });
  assert.ok(others.ok);
  fold.joinWith("bare", 1, { ...capability(), environment: "with yaml" });
  lack(fold, first);
  const [agent, sweep] = [fold.state.agents.get("bare"), fold.state.sweeps.get("s1")];
  assert.ok(agent !== undefined && sweep !== undefined);
  assert.deepEqual(mismatchesOf(agent, sweep, "alpha"), []);
  // It is tried again as things are now, and a lack met now counts.
  runAll(fold, (trial) => (trial.sweep === "s1" && trial.number === 2 ? xgboost : null));
  assert.equal(fold.trial("s1-1").state, "completed");
  assert.equal(fold.trial("s1-2").state, "failed");
  assert.deepEqual(mismatchesOf(agent, sweep, "alpha").map(explainMismatch), [`it lacks ${xgboost}`]);
});

test("LACK-2: where every machine that fits lacks it, the trial fails at once and names it and them", () => {
  for (const agents of [["box"], ["box", "attic"], ["box", "attic", "tower"]]) {
    const fold = started(agents, 5);
    runAll(fold, () => yaml);
    assert.deepEqual(new Set(states(fold)), new Set(["failed"]));
    const failure = fold.trial("s1-1").failure ?? "";
    for (const agent of agents) assert.ok(failure.includes(agent), `${failure} names ${agent}`);
    assert.match(failure, /^no agent that fits has what it needs: the Python module "yaml" is missing on /);
    // Once each to find out, and once for each trial after that, which may need nothing of it.
    const starts = [...fold.state.trials.values()].reduce((sum, { attempts }) => sum + attempts.length, 0);
    assert.ok(starts <= agents.length + 5, `${starts} starts`);
  }
});

test("LACK-2: a trial that needs nothing of what is missing everywhere is trained all the same", () => {
  const fold = started(["box"], 10);
  runAll(fold, (trial) => (trial.number % 2 === 0 ? 'the Python module "xgboost"' : null));
  for (const trial of fold.state.trials.values())
    assert.equal(trial.state, trial.number % 2 === 0 ? "failed" : "completed");
});

test("LACK-2: an agent that fits and is away is waited for", () => {
  const fold = started(["bare", "laptop"], 3);
  const away = fold.running().find((trial) => activeAttempt(trial)?.agent === "laptop");
  assert.ok(away !== undefined);
  fold.finish(away, 0.5);
  fold.do({ kind: "silent", agent: "laptop" });
  const here = fold.running().find((trial) => activeAttempt(trial)?.agent === "bare");
  assert.ok(here !== undefined);
  lack(fold, here);
  assert.equal(fold.trial(here.trial).state, "queued");
  assert.equal(startsOn(fold, "bare").length, 1);
  fold.join("laptop", 1);
  runAll(fold, (_, agent) => (agent === "bare" ? yaml : null));
  assert.deepEqual(new Set(states(fold)), new Set(["completed"]));
});

test("LACK-3: a mark is of one sweep: another sweep is placed there, and the machine is not quarantined for it", () => {
  const fold = started(["bare", "full"], 6);
  for (let sweep = 2; sweep <= 6; sweep++)
    fold.must("sweep-run", {
      spec: sweepSpec({
        name: `s${sweep}`,
        trialSeed: sweep,
        search: { method: "random", trials: 6, seed: 1 },
      }),
    });
  runAll(fold, (trial, agent) => (agent === "bare" && trial.sweep !== "s6" ? yaml : null));
  assert.deepEqual(new Set(states(fold)), new Set(["completed"]));
  assert.equal(fold.state.agents.get("bare")?.cordoned, false);
  assert.ok(startsOn(fold, "bare").some(({ ending }) => ending === "finished"));
});

test("LACK-4: a start on a machine that cannot costs nothing; a minute of work before it misses something does", () => {
  for (const [usedMs, isFree] of [
    [40, true],
    [60_000, true],
    [60_001, false],
  ] as const) {
    const fold = started(["bare"], 1);
    for (let ms = 0; ms < usedMs; ms += 5_000) {
      fold.at += 5_000;
      fold.heartbeat("bare", ms + 5_000);
    }
    fold.at -= usedMs;
    lack(fold, fold.trial("s1-1"), yaml, usedMs);
    assert.equal(fold.trial("s1-1").spent === 0, isFree, `${usedMs} ms`);
  }
});

test("LACK-1, LACK-2: whatever each machine lacks, each trial that some machine can run completes, and the rest fail", () => {
  const whats = ["a", "b", "c"];
  const machine = fc.subarray(whats);
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 1, maxLength: 4 }),
      fc.array(fc.subarray(whats), { minLength: 1, maxLength: 6 }),
      (machines, needs) => {
        const fold = started(
          machines.map((_, index) => `m${index}`),
          needs.length,
        );
        const missing = (trial: Trial, agent: string) =>
          (needs[trial.number - 1] ?? []).find((what) => machines[Number(agent.slice(1))]?.includes(what)) ??
          null;
        runAll(fold, missing);
        for (const trial of fold.state.trials.values()) {
          const can = machines.some((_, index) => missing(trial, `m${index}`) === null);
          assert.ok(!can || trial.state === "completed", `${trial.trial} is ${trial.state}`);
          assert.ok(can || trial.state === "failed", `${trial.trial} is ${trial.state}`);
        }
        const again = emptyState();
        for (const { at, event } of fold.events)
          apply(again, eventSchema.parse(JSON.parse(JSON.stringify(event))), at);
        assert.equal(stateText(again), stateText(fold.state));
      },
    ),
    { numRuns: 60 },
  );
});
