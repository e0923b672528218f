import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { stoppingSchema } from "../../protocol/stopping.ts";
import { ashaRungs } from "../../search/stopping/asha.ts";
import { bracketTurns, hyperbandBrackets } from "../../search/stopping/bracket.ts";
import { stoppingPolicy } from "../../search/stopping/choose-policy.ts";
import { fronts } from "../../search/sampler/rank.ts";
import { amongBest, bestFirst, outranks } from "../../search/stopping/curve-rank.ts";
import { stopText } from "../../search/stopping/stop-reason.ts";
import type { RungEntry, Scores, StoppingPolicy, Verdict } from "../../search/stopping/stopping-policy.ts";

function policyOf(stopping: Record<string, unknown>): StoppingPolicy {
  return stoppingPolicy(stoppingSchema.parse(stopping));
}

function entry(number: number, scores: Scores, state: "new" | "paused" | "promoted" = "new"): RungEntry {
  return {
    trial: `s1-${number}`,
    number,
    scores,
    promoted: state === "promoted",
    paused: state === "paused",
  };
}

/** Feeds scores to one rung in order, pausing and promoting as the coordinator does; gives who was promoted, in order. */
function feed(policy: StoppingPolicy, arrivals: readonly { number: number; scores: Scores }[], resource = 1) {
  let entries: RungEntry[] = [];
  const promoted: number[] = [];
  const promote = (number: number) => {
    promoted.push(number);
    entries = entries.map((each) => (each.number === number ? entry(number, each.scores, "promoted") : each));
  };
  const seen: { promoted: readonly number[]; entries: readonly RungEntry[] }[] = [];
  for (const { number, scores } of arrivals) {
    const own = entry(number, scores);
    entries = [...entries, own];
    const before = promoted.length;
    const verdict = policy.verdict({ resource, trial: own, entries, curveOf: (each) => [each.scores] });
    if (verdict.kind === "continue") promote(number);
    else entries = entries.map((each) => (each.number === number ? entry(number, scores, "paused") : each));
    for (const next of policy.promotable(entries)) promote(next.number);
    seen.push({ promoted: promoted.slice(before), entries });
  }
  return { promoted, entries, seen };
}

const arrivalsOf = (scores: readonly number[]) =>
  scores.map((score, index) => ({ number: index + 1, scores: [score] }));

/** Algorithm 2 of Li et al. 2020, asked after every arrival: whoever is in the top and was not promoted, is. */
function paperPromotions(scores: readonly number[], eta: number): number[] {
  const promoted = new Set<number>();
  scores.forEach((_, last) => {
    const there = scores.slice(0, last + 1).map((score, index) => ({ score, number: index + 1 }));
    const ranked = there.sort((a, b) => b.score - a.score || a.number - b.number);
    for (const { number } of ranked.slice(0, Math.floor(there.length / eta))) promoted.add(number);
  });
  return [...promoted].sort((a, b) => a - b);
}

const someScores = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 60 });

/** The best ⌊n/eta⌋, with nothing but sorting. */
function topOf(entries: readonly RungEntry[], eta: number): readonly RungEntry[] {
  return bestFirst(entries).slice(0, Math.floor(entries.length / eta));
}

describe("STOP-1: asha", () => {
  test("STOP-1: it promotes exactly whom the paper's algorithm promotes, and at each rung at most ⌊n/eta⌋ are the top", () => {
    fc.assert(
      fc.property(someScores, fc.integer({ min: 2, max: 5 }), (scores, eta) => {
        const policy = policyOf({ policy: "asha", min: 1, max: eta ** 3, eta });
        const { promoted, seen } = feed(policy, arrivalsOf(scores));
        assert.deepEqual(
          promoted.toSorted((a, b) => a - b),
          paperPromotions(scores, eta),
        );
        for (const step of seen) {
          const top = topOf(step.entries, eta);
          assert.ok(top.length <= step.entries.length / eta);
          assert.ok(step.promoted.every((number) => top.some((each) => each.number === number)));
        }
      }),
    );
  });

  test("STOP-1: whatever the order of arrival, the best ⌊n/eta⌋ of all end up promoted; the others promoted were in the top when they were", () => {
    fc.assert(
      fc.property(
        fc
          .uniqueArray(fc.integer({ min: 0, max: 1_000 }), { minLength: 3, maxLength: 40 })
          .chain((scores) =>
            fc.tuple(fc.constant(scores), fc.shuffledSubarray(scores, { minLength: scores.length })),
          ),
        ([scores, shuffled]) => {
          const policy = policyOf({ policy: "asha", min: 1, max: 9, eta: 3 });
          const numberOf = (score: number) => scores.indexOf(score) + 1;
          const best = scores.toSorted((a, b) => b - a).slice(0, Math.floor(scores.length / 3));
          for (const order of [scores, shuffled]) {
            const { promoted } = feed(
              policy,
              order.map((score) => ({ number: numberOf(score), scores: [score] })),
            );
            for (const score of best) assert.ok(promoted.includes(numberOf(score)));
            assert.equal(new Set(promoted).size, promoted.length);
          }
        },
      ),
    );
  });

  test("STOP-1: who is among the best is the same with and without sorting all", () => {
    const score = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(Number.NaN, Infinity, -Infinity));
    fc.assert(
      fc.property(fc.array(score, { maxLength: 30 }), fc.nat(32), fc.nat(), (scores, count, pick) => {
        const entries = scores.map((each, index) => entry(index + 1, [each]));
        const some = entries.filter(({ number }) => (pick >> (number % 30)) % 2 === 0);
        const sorted = bestFirst(entries).slice(0, count);
        assert.deepEqual(
          amongBest(entries, count, some),
          sorted.filter((each) => some.includes(each)),
        );
      }),
    );
  });

  test("STOP-1: rungs rise by eta from min to max, none judged twice at almost the same length", () => {
    assert.deepEqual(ashaRungs(1, 81, 3), [1, 3, 9, 27, 81]);
    assert.deepEqual(ashaRungs(1, 10, 3), [1, 3, 10]);
    assert.deepEqual(ashaRungs(11, 100, 3), [11, 33, 100]);
    assert.deepEqual(ashaRungs(5, 6, 4), [5, 6]);
    assert.deepEqual(ashaRungs(4, 4, 2), [4]);
  });
});

describe("STOP-2: hyperband", () => {
  test("STOP-2: brackets and budgets are those of the paper's table for R = 81, eta = 3", () => {
    const rows = hyperbandBrackets(1, 81, 3).map(({ halvings, trials, rungs }) => ({
      halvings,
      plan: rungs.map((resource, index) => [Math.floor(trials / 3 ** index), resource]),
    }));
    assert.deepEqual(rows, [
      {
        halvings: 4,
        plan: [
          [81, 1],
          [27, 3],
          [9, 9],
          [3, 27],
          [1, 81],
        ],
      },
      {
        halvings: 3,
        plan: [
          [34, 3],
          [11, 9],
          [3, 27],
          [1, 81],
        ],
      },
      {
        halvings: 2,
        plan: [
          [15, 9],
          [5, 27],
          [1, 81],
        ],
      },
      {
        halvings: 1,
        plan: [
          [8, 27],
          [2, 81],
        ],
      },
      { halvings: 0, plan: [[5, 81]] },
    ]);
  });

  test("STOP-2: rungs are whole, rise, start no lower than min and end at max", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 2, max: 6 }),
        (min, more, eta) => {
          const max = min + more;
          for (const { rungs } of hyperbandBrackets(min, max, eta)) {
            assert.ok(rungs.every((rung, index) => Number.isInteger(rung) && rung > (rungs[index - 1] ?? 0)));
            assert.ok((rungs[0] ?? 0) >= min);
            assert.equal(rungs.at(-1), max);
          }
        },
      ),
    );
  });

  test("STOP-2: a trial's bracket depends on its number alone; each round gives every bracket its trials, each part of a round nearly its share", () => {
    const brackets = hyperbandBrackets(1, 81, 3);
    const round = brackets.reduce((sum, { trials }) => sum + trials, 0);
    const turn = bracketTurns(brackets);
    const counts = brackets.map(() => 0);
    for (let number = 1; number <= 2 * round; number++) {
      const bracket = turn(number);
      counts[bracket] = (counts[bracket] ?? 0) + 1;
      brackets.forEach(({ trials }, index) => {
        assert.ok(Math.abs((counts[index] ?? 0) - (trials * number) / round) < brackets.length);
      });
    }
    assert.deepEqual(
      counts,
      brackets.map(({ trials }) => 2 * trials),
    );
    // Asked in another order, by another copy, the answers are the same.
    const other = bracketTurns(brackets);
    for (const number of [286, 7, 144, 1, 90]) assert.equal(other(number), turn(number));
  });

  test("STOP-2: trials are compared within their bracket only", () => {
    const policy = policyOf({ policy: "hyperband", min: 1, max: 9, eta: 3 });
    const at = (resource: number) =>
      Array.from({ length: 40 }, (_, index) => index + 1).filter(
        (number) => policy.rungsOf(number)[0] === resource,
      );
    assert.deepEqual(policy.rungs, [1, 3, 9]);
    const [a = 0, b = 0, c = 0] = at(3);
    const strong = at(1)
      .slice(0, 9)
      .map((number) => entry(number, [100 + number], "promoted"));
    const weak = [entry(a, [3]), entry(b, [2], "paused"), entry(c, [1], "paused")];
    const verdict = (trial: RungEntry) =>
      policy.verdict({
        resource: 3,
        trial,
        entries: [...strong, ...weak],
        curveOf: (each) => [each.scores],
      });
    assert.equal(weak[0] === undefined ? "" : verdict(weak[0]).kind, "continue");
  });

  test("STOP-2: bohb judges as hyperband does", () => {
    const [one, two] = ["hyperband", "bohb"].map((policy) => policyOf({ policy, min: 1, max: 27 }));
    for (let number = 1; number < 100; number++) assert.deepEqual(one?.rungsOf(number), two?.rungsOf(number));
  });
});

/** Gives the verdict on the last of these curves, one score per rung. */
function onLast(policy: StoppingPolicy, curves: readonly (readonly number[])[]): Verdict {
  const length = curves.at(-1)?.length ?? 0;
  const reached = curves.filter((curve) => curve.length >= length);
  const entries = reached.map((curve, index) => entry(index + 1, [curve[length - 1] ?? Number.NaN]));
  const trial = entries.at(-1);
  assert.ok(trial !== undefined);
  const curveOf = ({ number }: RungEntry) =>
    (reached[number - 1] ?? []).slice(0, length).map((score) => [score]);
  return policy.verdict({ resource: policy.rungs[length - 1] ?? 0, trial, entries, curveOf });
}

describe("STOP-3: median and percentile", () => {
  const curve = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 });

  test("STOP-3: a trial ends where its best is worse than the true median of the others' running averages", () => {
    const policy = policyOf({ policy: "median", max: 10, interval: 1, minTrials: 2 });
    fc.assert(
      fc.property(fc.array(curve, { minLength: 3, maxLength: 12 }), (curves) => {
        const averages = curves.slice(0, -1).map((each) => each.reduce((sum, score) => sum + score, 0) / 3);
        const sorted = averages.toSorted((a, b) => a - b);
        const half = sorted.length / 2;
        const middle =
          sorted.length % 2 === 1 ? [sorted[Math.floor(half)]] : [sorted[half - 1], sorted[half]];
        const median = middle.reduce<number>((sum, score) => sum + (score ?? 0), 0) / middle.length;
        const best = Math.max(...(curves.at(-1) ?? []));
        fc.pre(Math.abs(best - median) > 1e-9);
        assert.equal(onLast(policy, curves).kind, best < median ? "stop" : "continue");
      }),
    );
  });

  test("STOP-3: one outlier moves a mean but not the median", () => {
    const policy = policyOf({ policy: "median", max: 10, interval: 1, minTrials: 3 });
    // The mean of the others is 25.5: a rule that computes that would end this trial.
    assert.equal(onLast(policy, [[1], [1], [100], [0], [2]]).kind, "continue");
    assert.equal(onLast(policy, [[1], [1], [100], [3], [2]]).kind, "continue");
    assert.equal(onLast(policy, [[3], [1], [100], [3], [2]]).kind, "stop");
  });

  test("STOP-3: nobody ends before the grace or among too few others", () => {
    const policy = policyOf({ policy: "median", max: 10, interval: 2, grace: 5, minTrials: 3 });
    assert.deepEqual(policy.rungs, [5, 7, 9, 10]);
    assert.equal(onLast(policy, [[5], [5], [1]]).kind, "continue");
    assert.equal(onLast(policy, [[5], [5], [5], [1]]).kind, "stop");
    assert.deepEqual(policyOf({ policy: "median", max: 95 }).rungs, [10, 20, 30, 40, 50, 60, 70, 80, 90, 95]);
  });

  test("STOP-3: percentile keeps the best share of what the others have at the same epoch", () => {
    const policy = policyOf({ policy: "percentile", percentile: 25, max: 10, interval: 1, minTrials: 4 });
    const others = [[1], [2], [3], [4], [5]];
    assert.equal(onLast(policy, [...others, [4]]).kind, "continue");
    assert.equal(onLast(policy, [...others, [3.9]]).kind, "stop");
    // Its best so far counts, not its latest.
    const longer = [
      [0, 1],
      [0, 2],
      [0, 3],
      [0, 4],
      [0, 5],
    ];
    assert.equal(onLast(policy, [...longer, [4.5, 0]]).kind, "continue");
  });

  test("STOP-3: the reason names rule, value, epoch, threshold and how many it was compared with", () => {
    const policy = policyOf({ policy: "median", max: 10, interval: 1, minTrials: 3 });
    const verdict = onLast(policy, [[0.78], [0.9], [0.5], [0.71]]);
    assert.ok(verdict.kind === "stop");
    const text = (goal: "maximize" | "minimize", sign: number) =>
      stopText(verdict.reason, 4, goal, (score) => sign * score);
    assert.equal(text("maximize", 1), "median: 0.71 by epoch 4 is below the median 0.78 of 3 trials");
    assert.equal(text("minimize", -1), "median: -0.71 by epoch 4 is above the median -0.78 of 3 trials");
  });
});

describe("STOP-4: patience", () => {
  const cases: readonly (readonly [string, readonly number[], number, boolean])[] = [
    ["still rising", [1, 2, 3, 4], 0, false],
    ["two rungs without a gain", [1, 2, 2, 2], 0, true],
    ["one is not enough", [1, 2, 3, 3], 0, false],
    ["gains too small to count", [1, 1.05, 1.09], 0.1, true],
    ["small gains add up", [1, 1.06, 1.12], 0.1, false],
    ["a gain in between starts anew", [1, 1, 2, 2], 0, false],
    ["no finite value is no gain", [1, Number.NaN, Number.NaN], 0, true],
  ];
  for (const [name, curve, minDelta, ends] of cases) {
    test(`STOP-4: ${name}`, () => {
      const policy = policyOf({ policy: "patience", max: 20, interval: 1, patience: 2, minDelta });
      assert.equal(onLast(policy, [curve]).kind, ends ? "stop" : "continue");
    });
  }
});

describe("STOP-5: several objectives", () => {
  const someEntries = (objectives: number) =>
    fc
      .array(fc.array(fc.integer({ min: 0, max: 6 }), { minLength: objectives, maxLength: objectives }), {
        minLength: 1,
        maxLength: 40,
      })
      .map((all) => all.map((scores, index) => entry(index + 1, scores)));

  for (const objectives of [2, 3]) {
    test(`STOP-5: fronts are those of the definition, ${objectives} objectives`, () => {
      fc.assert(
        fc.property(someEntries(objectives), (entries) => {
          let left = entries;
          for (const places of fronts(entries.map(({ scores }) => scores.map((score) => -score)))) {
            const front = places.flatMap((place) => entries[place] ?? []);
            const free = left.filter(({ scores }) => !left.some((other) => outranks(other.scores, scores)));
            const numbers = (of: readonly RungEntry[]) =>
              of.map(({ number }) => number).sort((a, b) => a - b);
            assert.deepEqual(numbers(front), numbers(free));
            left = left.filter((each) => !free.includes(each));
          }
          assert.equal(left.length, 0);
        }),
      );
    });

    test(`STOP-5: no dominated trial is promoted over one that dominates it, ${objectives} objectives`, () => {
      fc.assert(
        fc.property(someEntries(objectives), (entries) => {
          const top = amongBest(entries, Math.floor(entries.length / 3), entries);
          for (const chosen of top) {
            const above = entries.filter(({ scores }) => outranks(scores, chosen.scores));
            assert.ok(above.every((each) => top.includes(each)));
          }
        }),
      );
    });
  }

  test("STOP-5: within a front the edges come first, then the less crowded", () => {
    const front = [
      [0, 10],
      [1, 9],
      [2, 8],
      [6, 4],
      [10, 0],
    ].map((scores, index) => entry(index + 1, scores));
    assert.deepEqual(
      bestFirst(front).map(({ number }) => number),
      [1, 5, 4, 3, 2],
    );
  });

  test("STOP-5: median and percentile end a dominated trial of the worse part, and never one of the front", () => {
    const policy = policyOf({ policy: "median", max: 10, interval: 1, minTrials: 3 });
    const others = [entry(1, [5, 5]), entry(2, [4, 4]), entry(3, [6, 1]), entry(4, [3, 3])];
    const on = (scores: Scores) => {
      const trial = entry(9, scores);
      return policy.verdict({
        resource: 1,
        trial,
        entries: [...others, trial],
        curveOf: (each) => [each.scores],
      });
    };
    assert.equal(on([0, 9]).kind, "continue");
    assert.equal(on([4.5, 4.5]).kind, "continue");
    assert.equal(on([2, 2]).kind, "stop");
  });
});

test("STOP-6: a value that is not finite is never promoted, by any policy", () => {
  const bad = [Number.NaN, Infinity, -Infinity];
  for (const policy of ["asha", "hyperband", "bohb"].map((name) =>
    policyOf({ policy: name, max: 27, eta: 2 }),
  )) {
    const score = fc.oneof(fc.constantFrom(...bad), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(fc.array(score, { minLength: 2, maxLength: 30 }), (scores) => {
        const { promoted } = feed(policy, arrivalsOf(scores));
        assert.ok(promoted.every((number) => Number.isFinite(scores[number - 1])));
      }),
    );
  }
  const [first, second] = [entry(1, [1, Number.NaN]), entry(2, [0, 0])];
  assert.deepEqual(bestFirst([first, second]), [second]);
});

describe("STOP-7: what makes no sense is refused with its field", () => {
  const cases: readonly (readonly [Record<string, unknown>, string, RegExp])[] = [
    [{ policy: "asha", min: 10, max: 9 }, "min", /^min 10 is above max 9$/],
    [{ policy: "hyperband", min: 10, max: 9 }, "min", /^min 10 is above max 9$/],
    [{ policy: "bohb", max: 9, eta: 1 }, "eta", /2 or more/],
    [{ policy: "none", max: 0 }, "max", />=1/],
    [{ policy: "asha", max: 9, eta: 2.5 }, "eta", /int/],
    [{ policy: "percentile", max: 9, percentile: 0 }, "percentile", /between 0 and 100/],
    [{ policy: "percentile", max: 9, percentile: 100 }, "percentile", /between 0 and 100/],
    [{ policy: "percentile", max: 9 }, "percentile", /number/],
    [{ policy: "median", max: 9, interval: 10 }, "interval", /^interval 10 is above max 9$/],
    [{ policy: "median", max: 9, grace: 12 }, "grace", /^grace 12 is above max 9$/],
    [{ policy: "median", max: 9, minTrials: 0 }, "minTrials", />=1/],
    [{ policy: "patience", max: 9, patience: 0 }, "patience", />=1/],
    [{ policy: "patience", max: 9, minDelta: -1 }, "minDelta", />=0/],
    [{ policy: "none", max: 9, target: Number.NaN }, "target", /number/],
    [{ policy: "none", max: 9, eta: 3 }, "", /eta/],
  ];
  for (const [stopping, field, message] of cases) {
    test(`STOP-7: ${JSON.stringify(stopping)}`, () => {
      const { error } = stoppingSchema.safeParse(stopping);
      const [issue, ...more] = error?.issues ?? [];
      assert.ok(issue !== undefined && more.length === 0);
      assert.equal(issue.path.join("."), field);
      assert.match(issue.message, message);
    });
  }
});
