import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { logSpeedOf } from "../../coordinator/placement/pace.ts";
import { withValue } from "../../coordinator/state/log-means.ts";
import { whyViewOf } from "../../coordinator/view/why-answer.ts";
import { sweepWhyViewOf } from "../../coordinator/view/sweep-why-answer.ts";
import { requirementSchema } from "../../protocol/requirement.ts";
import { capability, Fold, sweepSpec } from "../support/fold.ts";

const gpu = { vendor: "NVIDIA", model: "RTX 4090", vramGiB: 24, computeCapability: 8.9 };

function placed(fold: Fold): (string | undefined)[] {
  return fold.running().map((trial) => activeAttempt(trial)?.agent);
}

test("PLACE-1: what is placed fits, whatever machines and needs there are; what is not placed fits nowhere free", () => {
  const machine = fc.record({
    cores: fc.integer({ min: 1, max: 32 }),
    memGiB: fc.integer({ min: 1, max: 64 }),
    os: fc.constantFrom("linux", "darwin", "win32"),
    gpus: fc.constantFrom<(typeof gpu)[]>([], [gpu], [{ ...gpu, vramGiB: 8, computeCapability: 7.5 }]),
  });
  const need = fc.record(
    {
      cores: fc.integer({ min: 1, max: 32 }),
      memGiB: fc.integer({ min: 1, max: 64 }),
      os: fc.constantFrom<string[]>(["linux"], ["darwin", "win32"]),
      gpu: fc.constantFrom({ count: 1 }, { count: 1, vramGiB: 16 }, { count: 1, computeCapability: 8 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 1, maxLength: 6 }),
      fc.array(need, { minLength: 1, maxLength: 4 }),
      (hosts, needs) => {
        const fold = new Fold();
        fold.open("ada", 1_000_000);
        hosts.forEach((host, index) => fold.joinWith(`m${index}`, 1, capability({ alpha: 1 + index }, host)));
        for (const [seed, wanted] of needs.entries()) {
          fold.command("sweep-run", { spec: sweepSpec({ needs: wanted, reuse: false, trialSeed: seed }) });
        }
        const waiting = [...fold.state.trials.values()].filter(({ state }) => state === "queued");
        return (
          fold.running().every((trial) => {
            const view = whyViewOf(fold.state, trial, fold.settings);
            return view.agents.find(({ agent }) => agent === activeAttempt(trial)?.agent)?.fits === true;
          }) &&
          waiting.every((trial) =>
            whyViewOf(fold.state, trial, fold.settings).agents.every(
              ({ agent, fits }) => !fits || !fold.state.fleet.isFree(agent),
            ),
          )
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("PLACE-3: the fastest first; where the dataset lies counts, and labels that are preferred", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.joinWith("slow", 1, { ...capability({ alpha: 1 }), labels: { room: "cellar" } });
  fold.joinWith("fast", 1, capability({ alpha: 1.2 }));
  const one = { search: { method: "random", trials: 1, seed: 1 } as const, reuse: false };
  fold.must("sweep-run", { spec: sweepSpec(one) });
  assert.deepEqual(placed(fold), ["fast"]);
  for (const trial of fold.running()) fold.finish(trial, 0.5);
  const dataset = { name: "d", digest: "d".repeat(64), bytes: 1, rows: { train: 1, validation: 1, test: 0 } };
  fold.must("sweep-run", {
    spec: sweepSpec({
      ...one,
      trialSeed: 2,
      dataset,
      prefers: { first: "fastest", nearData: true, labels: { room: "cellar" } },
    }),
  });
  assert.deepEqual(placed(fold), ["slow"], "a preferred label outweighs a fifth of speed");
  for (const trial of fold.running()) fold.finish(trial, 0.5);
  fold.must("sweep-run", { spec: sweepSpec({ ...one, trialSeed: 3, dataset }) });
  assert.deepEqual(placed(fold), ["slow"], "the data is there by now");
  for (const trial of fold.running()) fold.finish(trial, 0.5);
  fold.must("sweep-run", {
    spec: sweepSpec({
      ...one,
      trialSeed: 4,
      dataset,
      prefers: { first: "fastest", nearData: false, labels: {} },
    }),
  });
  assert.deepEqual(placed(fold), ["fast"]);
});

test("a cordoned agent takes nothing new and what runs goes on; a drained one is asked to leave at a checkpoint", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("box", 1);
  fold.must("sweep-run", { spec: sweepSpec({ reuse: false }) });
  fold.must("agent-cordon", { agent: "box", cordon: true });
  assert.deepEqual(placed(fold), ["box"]);
  assert.equal(fold.of("CancelRequested").length, 0);
  for (const trial of fold.running()) fold.finish(trial, 0.5);
  assert.deepEqual(placed(fold), []);
  fold.must("agent-cordon", { agent: "box", cordon: false });
  assert.deepEqual(placed(fold), ["box"]);
  fold.must("agent-drain", { agent: "box", drain: true });
  const [cancel] = fold.of("CancelRequested");
  assert.ok(cancel?.kind === "CancelRequested" && cancel.how === "checkpoint");
  const unknown = fold.command("agent-cordon", { agent: "bax", cordon: true });
  assert.match(unknown.ok ? "" : unknown.refusal.message, /no agent bax.*box/);
});

test("RATE-1, RATE-2: a forged rate is capped by what its trials show, an honest one is left alone", () => {
  const fold = new Fold();
  fold.open("ada", 1_000_000_000);
  fold.join("forger", 1, { alpha: 40 });
  fold.join("honest", 1, { alpha: 2 });
  fold.join("other", 1, { alpha: 4 });
  fold.must("sweep-run", {
    spec: sweepSpec({ search: { method: "random", trials: 90, seed: 1 }, reuse: false }),
  });
  const truth: Record<string, number> = { forger: 2, honest: 2, other: 4 };
  for (let round = 0; round < 80; round++) {
    const trial = fold.running()[round % fold.running().length];
    const attempt = trial === undefined ? null : activeAttempt(trial);
    assert.ok(trial !== undefined && attempt !== null);
    // Each trial is some 20 tokens of work, more or less.
    const work = 20_000 * (0.8 + (0.4 * ((round * 7) % 10)) / 10);
    fold.finish(trial, 0.5, Math.min(14_000, work / (truth[attempt.agent] ?? 1)));
  }
  const rateOf = (agent: string) => {
    const attempts = [...fold.state.trials.values()].flatMap(({ attempts: all }) => all);
    return attempts.findLast((attempt) => attempt.agent === agent)?.rate ?? 0;
  };
  assert.ok(rateOf("forger") < 3.5, `the forger is still priced at ${rateOf("forger")}`);
  assert.ok(Math.abs(rateOf("honest") - 2) < 0.5, `honest is priced at ${rateOf("honest")}`);
  assert.ok(Math.abs(rateOf("other") - 4) < 1, `other is priced at ${rateOf("other")}`);
});

test("RATE-1: noise alone changes no rate", () => {
  const noisy = (values: readonly number[]) =>
    values.reduce((means, value) => withValue(means, value), { count: 0, mean: 0, squares: 0 });
  const byAgent = { a: noisy([1, 2, 3, 1.5]), b: noisy([1.2, 2.4, 2.8, 1.1]) };
  assert.ok(Math.abs(logSpeedOf("a", byAgent) ?? 1) < 1e-9);
  assert.equal(logSpeedOf("a", { a: byAgent.a }), null, "alone there is nothing to compare with");
});

test("why: a need nobody meets, an empty account, and another requester's turn are three different answers", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.open("bob", 100_000);
  fold.open("eve", 1);
  fold.join("box", 1);
  fold.must(
    "sweep-run",
    { spec: sweepSpec({ reuse: false, search: { method: "random", trials: 9, seed: 1 } }) },
    "ada",
    "requester",
  );
  const trial = (sweep: string) => whyViewOf(fold.state, fold.trial(`${sweep}-1`), fold.settings);

  const refused = fold.command("sweep-run", {
    spec: sweepSpec({ needs: { gpu: { count: 1, vramGiB: 16 } } }),
  });
  assert.match(
    refused.ok ? "" : refused.refusal.message,
    /nearest is box, which lacks gpu: needs 1 GPU, has no GPU/,
  );
  // It came in while a machine with a card was there.
  fold.joinWith("rig", 1, capability({ alpha: 1 }, { gpus: [gpu] }));
  fold.do({ kind: "silent", agent: "rig" });
  fold.must(
    "sweep-run",
    { spec: sweepSpec({ needs: { gpu: { count: 1, vramGiB: 16 } } }) },
    "bob",
    "requester",
  );
  const needy = trial("s2");
  assert.match(needy.sentence, /No agent fits/);
  assert.deepEqual(
    needy.agents.map(({ agent, reasons }) => [agent, reasons.length]),
    [
      ["box", 1],
      ["rig", 1],
    ],
  );
  assert.match(needy.agents[0]?.reasons[0] ?? "", /gpu: needs 1 GPU, has no GPU/);
  assert.match(needy.agents[1]?.reasons[0] ?? "", /not present/);
  assert.equal(needy.start.at, null);

  fold.must("sweep-run", { spec: sweepSpec({ trialSeed: 3, beyondBudget: true }) }, "eve", "requester");
  const poor = trial("s3");
  assert.match(poor.sentence, /It waits for budget: eve has 1\.00 tokens to spend, a start needs/);
  assert.ok(poor.budget.short > 0);
  assert.match(poor.start.because, /when eve is granted more/);

  fold.must("sweep-run", { spec: sweepSpec({ trialSeed: 4, reuse: false }) }, "bob", "requester");
  for (let count = 0; count < 2; count++) for (const one of fold.running()) fold.finish(one, 0.5, 10_000);
  const behind = [...fold.state.trials.values()].find(
    ({ state, sweep }) => state === "queued" && (sweep === "s1" || sweep === "s4"),
  );
  assert.ok(behind !== undefined);
  const view = whyViewOf(fold.state, behind, fold.settings);
  assert.match(view.sentence, /Every agent that fits is busy/);
  assert.equal(typeof view.start.at, "number");
  assert.ok((view.start.at ?? 0) >= fold.at);
  const sweep = fold.state.sweeps.get("s2");
  assert.ok(sweep !== undefined);
  const whole = sweepWhyViewOf(fold.state, sweep, fold.settings);
  assert.match(whole.sentence, /no agent that is present fits alpha/);
  assert.equal(whole.models[0]?.queued, 1);
});

test("a requirement with an unknown field or an impossible range is refused with the field", () => {
  const unknown = requirementSchema.safeParse({ memGib: 4 });
  assert.match(unknown.error?.issues[0]?.message ?? "", /memGib/);
  const negative = requirementSchema.safeParse({ memGiB: -4 });
  assert.deepEqual(negative.error?.issues[0]?.path, ["memGiB"]);
  const contradicts = requirementSchema.safeParse({ agents: { only: ["a"], not: ["a"] } });
  assert.match(contradicts.error?.issues[0]?.message ?? "", /a/);
});

test("a trial that waits is answered from the record when another sweep has done the same meanwhile", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.open("bob", 100_000);
  fold.join("box", 1);
  const spec = sweepSpec({ search: { method: "random", trials: 2, seed: 1 } });
  fold.must("sweep-run", { spec }, "ada", "requester");
  fold.must("sweep-run", { spec }, "bob", "requester");
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.5);
  assert.equal(fold.of("LeaseOffered").length, 2, "four trials, two of them equal to the other two");
  assert.equal(fold.of("TrialReused").length, 2);
});

test("PLACE-2: wherever a trial failed or was lost before, while an agent that fits is free it runs somewhere", () => {
  const mishap = fc.constantFrom<"failed" | "lost">("failed", "lost");
  const machine = fc.record({
    rate: fc.integer({ min: 1, max: 9 }),
    room: fc.constantFrom("attic", "cellar"),
  });
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 1, maxLength: 4 }),
      fc.array(mishap, { maxLength: 3 }),
      (machines, mishaps) => {
        const fold = new Fold();
        fold.open("ada", 1_000_000);
        for (const [index, { rate, room }] of machines.entries())
          fold.joinWith(`m${index}`, 1, { ...capability({ alpha: rate }), labels: { room } });
        const prefers = { first: "fastest", nearData: true, labels: { room: "cellar" } } as const;
        const search = { method: "random", trials: 1, seed: 1 } as const;
        fold.must("sweep-run", { spec: sweepSpec({ search, prefers }) });
        for (const [index, what] of mishaps.entries()) {
          const attempt = activeAttempt(fold.trial("s1-1"));
          if (attempt === null) return false;
          const { agent, fence, until } = attempt;
          const reason = `mishap ${index}`;
          if (what === "failed")
            fold.report(agent, { kind: "failed", fence, reason, retryable: true, usedMs: 1 });
          else fold.pass(until + fold.settings.graceMs + 1 - fold.at);
        }
        return fold.trial("s1-1").state === "running";
      },
    ),
    { numRuns: 200 },
  );
});
