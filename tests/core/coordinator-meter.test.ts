/** Time used, as both sides measure it: what an agent that lies pays and gains, and that an honest one is never accused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { apply } from "../../coordinator/core/apply.ts";
import { ClockWatch } from "../../coordinator/leader/clock-watch.ts";
import { mustGet } from "../../coordinator/state/state.ts";
import { MeteredAttempt, type Word } from "../support/metered-attempt.ts";

const beatMs = 2_000;
const leaseMs = 15_000;
const within = (value: number, low: number, high: number, what: string) =>
  assert.ok(value >= low && value <= high, `${what}: ${value}, not ${low} to ${high}`);

/** Heartbeats of an attempt from its offer to `untilMs` later. */
function beats(one: MeteredAttempt, untilMs: number, word: (ms: number) => Word | null): void {
  for (let ms = beatMs; ms <= untilMs; ms += beatMs) one.beat(one.from + ms, word(ms));
}

const account = ({ fold }: MeteredAttempt) => mustGet(fold.state.accounts, "ada", "account");

test("METER-5: a job that says nothing for five leases is paid for five, each reserved before it is used", () => {
  const one = new MeteredAttempt();
  for (let ms = beatMs; ms <= 5 * leaseMs; ms += beatMs) {
    one.beat(one.from + ms, { usedMs: ms - 500, atWork: true });
    const ahead = one.attempt.until - one.fold.at;
    assert.ok(one.attempt.reserved >= ms - 500 + ahead, "what is reserved covers the horizon ahead");
    assert.ok(ahead >= leaseMs / 2 - beatMs, "and the horizon does not run out");
  }
  one.finish(one.from + 5 * leaseMs, 5 * leaseMs - 500);
  assert.deepEqual([one.attempt.posted, one.accused], [5 * leaseMs - 500, null]);
});

test("LEASE-3: a silent job whose account runs out gets what is left and no more", () => {
  const one = new MeteredAttempt(40);
  beats(one, 38_000, (ms) => ({ usedMs: ms, atWork: true }));
  const end = one.attempt.until;
  within(end - one.from, 38_000, 40_000, "the end of its last lease");
  one.beat(end, { usedMs: end - one.from, atWork: true });
  assert.equal(one.attempt.until, end, "not extended");
  const nothing = { resource: 0, digest: null, bytes: 0, metrics: {}, usedMs: end - one.from };
  one.report(end, { kind: "stopped", fence: one.attempt.fence, ...nothing, why: "horizon" });
  within(one.attempt.posted, 38_000, 40_000, "posted");
  assert.equal(one.trial.state, "queued");
});

test("METER-1: figures that rise faster than time gain nothing, and name their agent", () => {
  const one = new MeteredAttempt();
  beats(one, 6_000, (ms) => ({ usedMs: ms * 100, atWork: true }));
  assert.ok(one.attempt.reserved <= 6_000 + leaseMs, `${one.attempt.reserved} reserved`);
  one.finish(one.from + 7_000, 861_000);
  within(one.attempt.posted, 5_000, 7_000, "posted");
  assert.match(
    one.accused ?? "",
    /^its word of the time it used for fence 1 disagrees with the clock: it says 200\.0 s of use where 2\.0 s are possible$/,
  );
  assert.equal(one.agent.cordoned, true);
});

test("METER-1: finished at once with a whole lease used", () => {
  const one = new MeteredAttempt();
  one.finish(one.from + 900, leaseMs);
  assert.equal(one.attempt.posted, 900);
  assert.match(one.accused ?? "", /it says 15\.0 s of use where 0\.9 s are possible/);
});

test("METER-1: who takes an offer up late is paid from then on, and a word that comes late is not held against it", () => {
  const accepted = { kind: "accepted", fence: 1 } as const;
  for (const late of [
    (one: MeteredAttempt) => one.report(one.from + 10_100, accepted),
    (one: MeteredAttempt) => one.beat(one.from + 10_100, { usedMs: 0, atWork: true }),
    () => undefined,
  ]) {
    const one = new MeteredAttempt(10_000, false);
    beats(one, 10_000, () => null);
    late(one);
    one.finish(one.from + 11_000, 11_000);
    within(one.attempt.posted, 900, 3_000, "posted");
    assert.equal(one.accused, null);
  }
  // Cut off just as it was offered: both words come in at once, and it was heard before the offer only.
  const cut = new MeteredAttempt(10_000, false);
  cut.beat(cut.from, null);
  cut.report(cut.from + 12_000, accepted);
  cut.finish(cut.from + 12_001, 11_000);
  assert.deepEqual([cut.attempt.posted, cut.accused], [11_000, null]);
});

test("METER-1: nothing is charged of the time it said that it stood still", () => {
  const one = new MeteredAttempt();
  beats(one, 60_000, () => ({ usedMs: 1_000, suspended: true, atWork: false }));
  one.finish(one.from + 61_000, 60_000);
  within(one.attempt.posted, 1_000, 20_000, "posted");
  assert.match(one.accused ?? "", /it says 60\.0 s of use where/);
});

test("METER-1: checkpoints and failures that claim too much are kept and paid at what was possible", () => {
  const kept = { resource: 1, digest: "b".repeat(64), bytes: 1, metrics: {} };
  const huge = 1e15;
  const checkpoint = new MeteredAttempt();
  checkpoint.report(checkpoint.from + 3_000, {
    kind: "checkpoint",
    fence: checkpoint.attempt.fence,
    ...kept,
    usedMs: huge,
  });
  assert.equal(checkpoint.attempt.keptMs, 3_000);
  checkpoint.fold.at = checkpoint.attempt.until + 4_000;
  checkpoint.fold.do({ kind: "expire" });
  assert.deepEqual([checkpoint.attempt.ending, checkpoint.attempt.posted], ["lost", 3_000]);
  assert.match(checkpoint.accused ?? "", /it says 1\.0e\+12 s of use/);

  const failed = new MeteredAttempt();
  failed.report(failed.from + 2_000, {
    kind: "failed",
    fence: failed.attempt.fence,
    reason: "x",
    retryable: false,
    usedMs: 14_000,
  });
  assert.equal(failed.attempt.posted, 2_000);
  const owner = new MeteredAttempt();
  owner.report(owner.from + 10_000, {
    kind: "stopped",
    fence: owner.attempt.fence,
    ...kept,
    digest: null,
    usedMs: 10_000,
    why: "owner",
  });
  assert.equal(owner.attempt.posted, 0, "the owner's return: what was not kept is not paid");
});

test("METER-2: a stopped clock, a clock that goes back, and one that runs slow pay what was seen, and are named", () => {
  for (const [usedMs, what] of [
    [() => 0, /it says 0\.0 s of use where its job ran for/],
    [(ms: number) => (ms < 30_000 ? ms : ms - 20_000), /it says \d+\.0 s of use after it said 2\d\.0 s/],
    [(ms: number) => ms / 2, /of use where its job ran for/],
  ] as const) {
    const one = new MeteredAttempt();
    beats(one, 70_000, (ms) => ({ usedMs: usedMs(ms), atWork: true }));
    one.finish(one.from + 71_000, 0);
    within(one.attempt.posted, 67_000, 71_000, "posted");
    assert.match(one.accused ?? "", what);
  }
});

test("METER-2: figures that jump stay between what was seen and what is possible", () => {
  const one = new MeteredAttempt();
  beats(one, 40_000, (ms) => ({ usedMs: ms < 20_000 ? ms : ms + 500_000, atWork: true }));
  assert.ok(one.attempt.reserved <= 40_000 + leaseMs);
  one.finish(one.from + 41_000, 41_000);
  assert.equal(one.attempt.posted, 41_000);
  assert.match(one.accused ?? "", /where 20\.0 s are possible/);
});

test("METER-3: an agent that says it prepares all the time has a lease of it free", () => {
  for (const word of [{ atWork: false }, {}, null]) {
    const one = new MeteredAttempt();
    // One that says nothing of the attempt at all is not extended: it does so now and then.
    beats(one, 70_000, (ms) => (word === null && ms % 6_000 === 0 ? null : { usedMs: 0, ...word }));
    one.finish(one.from + 71_000, 0);
    within(one.attempt.posted, word === null ? 20_000 : 50_000, 56_000, "posted");
    assert.equal(one.accused, null, "an agent of before, or a slow network, says the same");
  }
});

test("METER-3: neither silences nor a word that changes with each heartbeat make a slot free", () => {
  const still = { usedMs: 0, suspended: false };
  for (const [everyMs, word] of [
    [6_500, () => ({ ...still, atWork: true })],
    [beatMs, (ms: number) => ({ ...still, atWork: ms % 4_000 === 0 })],
    [beatMs, (ms: number) => (ms % 4_000 === 0 ? { ...still, atWork: true } : null)],
  ] as const) {
    const one = new MeteredAttempt();
    for (let ms = everyMs; ms <= 71_000; ms += everyMs) one.beat(one.from + ms, word(ms));
    one.finish(one.from + 72_000, 0);
    within(one.attempt.posted, 50_000, 60_000, "posted");
  }
  // Half of the time it says that it stands still.
  const one = new MeteredAttempt();
  beats(one, 70_000, (ms) => ({ usedMs: 0, suspended: ms % 4_000 === 0, atWork: ms % 4_000 !== 0 }));
  one.finish(one.from + 71_000, 0);
  within(one.attempt.posted, 32_000, 38_000, "posted");
});

test("METER-1: what an agent says of an attempt that another holds, or nobody, is not looked at", () => {
  const one = new MeteredAttempt();
  one.fold.join("other", 1);
  const { reserved, until } = one.attempt;
  one.beat(one.from + 14_000, { usedMs: 1e9, atWork: true }, "other");
  one.beat(one.from + 14_100, { fence: 99, usedMs: 1e9, atWork: true }, "other");
  assert.deepEqual([one.attempt.reserved, one.attempt.until], [reserved, until]);
  assert.deepEqual(one.fold.state.agents.get("other")?.cordoned, false);
});

test("METER-4: an agent is named once, lets nothing new in, and works again when its owner's mesh says so", () => {
  const one = new MeteredAttempt();
  beats(one, 8_000, () => ({ usedMs: 1e6, atWork: true }));
  assert.equal(one.fold.of("AgentCordoned").length, 1);
  one.finish(one.from + 9_000, 9_000);
  one.fold.must("agent-cordon", { agent: "box", cordon: false });
  assert.deepEqual([one.accused, one.agent.cordoned], [null, false]);
});

test("METER-4: after an election no word is held against an agent that its own horizon explains", () => {
  const one = new MeteredAttempt();
  beats(one, 10_000, (ms) => ({ usedMs: ms, atWork: true }));
  const { fold } = one;
  // Nobody led for a while, and the new leader's clock is another.
  fold.at += 1_000;
  apply(fold.state, { kind: "LeaderElected", epoch: 9, leader: "other" }, fold.at);
  const led = fold.at;
  for (let ms = 1_000; ms <= 9_000; ms += beatMs) one.beat(led + ms, { usedMs: 22_000 + ms, atWork: true });
  one.finish(led + 10_000, 32_000);
  assert.deepEqual([one.accused, one.attempt.posted], [null, 32_000]);
});

test("METER-4: a coordinator that slept holds nothing against attempts from before, and pays what it saw", () => {
  const slept = (steadySince: (one: MeteredAttempt) => number) => {
    const one = new MeteredAttempt();
    beats(one, 6_000, (ms) => ({ usedMs: ms, atWork: true }));
    one.steadySince = steadySince(one);
    // 10 s went by that its clock did not see.
    one.beat(one.from + 6_100, { usedMs: 16_100, atWork: true });
    one.finish(one.from + 8_000, 18_000);
    return one;
  };
  const excused = slept(({ from }) => from + 6_000);
  assert.deepEqual([excused.accused, excused.attempt.posted], [null, 8_000]);
  assert.match(slept(() => 0).accused ?? "", /16\.1 s of use where 6\.1 s/);
});

test("METER-4: the coordinator notices that its machine slept or its clock was set, and no slow drift", () => {
  let [wall, monotonic] = [1e12, 500];
  const watch = new ClockWatch({
    now: () => wall,
    monotonic: () => monotonic,
    setTimer: () => () => undefined,
  });
  const pass = (wallMs: number, monotonicMs: number) => {
    wall += wallMs;
    monotonic += monotonicMs;
    return watch.look();
  };
  for (let second = 0; second < 3_600; second++) assert.equal(pass(1_000.4, 1_000), 500);
  const before = monotonic;
  assert.equal(pass(60_000, 100), before + 100, "slept");
  assert.equal(pass(1_000, 1_000), before + 100);
  assert.equal(pass(-3_600_000, 1_000), before + 2_100, "set back");
});

/** What happens to an honest agent, one piece of its time after the other. */
const piece = fc.record({
  kind: fc.constantFrom("work", "work", "stand", "sleep", "cut off"),
  ms: fc.integer({ min: 200, max: 30_000 }),
});
const honest = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 8 }),
  prepareMs: fc.integer({ min: 0, max: 14_000 }),
  uploadMs: fc.integer({ min: 0, max: 30_000 }),
  /** Of each heartbeat on its way; none overtakes another. */
  delaysMs: fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 5, maxLength: 40 }),
  drift: fc.double({ min: -0.0005, max: 0.0005, noNaN: true }),
  says: fc.boolean(),
});

interface Sent {
  readonly at: number;
  readonly word: Word;
}

/** The heartbeats of an honest agent by the coordinator's time since the offer, and what it used. */
function live({
  drift,
  pieces,
  prepareMs,
  says,
  uploadMs,
}: typeof honest extends fc.Arbitrary<infer T> ? T : never) {
  const sent: Sent[] = [];
  let at = 0;
  let usedMs = 0;
  let nextBeat = beatMs;
  let cutUntil = 0;
  let slept = 0;
  const say = (phase: "work" | "stand" | "prepare") => {
    const word = { usedMs: usedMs * (1 + drift), suspended: phase === "stand" };
    sent.push({ at: Math.max(at, cutUntil), word: says ? { ...word, atWork: phase === "work" } : word });
  };
  const spend = (phase: "work" | "stand" | "prepare", ms: number) => {
    for (let left = ms; left > 0;) {
      const now = Math.min(left, nextBeat);
      at += now;
      left -= now;
      nextBeat -= now;
      if (phase === "work") usedMs += now;
      if (nextBeat > 0) continue;
      say(phase);
      nextBeat = beatMs;
    }
  };
  spend("prepare", prepareMs);
  for (const { kind, ms } of pieces) {
    if (kind === "sleep") {
      // Too short to be noticed it would count as work: there is a limit to how much of that is free.
      const sleepMs = ms + 7_000;
      at += sleepMs;
      slept += sleepMs;
    } else if (kind === "stand") {
      say("stand");
      spend("stand", ms);
      say("work");
    } else {
      if (kind === "cut off") cutUntil = at + ms;
      spend("work", ms);
    }
  }
  const ranMs = usedMs;
  const finishedAt = Math.max(at + uploadMs, cutUntil);
  if (says) spend("prepare", uploadMs);
  return { sent, ranMs, slept, finishedAt, saidMs: ranMs * (1 + drift) };
}

test("METER-4: an honest agent is never accused and pays what it used, whatever befalls it and its words on their way", () => {
  fc.assert(
    fc.property(honest, (fate) => {
      const { finishedAt, ranMs, saidMs, sent, slept } = live(fate);
      const one = new MeteredAttempt();
      let last = 0;
      for (const [index, { at, word }] of sent.entries()) {
        if (at > finishedAt) break;
        last = Math.max(last, at + (fate.delaysMs[index % fate.delaysMs.length] ?? 0));
        one.beat(one.from + last, word);
      }
      one.finish(one.from + Math.max(last, finishedAt), saidMs);
      assert.equal(one.accused, null);
      assert.ok(account(one).posted <= account(one).granted);
      // Cut off for longer than its lease it would have stopped: what it used beyond is not paid.
      const cut = fate.pieces.some(({ kind }) => kind === "cut off");
      if (!fate.says) return;
      // METER-3, and what delays move from one side of a change to the other.
      const held = Math.max(
        0,
        fate.prepareMs + fate.uploadMs + slept + fate.pieces.length * beatMs - leaseMs,
      );
      const noise = held + fate.pieces.length * 1_500 + 2_000;
      within(one.attempt.posted, cut ? 0 : ranMs * 0.999 - 2, ranMs * 1.001 + noise, "posted");
    }),
    { numRuns: 300 },
  );
});

test("METER-1, METER-2: whatever an agent says, it is paid no more than passed since the offer and no less than its job was seen to run", () => {
  const word = fc.record({
    usedMs: fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.double({ min: 0, max: 1e300, noNaN: true })),
    suspended: fc.boolean(),
    atWork: fc.option(fc.boolean(), { nil: undefined }),
  });
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 12_000 }),
    word: fc.option(word, { nil: null }),
  });
  const end = fc.double({ min: 0, max: 1e300, noNaN: true });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), end, fc.boolean(), (steps, saidMs, accepts) => {
      const one = new MeteredAttempt(500, accepts);
      let at = one.from;
      let seenMs = 0;
      let worked = false;
      for (const { afterMs, word: said } of steps) {
        at += afterMs;
        const works = said !== null && !said.suspended && said.atWork === true;
        if (works && worked && afterMs <= 3 * beatMs) seenMs += afterMs;
        worked = works;
        const { atWork, ...rest } = said ?? {};
        one.beat(at, said === null ? null : atWork === undefined ? rest : { ...rest, atWork });
        assert.ok(one.attempt.reserved <= at - one.from + leaseMs + 1, "reserved for what cannot have been");
      }
      one.finish(at + 100, saidMs);
      const { posted, reserved } = one.attempt;
      within(posted, Math.min(reserved, Math.floor(seenMs) - 1), at + 100 - one.from + 1, "posted");
    }),
    { numRuns: 300 },
  );
});
