/** What an agent gets that fails what others pass, and a trial that fails as it did before. */
import assert from "node:assert/strict";
import test from "node:test";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";
import { fixtureCommand } from "../support/program-job.ts";

function started(agents: readonly string[], trials: number): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  for (const agent of agents) fold.join(agent, 1);
  fold.must("sweep-run", { spec: sweepSpec({ search: { method: "random", trials, seed: 1 } }) });
  return fold;
}

/** Every attempt on `bad` fails, every other one finishes, until nothing runs. */
function runAll(fold: Fold, bad: string, reasonOf: (trial: string) => string): void {
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    if (attempt.agent === bad) {
      const reason = reasonOf(trial.trial);
      fold.report(bad, { kind: "failed", fence: attempt.fence, reason, retryable: true, usedMs: 10 });
    } else fold.finish(trial, 0.5);
  }
}

test("ASIDE-1: an agent that fails three trials in a row which others finish is quarantined with the reason", () => {
  const fold = started(["bad", "good"], 12);
  runAll(fold, "bad", () => "no space left on device");
  const bad = fold.state.agents.get("bad");
  assert.ok(bad?.cordoned === true);
  assert.match(
    bad.cordonReason ?? "",
    /^it failed 3 trials in a row that others then finished; the last on it: no space left on device$/,
  );
  assert.equal(fold.of("AgentCordoned").length, 1);
  const failedThere = [...fold.state.trials.values()].filter(({ attempts }) =>
    attempts.some(({ agent, ending }) => agent === "bad" && ending === "failed"),
  );
  assert.ok(failedThere.length < 12, "nothing new was placed there");
  for (const trial of fold.state.trials.values()) assert.equal(trial.state, "completed");
});

test("ASIDE-2: a success of its own in between counts for it, and so does whoever lets it work again", () => {
  const fold = started(["flaky", "good"], 20);
  let turn = 0;
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    if (attempt.agent === "flaky" && ++turn % 3 !== 0)
      fold.report("flaky", {
        kind: "failed",
        fence: attempt.fence,
        reason: `mishap ${turn}`,
        retryable: true,
        usedMs: 1,
      });
    else fold.finish(trial, 0.5);
  }
  assert.ok(turn > 6);
  assert.equal(fold.state.agents.get("flaky")?.cordoned, false);

  const aside = started(["bad", "good"], 12);
  runAll(aside, "bad", () => "no space left on device");
  aside.must("agent-cordon", { agent: "bad", cordon: false });
  const bad = aside.state.agents.get("bad");
  assert.deepEqual([bad?.cordoned, bad?.cordonReason, bad?.contradicted], [false, null, 0]);
});

test("ASIDE-3: trials that fail everywhere speak against nobody", () => {
  const fold = started(["one", "two"], 8);
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    const reason = `crash ${attempt.fence}`;
    fold.report(attempt.agent, { kind: "failed", fence: attempt.fence, reason, retryable: true, usedMs: 1 });
  }
  for (const agent of fold.state.agents.values()) assert.equal(agent.cordoned, false);
});

test("RETRY-1: what fails for the very same reason again, with no other agent to try, is not tried a third time", () => {
  const fold = started(["box"], 1);
  for (let count = 0; count < 2; count++) {
    const trial = fold.trial("s1-1");
    const fence = trial.attempts.at(-1)?.fence ?? 0;
    fold.report("box", {
      kind: "failed",
      fence,
      reason: "there is no program julia",
      retryable: true,
      usedMs: 1,
    });
  }
  const { attempts, failure, state } = fold.trial("s1-1");
  assert.deepEqual([state, attempts.length, failure], ["failed", 2, "there is no program julia"]);
});

test("APPROX-1: an attempt that went on from another backend's checkpoint is marked in the trial's record", () => {
  const fold = started(["box"], 1);
  const attempt = fold.trial("s1-1").attempts.at(-1);
  assert.ok(attempt !== undefined);
  const kept = {
    fence: attempt.fence,
    digest: "b".repeat(64),
    bytes: 1,
    metrics: { accuracy: 0.5 },
    usedMs: 1,
  };
  fold.report("box", { kind: "checkpoint", ...kept, resource: 1, approximate: true });
  assert.equal(fold.trial("s1-1").attempts.at(-1)?.approximate, true);
});

test("PROG-34: a program under another task's name, or without its files, is refused at launch", () => {
  const fold = started(["box"], 1);
  const program = { ...fixtureCommand, bundle: digestOfNumber(5) };
  for (const spec of [
    sweepSpec({ program, parts: [program.bundle] }),
    sweepSpec({ task: "command", program }),
    sweepSpec({ task: "command" }),
  ]) {
    const answer = fold.command("sweep-run", { spec });
    assert.ok(!answer.ok);
    assert.match(answer.refusal.message, /and the sweep's program do not belong together$/);
  }
});
