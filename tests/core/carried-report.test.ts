/** What the core makes of reports whose checkpoints came with them: where the bytes lie is a fact of the journal. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { wantedOf } from "../../coordinator/core/decide-report.ts";
import { activeAttempt, type Trial } from "../../coordinator/state/state.ts";
import type { PackPlaces } from "../../coordinator/state/input.ts";
import type { Report } from "../../protocol/report.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";

function started(trials: number, agents = 1): Fold {
  const fold = new Fold();
  fold.open("ada", 100_000);
  for (let agent = 1; agent <= agents; agent++) fold.join(`agent-${agent}`, trials);
  const spec = sweepSpec({
    search: { method: "random", trials, seed: 1 },
    stopping: { policy: "none", max: 4 },
  });
  fold.must("sweep-run", { spec });
  return fold;
}

function keptReport(trial: Trial, kind: "checkpoint" | "finished", digest: string, resource: number): Report {
  const { fence = 0 } = activeAttempt(trial) ?? {};
  return { kind, fence, resource, digest, bytes: 10, metrics: { accuracy: 0.5 }, usedMs: 10 };
}

test("PACK-2: the event says in which pack a checkpoint lies, and the state finds it, after a replay and from the store", () => {
  const steps = fc.array(
    fc.record({
      trial: fc.nat(5),
      digest: fc.nat(12),
      pack: fc.option(fc.integer({ min: 1, max: 6 }), { nil: null }),
    }),
    { minLength: 1, maxLength: 25 },
  );
  fc.assert(
    fc.property(steps, (all) => {
      const fold = started(6);
      const expected = new Map<string, number>();
      for (const { digest: number, pack, trial: index } of all) {
        const trial = fold.running()[index % Math.max(1, fold.running().length)];
        if (trial === undefined) break;
        const digest = digestOfNumber(number);
        const resource = (trial.checkpoint?.resource ?? 0) + 1;
        const report = keptReport(trial, resource === 4 ? "finished" : "checkpoint", digest, resource);
        const agent = activeAttempt(trial)?.agent ?? "";
        assert.deepEqual(wantedOf(fold.state, agent, report), expected.has(digest) ? [] : [digest]);
        const packs: PackPlaces = pack === null ? new Map() : new Map([[digest, pack]]);
        fold.at += 100;
        fold.do({ kind: "report", agent, report, packs });
        if (pack !== null && !expected.has(digest)) expected.set(digest, pack);
      }
      assert.deepEqual(fold.state.packed, expected, "each lies where it first came");
      assertSameEverywhere(fold);
    }),
    { numRuns: 60 },
  );
});

test("PACK-2: the best epoch's checkpoint, which came beside the newest, is found too", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("one", 1);
  const spec = sweepSpec({
    search: { method: "random", trials: 1, seed: 1 },
    stopping: { policy: "none", max: 4 },
  });
  fold.must("sweep-run", { spec });
  const [trial] = fold.running();
  assert.ok(trial !== undefined);
  const [newest, best] = [digestOfNumber(1), digestOfNumber(2)];
  const finished = keptReport(trial, "finished", newest, 4);
  assert.ok(finished.kind === "finished");
  const report: Report = {
    ...finished,
    best: { resource: 2, digest: best, bytes: 10, metrics: { accuracy: 0.9 } },
  };
  fold.at += 100;
  assert.deepEqual(wantedOf(fold.state, "one", report), [newest, best]);
  fold.do({
    kind: "report",
    agent: "one",
    report,
    packs: new Map([
      [newest, 7],
      [best, 8],
    ]),
  });
  assert.deepEqual(
    [...fold.state.packed],
    [
      [newest, 7],
      [best, 8],
    ],
  );
  assertSameEverywhere(fold);
});

test("PACK-2: of a report that counts for nothing no bytes are wanted, and none are noted", () => {
  const fold = started(1);
  const [trial] = fold.running();
  assert.ok(trial !== undefined);
  const late = keptReport(trial, "checkpoint", digestOfNumber(1), 2);
  fold.at += 100;
  assert.deepEqual(wantedOf(fold.state, "somebody-else", late), [], "of another's attempt");
  fold.do({ kind: "report", agent: "somebody-else", report: late, packs: new Map([[digestOfNumber(1), 3]]) });
  fold.do({ kind: "report", agent: "agent-1", report: late });
  const before = keptReport(trial, "checkpoint", digestOfNumber(2), 1);
  assert.deepEqual(wantedOf(fold.state, "agent-1", before), [], "of an epoch before the one that was kept");
  fold.do({ kind: "report", agent: "agent-1", report: before, packs: new Map([[digestOfNumber(2), 3]]) });
  assert.deepEqual([fold.state.packs.size, fold.state.packed.size], [0, 0]);
  const unknown = { ...before, fence: 999 };
  assert.deepEqual(wantedOf(fold.state, "agent-1", unknown), [], "of no attempt that there is");
});

test("CARRY-2: an agent whose bytes are not what it says is quarantined, and the trial goes on elsewhere from what was kept", () => {
  const fold = started(1, 2);
  const [trial] = fold.running();
  const liar = activeAttempt(trial ?? assert.fail())?.agent ?? "";
  assert.ok(trial !== undefined);
  fold.at += 100;
  fold.do({
    kind: "report",
    agent: liar,
    report: keptReport(trial, "checkpoint", digestOfNumber(1), 1),
    packs: new Map([[digestOfNumber(1), 3]]),
  });
  const forged = "the bytes are something else";
  // Not what somebody else says of its attempt.
  fold.do({
    kind: "report",
    agent: "somebody-else",
    report: keptReport(trial, "finished", digestOfNumber(2), 4),
    forged,
  });
  assert.equal(activeAttempt(trial)?.agent, liar);
  fold.do({
    kind: "report",
    agent: liar,
    report: keptReport(trial, "finished", digestOfNumber(2), 4),
    forged,
  });
  const first = trial.attempts[0];
  assert.deepEqual([first?.ending, first?.note], ["failed", forged]);
  assert.deepEqual(
    [fold.state.agents.get(liar)?.cordoned, fold.state.agents.get(liar)?.cordonReason],
    [true, forged],
  );
  const next = activeAttempt(trial);
  assert.notEqual(next?.agent, liar);
  assert.deepEqual(next?.from, { resource: 1, digest: digestOfNumber(1) });
  assert.equal(fold.state.packed.has(digestOfNumber(2)), false);
  assertSameEverywhere(fold);
});
