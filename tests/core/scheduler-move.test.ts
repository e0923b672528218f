/** PLACE-4: what has to be moved counts, by what agents are known to hold, and no slot stays empty for it. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { chooseAgent } from "../../coordinator/placement/choose-agent.ts";
import {
  moveMs,
  neededBy,
  nothingKnown,
  trainingShare,
  type Holdings,
} from "../../coordinator/placement/move-cost.ts";
import { mustGet } from "../../coordinator/state/state.ts";
import type { Digest } from "../../protocol/id.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";

const dataDigest = "d".repeat(64);
const checkpointDigest = digestOfNumber(77);
const megabyte = 1e6;

interface Machine {
  readonly rate: number;
  readonly hasData: boolean | null;
  readonly hasCheckpoint: boolean;
  readonly receives: number | null;
}

/** A trial that waits with a checkpoint, and machines that are all free. */
function waiting(machines: readonly Machine[], dataMb: number, checkpointMb: number) {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("first", 1);
  const rows = { train: 1, validation: 1, test: 0 };
  const dataset = { name: "d", digest: dataDigest, bytes: Math.round(dataMb * megabyte), rows };
  const spec = sweepSpec({
    search: { method: "random", trials: 1, seed: 1 },
    stopping: { policy: "none", max: 9 },
    dataset,
  });
  fold.must("sweep-run", { spec });
  const [trial] = fold.running();
  const fence = trial?.attempts.at(-1)?.fence ?? assert.fail();
  const bytes = Math.round(checkpointMb * megabyte);
  const kept = {
    fence,
    resource: 3,
    digest: checkpointDigest,
    bytes,
    metrics: { accuracy: 0.5 },
    usedMs: 900,
  };
  fold.report("first", { kind: "checkpoint", ...kept });
  fold.do({ kind: "silent", agent: "first" });
  fold.report("first", { kind: "stopped", ...kept, why: "shutdown" });
  const waits = mustGet(fold.state.trials, trial?.trial ?? "", "trial");
  assert.equal(waits.state, "queued");
  // Not offered to any of them before the question is asked.
  fold.must("account-open", { requester: "bob", weight: 1, grant: 1 });
  const state = fold.state;
  const joined = machines.map((machine, index) => ({ ...machine, name: `m${index}` }));
  fold.must("sweep-pause", { sweep: waits.sweep });
  for (const { name, rate } of joined) fold.join(name, 1, { alpha: rate });
  const holdings: Holdings = {
    has: (agent, digest) => {
      const machine = joined.find(({ name }) => name === agent);
      if (machine === undefined || machine.hasData === null) return null;
      return digest === dataDigest ? machine.hasData : machine.hasCheckpoint;
    },
    holdersOf: (digest) =>
      joined
        .filter((one) => (digest === dataDigest ? one.hasData === true : one.hasCheckpoint))
        .map(({ name }) => name),
    rateOf: (agent) => joined.find(({ name }) => name === agent)?.receives ?? null,
  };
  const sweep = mustGet(state.sweeps, waits.sweep, "sweep");
  return { state, sweep, trial: waits, holdings, joined };
}

const machine = fc.record({
  rate: fc.constantFrom(1, 2, 5),
  hasData: fc.constantFrom(true, false, null),
  hasCheckpoint: fc.boolean(),
  receives: fc.constantFrom(null, 1e6, 50e6),
});
const mb = fc.constantFrom(0.001, 5, 500, 20_000);

test("PLACE-4: no slot stays empty for what has to be moved", () => {
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 1, maxLength: 5 }),
      mb,
      mb,
      (machines, dataMb, checkpointMb) => {
        const { holdings, sweep, state, trial } = waiting(machines, dataMb, checkpointMb);
        assert.notEqual(chooseAgent(state, sweep, trial, holdings), null);
        assert.notEqual(chooseAgent(state, sweep, trial), null);
      },
    ),
    { numRuns: 60 },
  );
});

test("PLACE-4: between equals the one with the least to move, and more that is there speaks against nobody", () => {
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 2, maxLength: 5 }),
      mb,
      mb,
      (machines, dataMb, checkpointMb) => {
        const equal = machines.map((one) => ({ ...one, rate: 1, hasData: one.hasData ?? false }));
        const place = waiting(equal, dataMb, checkpointMb);
        const { holdings, joined, state, sweep, trial } = place;
        const needed = neededBy(state, sweep, trial);
        const chosen = chooseAgent(state, sweep, trial, holdings)?.agent.agent ?? assert.fail();
        const costOf = (name: string) => moveMs(needed, name, holdings);
        for (const { hasCheckpoint, hasData, name } of joined) {
          const own = joined.find((one) => one.name === chosen);
          const isNoWorse = hasCheckpoint === own?.hasCheckpoint && hasData === own.hasData;
          if (isNoWorse)
            assert.ok(costOf(chosen) <= costOf(name) + 1e-9, `${chosen}, though ${name} is sooner there`);
          if (hasCheckpoint && hasData === true) assert.equal(costOf(chosen), 0, `${name} has all of it`);
        }
        const withMore: Holdings = {
          ...holdings,
          has: (agent: string, digest: Digest) => agent === chosen || holdings.has(agent, digest),
        };
        assert.equal(chooseAgent(state, sweep, trial, withMore)?.agent.agent, chosen);
      },
    ),
    { numRuns: 60 },
  );
});

test("PLACE-4: twenty gigabytes are worth a slower machine, some megabytes are not, and a fast one is worth a short move", () => {
  const chosenOf = (machines: readonly Machine[], dataMb: number) => {
    const { holdings, state, sweep, trial } = waiting(machines, dataMb, 0.001);
    return chooseAgent(state, sweep, trial, holdings)?.agent.agent;
  };
  const has = { hasData: true, hasCheckpoint: false, receives: null };
  const lacks = { hasData: false, hasCheckpoint: false, receives: null };
  assert.equal(
    chosenOf(
      [
        { ...has, rate: 1 },
        { ...lacks, rate: 2 },
      ],
      20_000,
    ),
    "m0",
  );
  assert.equal(
    chosenOf(
      [
        { ...has, rate: 1 },
        { ...lacks, rate: 5 },
      ],
      5,
    ),
    "m1",
  );
  assert.equal(
    chosenOf(
      [
        { ...lacks, receives: 1e6, rate: 1 },
        { ...lacks, receives: 50e6, rate: 1 },
      ],
      500,
    ),
    "m1",
  );
});

test("PLACE-4: what an agent says it holds counts for more than what it was sent once", () => {
  const place = waiting([{ rate: 1, hasData: false, hasCheckpoint: false, receives: null }], 500, 5);
  const { holdings, state, sweep, trial } = place;
  state.dataAt.set(dataDigest, new Set(["m0"]));
  const needed = neededBy(state, sweep, trial);
  assert.ok(moveMs(needed, "m0", nothingKnown) < moveMs(needed, "m0", holdings));
  assert.equal(trainingShare(state, sweep, trial, 1, 0), 1);
});
