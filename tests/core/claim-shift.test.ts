/** RATE-4: an agent that claims another rate is priced by what its trials have shown, once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { claimShifts } from "../../coordinator/core/claim-shift.ts";
import { apply } from "../../coordinator/core/apply.ts";
import { eventSchema } from "../../coordinator/format/event.ts";
import { trustedRate } from "../../coordinator/placement/pace.ts";
import { activeAttempt, emptyState, mustGet, type Agent } from "../../coordinator/state/state.ts";
import { Fold, capability, sweepSpec } from "../support/fold.ts";

const kind = "work/alpha";
const agents = ["a", "b", "c"] as const;
const truth = 2;

/** Three agents on equal machines, of which `a` claims something else. */
function meshOf(claimed: number, trials: number): Fold {
  const fold = new Fold();
  fold.open("ada", 1_000_000_000);
  for (const agent of agents) fold.join(agent, 1, { alpha: agent === "a" ? claimed : truth, beta: 1 });
  fold.must("sweep-run", {
    spec: sweepSpec({ search: { method: "random", trials, seed: 1 }, reuse: false }),
  });
  return fold;
}

/** Each agent finishes one trial of the same work, but for what their noise is. */
function round(
  fold: Fold,
  noise: (agent: string) => number = () => 0,
  order: readonly string[] = agents,
): void {
  for (const agent of order) {
    const trial = fold.running().find((one) => activeAttempt(one)?.agent === agent);
    assert.ok(trial !== undefined, `a trial runs on ${agent}`);
    fold.finish(trial, 0.5, Math.round((4_000 * Math.exp(noise(agent))) / truth));
  }
}

const agentOf = (fold: Fold, agent: string): Agent => mustGet(fold.state.agents, agent, "agent");
const claimOf = (agent: Agent, of = kind): number =>
  agent.capability.rates.find((rate) => rate.kind === of)?.tokensPerSecond ?? assert.fail(`no ${of}`);
const priceOf = (fold: Fold, agent: string, of = kind): number =>
  trustedRate(agentOf(fold, agent), of, claimOf(agentOf(fold, agent), of));

function claim(fold: Fold, agent: string, alpha: number, incarnation = `${agent}-1`): void {
  fold.join(agent, 1, { alpha, beta: 7 }, incarnation);
}

const factor = fc.double({ min: 1 / 8, max: 8, noNaN: true });

test("RATE-4: after a new claim the price is what it was, of what was learned; the new claim counts where nothing was", () => {
  fc.assert(
    fc.property(
      factor,
      fc.array(factor, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 4, max: 6 }),
      fc.boolean(),
      (first, later, rounds, restarts) => {
        const fold = meshOf(truth * first, 60);
        for (let n = 0; n < rounds; n++) round(fold);
        const before = priceOf(fold, "a");
        for (const [index, next] of later.entries()) {
          claim(fold, "a", truth * next, restarts ? `a-${index + 2}` : "a-1");
          const now = priceOf(fold, "a");
          assert.ok(
            Math.abs(now / before - 1) < 1e-3,
            `${before} and then ${now} at a claim of ${truth * next}`,
          );
          assert.equal(priceOf(fold, "a", "work/beta"), 7);
        }
        // What comes after is compared with what came before.
        for (let n = 0; n < 3; n++) round(fold);
        assert.ok(Math.abs(priceOf(fold, "a") / truth - 1) < 0.02, `priced at ${priceOf(fold, "a")}`);
        for (const other of ["b", "c"]) assert.ok(Math.abs(priceOf(fold, other) / truth - 1) < 0.02);
      },
    ),
    { numRuns: 40 },
  );
});

test("RATE-4: a claim that comes before anything was compared is told of what was noted against the old one", () => {
  const fold = meshOf(truth / 6, 60);
  round(fold);
  round(fold);
  claim(fold, "a", truth);
  assert.equal(priceOf(fold, "a"), truth, "nothing was learned: the claim counts");
  for (let n = 0; n < 4; n++) round(fold);
  assert.ok(Math.abs(priceOf(fold, "a") / truth - 1) < 0.02, `priced at ${priceOf(fold, "a")}`);
});

test("RATE-4: the same journal gives the same state, and an old one, which says nothing of it, what it gave before", () => {
  const fold = meshOf(truth / 6, 60);
  for (let n = 0; n < 4; n++) round(fold);
  claim(fold, "a", truth);
  round(fold);
  const joined = fold.of("AgentJoined").at(-1);
  assert.ok(joined?.kind === "AgentJoined");
  assert.deepEqual(joined.claims, { [kind]: 1.7918 });
  const replay = (change: (event: unknown) => unknown) => {
    const state = emptyState();
    for (const { at, event } of fold.events)
      apply(state, eventSchema.parse(change(JSON.parse(JSON.stringify(event)))), at);
    return state;
  };
  const same = replay((event) => event);
  assert.deepEqual(same.agents, fold.state.agents);
  assert.deepEqual(same.sweeps, fold.state.sweeps);
  const old = replay((event) => {
    const { claims: _, ...others } = event as { claims?: unknown };
    return others;
  });
  const logFactor = (state: typeof old) => mustGet(state.agents, "a", "agent").speed[kind]?.logFactor ?? NaN;
  assert.ok(Number.isFinite(logFactor(old)));
  assert.notEqual(mustGet(old.agents, "a", "agent").speed, mustGet(same.agents, "a", "agent").speed);
});

test("RATE-4: nothing is noted where nothing was learned, or the claim is the same", () => {
  const fold = meshOf(truth, 60);
  claim(fold, "a", 5);
  for (let n = 0; n < 4; n++) round(fold);
  fold.join("b", 1, { alpha: truth, beta: 9 });
  fold.joinWith("c", 2, { ...capability({ alpha: truth, beta: 1 }), python: "3.12.4" });
  const joined = fold.of("AgentJoined");
  assert.ok(joined.every((event) => event.kind === "AgentJoined" && event.claims === undefined));
});

test("RATE-1: of three agents on equal machines, one that claims a sixth or six times as much is priced right after its fourth trial", () => {
  for (const wrong of [1 / 6, 6]) {
    for (const seed of [1, 2, 3, 4, 5]) {
      const fold = meshOf(truth * wrong, 90);
      // Trials of one sweep differ: this much on either side.
      let state = seed;
      const noise = () => {
        state = (state * 48271) % 2147483647;
        return 0.1 * (2 * (state / 2147483647) - 1);
      };
      const prices: number[] = [];
      for (let n = 0; n < 8; n++) {
        round(fold, noise);
        prices.push(priceOf(fold, "a") / truth);
      }
      const after = prices.slice(4);
      assert.ok(
        after.every((price) => Math.abs(price - 1) < 0.15),
        `${wrong}: ${prices.map((one) => one.toFixed(2)).join(" ")}`,
      );
    }
  }
});

test("RATE-5: of two agents that disagree the one that was measured under load is the one that is wrong", () => {
  for (const wrong of [1 / 6, 6]) {
    const fold = new Fold();
    fold.open("ada", 1_000_000_000);
    const slow = capability({ alpha: truth * wrong });
    fold.joinWith("a", 1, { ...slow, backends: slow.backends.map((one) => ({ ...one, load: 0.63 })) });
    fold.join("b", 1, { alpha: truth });
    fold.must("sweep-run", {
      spec: sweepSpec({ search: { method: "random", trials: 40, seed: 1 }, reuse: false }),
    });
    for (let n = 0; n < 4; n++) round(fold, undefined, ["a", "b"]);
    assert.ok(Math.abs(priceOf(fold, "a") / truth - 1) < 0.02, `a is priced at ${priceOf(fold, "a")}`);
    assert.ok(Math.abs(priceOf(fold, "b") / truth - 1) < 0.02, `b is priced at ${priceOf(fold, "b")}`);
  }
});

test("RATE-2: whichever of three is wrong, and whichever ends first, the others are never priced by it", () => {
  fc.assert(
    fc.property(factor, fc.shuffledSubarray([...agents], { minLength: 3 }), (wrong, order) => {
      const fold = meshOf(truth * wrong, 60);
      for (let n = 0; n < 6; n++) {
        round(fold, undefined, order);
        for (const other of ["b", "c"])
          assert.ok(Math.abs(priceOf(fold, other) / truth - 1) < 0.02, `${other} at ${priceOf(fold, other)}`);
        if (n >= 3) assert.ok(Math.abs(priceOf(fold, "a") / truth - 1) < 0.02, `a at ${priceOf(fold, "a")}`);
      }
    }),
    { numRuns: 40 },
  );
});

test("RATE-4: the backend that did the work tells by how much a claim has changed; one that is gone, or never was the fastest, tells nothing", () => {
  const two = (wasm: number | null, cpu: number) => {
    const { backends, ...others } = capability();
    const [first] = backends;
    assert.ok(first !== undefined);
    const rates = [
      ...(wasm === null
        ? []
        : [{ kind, backend: "wasm" as const, examplesPerSecond: 1, tokensPerSecond: wasm }]),
      { kind, backend: "cpu" as const, examplesPerSecond: 1, tokensPerSecond: cpu },
    ];
    return { ...others, backends: [first, { ...first, name: "wasm" as const }], rates };
  };
  const rate = fc.double({ min: 0.02, max: 200, noNaN: true });
  fc.assert(
    fc.property(rate, rate, fc.option(rate), rate, (wasm, cpu, wasmNow, cpuNow) => {
      const fold = new Fold();
      fold.joinWith("a", 1, two(wasm, cpu));
      const agent = { ...agentOf(fold, "a"), speed: { [kind]: { attempts: 3, logFactor: 0.5 } } };
      const found = claimShifts(fold.state, agent, two(wasmNow, cpuNow))?.[kind] ?? 0;
      const wanted = wasm >= cpu ? (wasmNow === null ? 0 : Math.log(wasmNow / wasm)) : Math.log(cpuNow / cpu);
      assert.ok(Math.abs(found - wanted) <= 1e-4, `${found} and not ${wanted}`);
    }),
  );
});
