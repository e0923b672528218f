/** Judging in an order that is kept gives the verdicts of judging among all entries of a rung, bit for bit, and does not slow down. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { RungOrder } from "../../search/stopping/rung-order.ts";
import type { RungEntry, StoppingPolicy } from "../../search/stopping/stopping-policy.ts";
import { stoppingSchema } from "../../protocol/stopping.ts";
import { Batches } from "../support/batches.ts";
import { sweepSpec } from "../support/fold.ts";
import { processorMs } from "../support/processor-time.ts";

interface Arrival {
  readonly curve: readonly number[];
  /** It came with a checkpoint of another trial, was never judged here and trains beyond it. */
  readonly resumed: boolean;
  /** One that waits, by its place among them, ends before the next comes. */
  readonly ends: number;
}

const score = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 4, arbitrary: fc.double() },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, Number.MAX_VALUE, -Number.MAX_VALUE),
  },
);
const arrivals = fc.array(
  fc.record<Arrival>({
    curve: fc.array(score, { minLength: 1, maxLength: 4 }),
    resumed: fc.integer({ min: 0, max: 9 }).map((of) => of === 0),
    ends: fc.integer({ min: 0, max: 40 }),
  }),
  { minLength: 1, maxLength: 120 },
);
const common = { max: 27 };
const stoppings = fc
  .oneof(
    fc.record({ policy: fc.constant("asha"), min: fc.constant(1), eta: fc.integer({ min: 2, max: 5 }) }),
    fc.record({
      policy: fc.constantFrom("hyperband", "bohb"),
      min: fc.constant(1),
      eta: fc.integer({ min: 2, max: 4 }),
    }),
    fc.record({
      policy: fc.constant("median"),
      interval: fc.constant(9),
      minTrials: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({
      policy: fc.constant("percentile"),
      interval: fc.constant(9),
      percentile: fc.integer({ min: 1, max: 99 }),
      minTrials: fc.integer({ min: 1, max: 6 }),
    }),
    fc.record({
      policy: fc.constant("patience"),
      interval: fc.constant(9),
      patience: fc.integer({ min: 1, max: 3 }),
    }),
  )
  .map((given) => stoppingSchema.parse({ ...common, ...given }));

/** One rung, judged in both ways as trials come to it. */
class BothWays {
  readonly #policy: StoppingPolicy;
  readonly #orders: readonly RungOrder[];
  readonly #curves = new Map<string, readonly (readonly number[])[]>();
  #entries: RungEntry[] = [];

  constructor(policy: StoppingPolicy) {
    this.#policy = policy;
    this.#orders = Array.from({ length: policy.ordered.groups }, () => new RungOrder());
  }

  come({ curve, ends, resumed }: Arrival): void {
    const { ordered } = this.#policy;
    const number = this.#entries.length + 1;
    const trial = String(number);
    const scores = curve.map((one) => [one]);
    this.#curves.set(trial, scores);
    const own: RungEntry = { trial, number, scores: scores.at(-1) ?? [], promoted: resumed, paused: false };
    this.#entries.push(own);
    const ranked = { trial, number, score: curve.at(-1) ?? Number.NaN };
    const order = this.#orders[ordered.groupOf(number)];
    assert.ok(order !== undefined);
    order.add(ranked, ordered.comparedOf(scores));
    if (!resumed) {
      const curveOf = (entry: RungEntry) => this.#curves.get(entry.trial) ?? [];
      const slow = this.#policy.verdict({ resource: 9, trial: own, entries: this.#entries, curveOf });
      assert.deepEqual(ordered.verdict({ order, trial: ranked, curve: scores }), slow);
      this.#set(trial, { promoted: slow.kind === "continue", paused: slow.kind === "pause" });
      this.#promote();
    }
    const waiting = this.#entries.filter(({ paused }) => paused);
    const ended = waiting[ends];
    if (ended !== undefined) this.#set(ended.trial, { paused: false });
  }

  #promote(): void {
    const slow = this.#policy.promotable(this.#entries).map(({ trial }) => trial);
    const waits = ({ trial }: { trial: string }) => this.#entries[Number(trial) - 1]?.paused === true;
    const quick = this.#orders.flatMap((order) =>
      order.waitingAmong(this.#policy.ordered.placesOf(order.size), waits),
    );
    assert.deepEqual(
      quick.map(({ trial }) => trial),
      slow,
    );
    for (const trial of slow) this.#set(trial, { promoted: true, paused: false });
  }

  #set(trial: string, change: Partial<RungEntry>): void {
    this.#entries = this.#entries.map((entry) => (entry.trial === trial ? { ...entry, ...change } : entry));
  }
}

test("STOP-12: kept in order, trials get the very verdicts and promotions that a look at all of their rung gives", () => {
  fc.assert(
    fc.property(stoppings, arrivals, (stopping, trials) => {
      const both = new BothWays(stoppingPolicy(stopping));
      for (const trial of trials) both.come(trial);
    }),
    {
      numRuns: 400,
      examples: [
        [
          stoppingSchema.parse({ ...common, policy: "percentile", interval: 9, minTrials: 1, percentile: 1 }),
          [[0], [-0], [-5e-324]].map((curve, at) => ({ curve, resumed: at < 2, ends: 0 })),
        ],
      ],
    },
  );
});

test("STOP-12: the ten thousandth trial of a rung is judged about as fast as the first thousand", () => {
  const mesh = new Batches(50);
  const trials = 12_000;
  const stopping = { policy: "asha", min: 1, max: 2, eta: 20 } as const;
  mesh.command("sweep-run", { spec: sweepSpec({ stopping, search: { method: "random", trials, seed: 1 } }) });
  const took = (upTo: number) => {
    const from = processorMs();
    mesh.work(() => (mesh.state.sweeps.get("s1")?.counts.paused ?? 0) >= upTo);
    return processorMs() - from;
  };
  took(1_000);
  const early = took(3_000);
  took(8_000);
  const late = took(10_000);
  // Of a rung of ten thousand, gathered for each trial, it would be some four times as long.
  assert.ok(
    late < 3 * early + 400,
    `2,000 trials took ${Math.round(early)} ms, and later ${Math.round(late)} ms`,
  );
});
