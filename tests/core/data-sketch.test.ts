/** Sketches: each answer within its stated error on inputs made to hurt it, merged in any order and grouping. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type * as z from "zod";
import { FrequentItems, frequentItemsSchema } from "../../data/sketch/frequent-items.ts";
import { HyperLogLog, hyperLogLogSchema } from "../../data/sketch/hyper-log-log.ts";
import { Kll, kllSchema } from "../../data/sketch/kll.ts";
import { minHash, minHashHashes } from "../../data/sketch/min-hash.ts";
import { estimateJaccard, mergeMinHash } from "../support/min-hash-pair.ts";
import { NearIndex, nearIndexSchema } from "../../data/sketch/near-index.ts";
import { jaccard, shingles, wordsOf } from "../../data/sketch/shingle.ts";
import { TextHash } from "../../data/sketch/text-hash.ts";
import { mixUnsigned } from "../../numeric/mix.ts";

/** JSON as a file would hold it, parsed as a reader would. */
function reread<T>(schema: z.ZodType<T>, sketch: { toJSON(): T }): T {
  return schema.parse(JSON.parse(JSON.stringify(sketch)));
}

const shapes = ["sorted", "reversed", "shuffled", "equal", "few", "skewed", "sawtooth"] as const;
function values(shape: (typeof shapes)[number], count: number, seed: number): number[] {
  const ordered = Array.from({ length: count }, (_, at) => at);
  switch (shape) {
    case "sorted":
      return ordered;
    case "reversed":
      return ordered.toReversed();
    case "shuffled":
      return ordered.toSorted((a, b) => mixUnsigned(a ^ seed) - mixUnsigned(b ^ seed));
    case "equal":
      return ordered.map(() => 7);
    case "few":
      return ordered.map((at) => mixUnsigned(at ^ seed) % 5);
    case "skewed":
      return ordered.map((at) => Math.round(2 ** 20 / (1 + (mixUnsigned(at ^ seed) % 100_000))));
    case "sawtooth":
      return ordered.map((at) => (at % 2 === 0 ? at : -at));
  }
}
const anyValues = fc
  .record({
    shape: fc.constantFrom(...shapes),
    count: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 700, max: 20_000 })),
    seed: fc.nat(),
  })
  .map(({ shape, count, seed }) => values(shape, count, seed));

/** Cuts a list at random places and merges the parts' sketches two by two in a random order. */
function mergedInAnyOrder<S extends { merge(other: S): void }>(
  list: readonly number[],
  cuts: readonly number[],
  picks: readonly number[],
  make: (part: readonly number[]) => S,
): S {
  const places = [0, ...cuts.map((cut) => Math.floor(cut * list.length)), list.length].toSorted(
    (a, b) => a - b,
  );
  const parts = places.slice(1).map((to, at) => make(list.slice(places[at], to)));
  for (let turn = 0; parts.length > 1; turn++) {
    const [one] = parts.splice((picks[turn % picks.length] ?? 0) % parts.length, 1);
    const into = parts[(picks[(turn + 1) % picks.length] ?? 0) % parts.length];
    if (one !== undefined) into?.merge(one);
  }
  const [last] = parts;
  assert.ok(last);
  return last;
}
/** Bounds of sketches hold with a probability: draws that are fixed pass again where they passed once. */
const seed = 20_261_124;
const anyCuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });
const anyPicks = fc.array(fc.nat(), { minLength: 2, maxLength: 12 });

test("SKETCH-1: the distinct count is within 5 standard errors for 0 to 300,000 values, however often each comes", () => {
  for (const distinct of [0, 1, 2, 10, 100, 1_000, 5_000, 20_000, 50_000, 300_000]) {
    for (const salt of ["", "other"]) {
      const sketch = new HyperLogLog();
      for (let at = 0; at < distinct; at++) sketch.add(`${salt}${at}`);
      for (let at = 0; at < Math.min(distinct, 500); at++) sketch.add(`${salt}${at}`);
      const error = Math.abs(sketch.estimate() - distinct);
      assert.ok(
        error <= 5 * HyperLogLog.relativeError * distinct,
        `${distinct} ${salt}: ${sketch.estimate()}`,
      );
    }
  }
});

test("SKETCH-2: distinct sketches of parts merge to exactly the sketch of the whole, and survive JSON", () => {
  fc.assert(
    fc.property(anyValues, anyCuts, anyPicks, (list, cuts, picks) => {
      const make = (part: readonly number[]) => {
        const sketch = new HyperLogLog();
        for (const value of part) sketch.add(String(value));
        return sketch;
      };
      const whole = make(list);
      const merged = mergedInAnyOrder(list, cuts, picks, make);
      assert.deepEqual(merged.toJSON(), whole.toJSON());
      assert.deepEqual(HyperLogLog.from(reread(hyperLogLogSchema, merged)).toJSON(), whole.toJSON());
      const distinct = new Set(list).size;
      assert.ok(
        Math.abs(whole.estimate() - distinct) <=
          // Two of few values may share a register, which is one in 16,384 and no fault.
          2 + 5 * HyperLogLog.relativeError * distinct,
      );
    }),
    { numRuns: 25, seed },
  );
});

/** The largest distance between an asked and a given rank, where equal values may take any of their ranks. */
function rankErrorOf(sketch: Kll, list: readonly number[]): number {
  const sorted = Float64Array.from(list).sort();
  const shares = Array.from({ length: 101 }, (_, at) => at / 100);
  const below = (holds: (value: number) => boolean) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (holds(sorted[middle] ?? 0)) from = middle + 1;
      else to = middle;
    }
    return from / sorted.length;
  };
  return Math.max(
    ...sketch.quantiles(shares).map((value, at) => {
      const share = shares[at] ?? 0;
      const low = below((each) => each < value);
      const high = below((each) => each <= value);
      return Math.max(0, low - share, share - high);
    }),
  );
}

test("SKETCH-3: every percentile is within the stated rank error, of one sketch and of parts merged in any order", () => {
  fc.assert(
    fc.property(anyValues, anyCuts, anyPicks, fc.nat(), (list, cuts, picks, seed) => {
      const make = (part: readonly number[]) => {
        const sketch = new Kll(seed);
        for (const value of part) sketch.add(value);
        return sketch;
      };
      for (const sketch of [make(list), mergedInAnyOrder(list, cuts, picks, make)]) {
        assert.equal(sketch.count, list.length);
        assert.equal(
          sketch.min,
          list.reduce((a, b) => Math.min(a, b)),
        );
        assert.equal(
          sketch.max,
          list.reduce((a, b) => Math.max(a, b)),
        );
        // The stated error holds with 99% for a draw; twice that is beyond any draw a test should see.
        assert.ok(rankErrorOf(sketch, list) <= 2 * sketch.rankError + 1 / list.length);
        assert.deepEqual(
          Kll.from(reread(kllSchema, sketch)).quantiles([0.1, 0.5, 0.9]),
          sketch.quantiles([0.1, 0.5, 0.9]),
        );
        const { weights } = sketch.weighted();
        assert.equal(
          weights.reduce((a, b) => a + b, 0),
          list.length,
        );
      }
    }),
    { numRuns: 40, seed: 1 },
  );
});

test("SKETCH-4: in 19 of 20 draws the largest rank error of all percentiles is within what is stated", () => {
  let within = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const list = values("shuffled", 20_000, seed);
    const sketch = new Kll(seed);
    for (const value of list) sketch.add(value);
    if (rankErrorOf(sketch, list) <= Kll.rankError) within++;
  }
  assert.ok(within >= 19, `${within} of 20`);
});

test("SKETCH-3a: a value given many times at once counts as so many", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 900 })), {
        minLength: 1,
      }),
      (pairs) => {
        const sketch = new Kll();
        for (const [value, times] of pairs) sketch.addMany(value, times);
        const list = pairs.flatMap(([value, times]) => Array.from({ length: times }, () => value));
        assert.equal(sketch.count, list.length);
        assert.ok(rankErrorOf(sketch, list) <= 2 * sketch.rankError + 1 / list.length);
      },
    ),
    { numRuns: 30, seed: 1 },
  );
});

test("SKETCH-5: up to 800 values quantiles are exact, and no error is stated", () => {
  const sketch = new Kll();
  for (const value of values("shuffled", 800, 3)) sketch.add(value);
  assert.equal(sketch.rankError, 0);
  assert.deepEqual(sketch.quantiles([0, 0.25, 0.5, 1]), [0, 199, 399, 799]);
});

test("SKETCH-6: a frequent value's count is never too high, too low by the stated bound at most, and never missing above it", () => {
  fc.assert(
    fc.property(anyValues, anyCuts, anyPicks, (list, cuts, picks) => {
      const make = (part: readonly number[]) => {
        const sketch = new FrequentItems();
        for (const value of part) sketch.add(String(value));
        return sketch;
      };
      const truth = new Map<string, number>();
      for (const value of list) truth.set(String(value), (truth.get(String(value)) ?? 0) + 1);
      for (const sketch of [make(list), mergedInAnyOrder(list, cuts, picks, make)]) {
        assert.equal(sketch.rows, list.length);
        assert.ok(sketch.undercount <= list.length / (FrequentItems.counters + 1));
        const found = new Map(sketch.top(5000).map(({ value, rows }) => [value, rows]));
        for (const [value, rows] of truth) {
          const counted = found.get(value) ?? 0;
          assert.ok(
            counted <= rows && counted >= rows - sketch.undercount,
            `${value}: ${counted} of ${rows}`,
          );
        }
        assert.deepEqual(FrequentItems.from(reread(frequentItemsSchema, sketch)).top(10), sketch.top(10));
      }
    }),
    { numRuns: 25, seed },
  );
});

/** Two sets of `all` elements together of which `common` are in both. */
function pair(common: number, all: number, salt: number): [Uint32Array, Uint32Array] {
  const element = (at: number) => mixUnsigned(mixUnsigned(at + 1) ^ salt);
  const left = Math.floor((all - common) / 2);
  const sorted = (from: number, to: number) =>
    Uint32Array.from({ length: to - from }, (_, at) => element(from + at)).sort();
  return [sorted(0, left + common), sorted(left, all)];
}

test("SKETCH-7: MinHash estimates overlap without bias and within 5 standard errors; a union's signature is the merged one", () => {
  for (const [common, all] of [
    [0, 40],
    [1, 2],
    [10, 100],
    [50, 100],
    [80, 100],
    [95, 100],
    [1, 1],
  ] as const) {
    const draws = 40;
    let sum = 0;
    for (let salt = 1; salt <= draws; salt++) {
      const [a, b] = pair(common, all, salt);
      const estimate = estimateJaccard(minHash(a), minHash(b));
      sum += estimate;
      const truth = jaccard(a, b);
      assert.ok(Math.abs(estimate - truth) <= 5 * Math.sqrt((truth * (1 - truth)) / minHashHashes) + 1e-12);
      assert.deepEqual(mergeMinHash(minHash(a), minHash(b)), minHash(Uint32Array.from([...a, ...b])));
    }
    const truth = common / all;
    const error = Math.sqrt((truth * (1 - truth)) / (draws * minHashHashes));
    assert.ok(Math.abs(sum / draws - truth) <= 4 * error + 1e-12, `${common}/${all}: ${sum / draws}`);
  }
});

test("SKETCH-8: the near index joins nothing below its threshold and misses at most 3 of 200 pairs just above it", () => {
  for (const threshold of [0.5, 0.8, 0.9]) {
    const all = 60;
    const above = Math.ceil(threshold * all);
    const index = new NearIndex(threshold);
    const pairs = 200;
    for (let at = 0; at < pairs; at++) {
      const [a, b] = pair(above, all, 10_000 + at);
      index.add(4 * at, a);
      index.add(4 * at + 1, b);
      const [c, d] = pair(above - 1, all, 90_000 + at);
      index.add(4 * at + 2, c);
      index.add(4 * at + 3, d);
    }
    const groups = index.groups();
    assert.ok(
      groups.every((ids) => ids.length === 2 && (ids[0] ?? 0) % 4 === 0 && ids[1] === (ids[0] ?? 0) + 1),
    );
    assert.ok(groups.length >= pairs - 3, `${threshold}: ${groups.length}`);
    assert.deepEqual(NearIndex.from(reread(nearIndexSchema, index)).groups(), groups);
  }
});

test("SKETCH-9: near indices of parts merge to the groups of the whole", () => {
  const texts = Array.from(
    { length: 120 },
    (_, at) =>
      `how many ${"abcdefghij"[at % 10]}${at % 40} live in the town of x${at % 40}y${(at * 7) % 40} ?`,
  );
  const make = (ids: readonly number[]) => {
    const index = new NearIndex(0.8);
    for (const id of ids) index.add(id, shingles(wordsOf(texts[id] ?? ""), "characters", 4));
    return index;
  };
  const ids = texts.map((_, at) => at);
  const whole = make(ids);
  assert.ok(whole.groups().length >= 20);
  const merged = make(ids.filter((id) => id % 3 === 0));
  for (const part of [1, 2]) merged.merge(make(ids.filter((id) => id % 3 === part)));
  assert.deepEqual(merged.groups(), whole.groups());
});

test("SKETCH-10: shingles ignore punctuation and order of finding; short texts are one shingle, wordless ones none", () => {
  assert.deepEqual(
    shingles(wordsOf("who was galileo ?"), "characters", 4),
    shingles(wordsOf("who was galileo"), "characters", 4),
  );
  assert.equal(shingles(wordsOf("ab"), "characters", 4).length, 1);
  assert.equal(shingles(wordsOf("?!"), "characters", 4).length, 0);
  assert.equal(shingles(wordsOf("a b c d"), "words", 3).length, 2);
  assert.equal(jaccard(new Uint32Array(0), new Uint32Array(0)), 0);
});

test("SKETCH-11: the hash parts texts that differ anywhere, in length too, and turns about half of its bits", () => {
  const hash = new TextHash(5);
  const seen = new Map<string, string>();
  const texts = [
    "",
    "\0",
    "\0\0",
    "a",
    "b",
    "ab",
    "ba",
    "é",
    "e\u0301",
    "😀",
    ...Array.from({ length: 20_000 }, (_, at) => `v${at}`),
  ];
  let bits = 0;
  let [low, high] = [0, 0];
  for (const text of texts) {
    hash.of(text);
    const key = `${hash.low}/${hash.high}`;
    assert.equal(seen.get(key), undefined);
    seen.set(key, text);
    for (const word of [hash.low ^ low, hash.high ^ high]) {
      for (let bit = 0; bit < 32; bit++) bits += (word >>> bit) & 1;
    }
    [low, high] = [hash.low, hash.high];
  }
  assert.ok(Math.abs(bits / (64 * texts.length) - 0.5) < 0.005);
});
