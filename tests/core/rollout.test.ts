/** Versions on trial as plain values: who is asked what, what counts as evidence, and how often the evidence is wrong. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AnswerMemory, answersRememberedMax } from "../../serving/rollout/answer-memory.ts";
import { DifferenceBet, ShareBet } from "../../serving/rollout/bet.ts";
import { Comparison } from "../../serving/rollout/comparison.ts";
import type { HeardAnswer } from "../../serving/rollout/heard-answer.ts";
import { Rollout, type RolloutOptions } from "../../serving/rollout/rollout.ts";
import { isInShare } from "../../serving/rollout/share-split.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

/** Even numbers from [0, 1), the same for the same seed. */
function drawing(seed: number): () => number {
  let at = seed * 1_000_003;
  return () => mixUnsigned(mixUnsigned(at++) ^ 0x9e3779b9) / 2 ** 32;
}

const label = (best: number): HeardAnswer => ({ kind: "labels", best: [best] });

describe("ROLL-1: the split is by the answer's id", () => {
  const shares = fc.double({ min: 0, max: 1, noNaN: true });

  test("one id is always on one side, none at 0, all at 1, and a larger share holds the smaller", () => {
    fc.assert(
      fc.property(fc.string(), shares, shares, (id, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        assert.equal(isInShare(id, less, "caller"), isInShare(id, less, "caller"));
        assert.ok(!isInShare(id, 0, "caller") && isInShare(id, 1, "caller"));
        if (isInShare(id, less, "caller")) assert.ok(isInShare(id, more, "caller"));
      }),
    );
  });

  test("of ids as the server counts them each share gets its part, also of every n-th, and the two purposes are independent", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 12, maxLength: 12 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.integer({ min: 1, max: 16 }),
        (start, share, step) => {
          const count = 4_000;
          let both = 0;
          let canary = 0;
          for (let at = 0; at < count; at++) {
            const id = start + (at * step).toString(36);
            const isCanary = isInShare(id, share, "caller");
            if (isCanary) canary++;
            if (isCanary && isInShare(id, share, "copy")) both++;
          }
          // Five standard deviations of a fair draw.
          const off = (found: number, right: number) =>
            Math.abs(found / count - right) / Math.sqrt((right * (1 - right)) / count);
          assert.ok(off(canary, share) < 5, `${canary} of ${count} at ${share}`);
          assert.ok(off(both, share * share) < 5, `${both} of ${count} at ${share} and ${share}`);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("ROLL-3: evidence is wealth that cannot be expected to grow where the claim is true", () => {
  test("whatever was seen before, the next difference with a mean of 0 or less leaves no more than there was", () => {
    const values = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(values, { maxLength: 60 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        (history, one, other) => {
          const [up, down] = [Math.min(one, other), Math.max(one, other)];
          const after = (next: number) => {
            const bet = new DifferenceBet(0.05);
            for (const value of [...history, next]) bet.observe(value);
            return Math.exp(bet.logWealth);
          };
          const before = new DifferenceBet(0.05);
          for (const value of history) before.observe(value);
          const expected = up * after(1) + down * after(-1) + (1 - up - down) * after(0);
          assert.ok(expected <= Math.exp(before.logWealth) * (1 + 1e-9));
        },
      ),
    );
  });

  test("the same of shares that are no more than what is tolerated", () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { maxLength: 40 }), share, share, (history, tolerated, part) => {
        const probability = tolerated * part;
        const after = (...next: readonly number[]) => {
          const bet = new ShareBet(tolerated, 0.03);
          for (const value of [...history, ...next]) bet.observe(value);
          return bet.logWealth;
        };
        const grown = (next: number) => Math.exp(after(next) - after());
        if (!Number.isFinite(after())) return;
        const expected = (probability === 0 ? 0 : probability * grown(1)) + (1 - probability) * grown(0);
        assert.ok(expected <= 1 + 1e-6, `${expected}`);
      }),
    );
  });
});

interface World {
  /** How often the incumbent is right, and how much less often the canary. */
  readonly base: number;
  readonly worse: number;
  /** How often the two share their luck. */
  readonly together: number;
  readonly by: "truth" | "errors" | "agreement";
}

/** After how many requests the canary was found worse; null where it was not. */
function foundAfter(
  { base, by, together, worse }: World,
  requests: number,
  draw: () => number,
): number | null {
  const comparison = new Comparison({ alpha: 0.01, agreement: 0.98 });
  for (let count = 1; count <= requests; count++) {
    const luck = draw();
    const own = draw() < together ? luck : draw();
    const [incumbent, canary] = [luck < base, own < base - worse];
    if (by === "errors") {
      const heard = (isRight: boolean): HeardAnswer => (isRight ? label(0) : { kind: "failed" });
      comparison.pair(heard(incumbent), heard(canary));
    } else if (by === "agreement") comparison.pair(label(0), label(draw() < worse ? 1 : 0));
    else {
      const [one, other] = [label(incumbent ? 0 : 1), label(canary ? 0 : 1)];
      comparison.pair(one, other);
      comparison.truth(one, other, [0]);
    }
    if (comparison.verdict !== null) return count;
  }
  return null;
}

describe("ROLL-2: worse is found, and no worse is not", () => {
  const requests = 2_000;
  const runs = 20;
  const worlds: readonly World[] = [
    ...[0.9, 0.95, 0.999].flatMap((base) =>
      [0.5, 0.9].map((together) => ({ base, together, worse: 0.05, by: "truth" }) as const),
    ),
    ...[0.5, 0.8].map((base) => ({ base, together: 0.9, worse: 0.05, by: "truth" }) as const),
    ...[0.95, 0.999, 1].map((base) => ({ base, together: 0.5, worse: 0.05, by: "errors" }) as const),
    { base: 1, together: 1, worse: 0.05, by: "agreement" },
  ];
  for (const world of worlds)
    test(`5% worse by ${world.by} at ${world.base}, ${world.together} of the luck shared: within ${requests} requests in 19 of ${runs} runs or more`, () => {
      const found = Array.from({ length: runs }, (_, run) => foundAfter(world, requests, drawing(run + 1)));
      const late = found.filter((count) => count === null).length;
      assert.ok(late <= 1, `${late} of ${runs} were not found: ${found.join(" ")}`);
    });

  test("at α = 0.01 no more than that of the canaries that are no worse are ever found worse, looked at after every request", () => {
    const draw = drawing(7);
    let wrong = 0;
    let all = 0;
    for (const by of ["truth", "errors"] as const)
      for (const base of [0.5, 0.8, 0.95, 0.999])
        for (const together of [0, 0.5, 0.9])
          for (let run = 0; run < 40; run++, all++)
            if (foundAfter({ base, by, together, worse: 0 }, requests, draw) !== null) wrong++;
    // 960 runs at 0.01 have 9.6 on the mean, and above 20 once in a thousand times.
    assert.ok(wrong <= 20, `${wrong} of ${all}`);
  });

  test("one that answers the same is never found worse, nor one that is better", () => {
    for (const worse of [0, -0.05]) {
      const draw = drawing(3);
      for (let run = 0; run < 20; run++)
        assert.equal(foundAfter({ base: 0.9, by: "truth", together: 1, worse }, 5_000, draw), null);
    }
  });

  test("late: four times as long is found, the same time is not, and stalls that meet both are neither's", () => {
    const verdictOf = (ratio: number, seed: number) => {
      const draw = drawing(seed);
      const comparison = new Comparison({ alpha: 0.01, agreement: 0.98 });
      for (let at = 0; at < 4_000 && comparison.verdict === null; at++) {
        const isStalled = at % 200 < 15;
        const ms = (isStalled ? 80 : 4) * (0.5 - Math.log(1 - draw()));
        if (draw() < 0.1) comparison.answered("challenger", ms * ratio);
        else comparison.answered("incumbent", ms);
      }
      return comparison.verdict?.test ?? null;
    };
    for (let seed = 1; seed <= 20; seed++) {
      assert.equal(verdictOf(1, seed), null);
      assert.equal(verdictOf(1.3, seed), null);
      assert.equal(verdictOf(4, seed), "latency");
    }
  });

  test("alone: one that takes three times as long is found, one that takes the same is not, whatever disturbs either", () => {
    const verdictOf = (ratio: number, seed: number) => {
      const draw = drawing(seed);
      const comparison = new Comparison({ alpha: 0.01, agreement: 0.98 });
      const took = () => 4 * (0.8 + 0.4 * draw()) + (draw() < 0.1 ? 30 * draw() : 0);
      for (let at = 0; at < 400 && comparison.verdict === null; at++)
        comparison.alone(took(), ratio * took());
      return comparison.verdict?.test ?? null;
    };
    for (let seed = 1; seed <= 20; seed++)
      assert.deepEqual(
        [1, 1.2, 3].map((ratio) => verdictOf(ratio, seed)),
        [null, null, "latency"],
      );
  });

  test("a verdict says in words and figures why", () => {
    const worst: readonly [World["by"], RegExp][] = [
      [
        "truth",
        /^of \d+ answers whose truth is known it had \d+\.\d% right, the incumbent \d+\.\d% \(at α = 0.01\)$/,
      ],
      ["errors", /^of \d+ requests that both were asked it failed at \d+ that the incumbent answered/],
      ["agreement", /^it agreed with the incumbent on 9\d\.\d% of \d+ answers, and 98.0% is asked/],
    ];
    for (const [by, sentence] of worst) {
      const comparison = new Comparison({ alpha: 0.01, agreement: 0.98 });
      for (let at = 0; at < 2_000 && comparison.verdict === null; at++) {
        const wrong: HeardAnswer = by === "errors" ? { kind: "failed" } : label(1);
        const heard = at % 15 === 0 ? wrong : label(0);
        comparison.pair(label(0), heard);
        if (by === "truth") comparison.truth(label(0), heard, [0]);
      }
      assert.equal(comparison.verdict?.test, by);
      assert.match(comparison.verdict?.why ?? "", sentence);
    }
  });
});

describe("ROLL-4: where the truth is known, it decides", () => {
  test("a canary that differs often and is as often right stays; what agreement showed counts no more", () => {
    const comparison = new Comparison({ alpha: 0.01, agreement: 0.98 });
    const draw = drawing(5);
    for (let at = 0; at < 3_000; at++) {
      const [one, other] = [label(draw() < 0.9 ? 0 : 1), label(draw() < 0.9 ? 0 : 1)];
      comparison.pair(one, other);
      comparison.truth(one, other, [0]);
      assert.equal(comparison.verdict, null);
    }
    assert.ok(comparison.counts.agreed / comparison.counts.compared < 0.9);
  });

  test("numbers: the closer one is right, and numbers that are about the same agree", () => {
    const comparison = new Comparison({ alpha: 0.01, agreement: 0.98 });
    const number = (...values: readonly number[]): HeardAnswer => ({ kind: "values", values });
    comparison.pair(number(100, 5), number(101, 6));
    comparison.truth(number(100, 5), number(101, 6), [100, 6]);
    assert.deepEqual([comparison.counts.agreed, comparison.counts.incumbentRight], [0.5, 0.5]);
  });

  test("whatever comes first, both answers or the truth, each answer counts once", () => {
    type Step = "incumbent" | "canary" | "shadow" | "truth";
    const order = fc.shuffledSubarray<Step>(["incumbent", "canary", "shadow", "truth"], { minLength: 4 });
    fc.assert(
      fc.property(fc.array(order, { minLength: 1, maxLength: 5 }), (requests) => {
        const { rollout } = onTrial();
        let early = 0;
        for (const [at, steps] of requests.entries())
          for (const step of [...steps, ...steps]) {
            const id = `id${at}`;
            if (step !== "truth") rollout.heard(id, step, 1, label(0));
            else if (rollout.tell(id, [0]) === "unknown") early++;
          }
        const { counts } = rollout.comparison("canary") ?? assert.fail();
        assert.deepEqual([counts.pairs, counts.truths], [requests.length, requests.length]);
        assert.equal(early, requests.filter(([first]) => first === "truth").length);
      }),
    );
  });

  test("a truth of another number of rows, of an answer that nobody knows, or told twice counts for nothing", () => {
    const { rollout } = onTrial();
    rollout.heard("a", "incumbent", 2, { kind: "labels", best: [0, 1] });
    assert.deepEqual(
      [rollout.tell("b", [0]), rollout.tell("a", [0]), rollout.tell("a", [0, 1]), rollout.tell("a", [0, 1])],
      ["unknown", "rows-differ", "counted", "told-before"],
    );
  });

  test("answers are remembered up to a bound, the newest", () => {
    const memory = new AnswerMemory();
    for (let at = 0; at < answersRememberedMax + 10; at++) memory.take(`id${at}`, 1);
    assert.deepEqual(
      [
        memory.find("id9"),
        memory.find("id10") === null,
        memory.find(`id${answersRememberedMax + 9}`) === null,
      ],
      [null, false, false],
    );
  });
});

function onTrial(options: Partial<RolloutOptions> = {}) {
  const told: string[] = [];
  const rollout = new Rollout({
    ...{ alpha: 0.01, agreement: 0.98, canaryShare: 0.1, copyShare: 1, hasShadow: true, promoteAfter: null },
    onRollback: ({ test: by }) => void told.push(`back: ${by}`),
    onPromote: () => void told.push("promote"),
    ...options,
  });
  return { rollout, told };
}

function bothSay(rollout: Rollout, count: number, canary: (at: number) => HeardAnswer): void {
  for (let at = 0; at < count; at++) {
    rollout.heard(`id${at}`, "incumbent", 1, label(0));
    rollout.heard(`id${at}`, "canary", 1, canary(at));
  }
}

describe("ROLL-5: the end of a trial", () => {
  const failing = (): HeardAnswer => ({ kind: "failed" });

  test("enough evidence: told once, and no id goes to the canary from then on", () => {
    const { rollout, told } = onTrial({ canaryShare: 1 });
    assert.equal(rollout.roleFor("a"), "canary");
    bothSay(rollout, 100, failing);
    assert.deepEqual(told, ["back: errors"]);
    assert.equal(rollout.roleFor("a"), "incumbent");
    assert.ok(!rollout.copiesFor("a", "incumbent").includes("canary"));
    assert.equal(rollout.state, "rolled-back");
  });

  test("a shadow is told of and never taken back, however bad", () => {
    const { rollout, told } = onTrial({ canaryShare: null });
    for (let at = 0; at < 200; at++) {
      rollout.heard(`id${at}`, "incumbent", 1, label(0));
      rollout.heard(`id${at}`, "shadow", 1, failing());
    }
    assert.deepEqual([told, rollout.roleFor("a")], [[], "incumbent"]);
    assert.notEqual(rollout.comparison("shadow")?.verdict, null);
  });

  test("another incumbent: the evidence begins anew, for the one that is still on trial", () => {
    const { rollout, told } = onTrial({ agreement: 0 });
    bothSay(rollout, 5, failing);
    rollout.begin();
    assert.equal(rollout.comparison("canary")?.counts.pairs, 0);
    bothSay(rollout, 200, () => label(0));
    assert.deepEqual(told, []);
    rollout.end("ended");
    rollout.begin();
    assert.equal(rollout.isCanaryOn, false);
  });

  test("promotion is due once, after so many pairs without a verdict; what is being promoted is judged no more", () => {
    const { rollout, told } = onTrial({ promoteAfter: 50 });
    bothSay(rollout, 49, () => label(0));
    assert.deepEqual(told, []);
    bothSay(rollout, 60, () => label(0));
    assert.deepEqual([told, rollout.state], [["promote"], "promoting"]);
    rollout.stayOnTrial();
    for (let at = 100; at < 200; at++) {
      rollout.heard(`id${at}`, "incumbent", 1, label(0));
      rollout.heard(`id${at}`, "canary", 1, failing());
    }
    assert.deepEqual(told, ["promote", "back: errors"]);
  });
});
