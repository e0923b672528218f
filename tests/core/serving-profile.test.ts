/** What is kept of rows that are answered: which are looked at, that parts add up, what of them is never written, and how they have drifted. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { categoryDrift, numberDrift } from "../../data/drift/column-drift.ts";
import { profileDrift } from "../../data/drift/profile-drift.ts";
import { profileSchema, type Profile } from "../../data/profile/profile.ts";
import type { Signature } from "../../serving/model/served-model.ts";
import {
  knownCategories,
  strangeCategory,
  type KnownCategories,
} from "../../serving/profile/profiled-column.ts";
import { RowSample } from "../../serving/profile/row-sample.ts";
import { ServingScan } from "../../serving/profile/serving-scan.ts";
import {
  profiledMs,
  profileOf,
  servingProfileSchema,
  wholePart,
  withPart,
  type ServingPart,
  type ServingProfile,
} from "../../serving/profile/serving-profile.ts";
import { ServingWatch } from "../../serving/profile/serving-watch.ts";
import type { AskedRows } from "../../serving/protocol/asked-rows.ts";

const table: Signature = {
  inputs: [
    { name: "size", kind: "number", optional: true },
    { name: "colour", kind: "category", optional: true },
    { name: "note", kind: "text", optional: true },
  ],
  labels: ["low", "high"],
  target: "price",
};
const known: KnownCategories = new Map([["colour", new Set(["red", "blue"])]]);

describe("SERVE-18: rows that are looked at", () => {
  test("where few come, all; each at its place in its request, once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (requests) => {
        let now = 0;
        const sample = new RowSample(2, () => now);
        for (const count of requests) {
          const rows: number[] = [];
          sample.pass(count, (row) => rows.push(row));
          assert.deepEqual(
            rows,
            Array.from({ length: count }, (_, row) => row),
          );
          now += 1_000;
        }
        assert.equal(
          sample.seen,
          requests.reduce((sum, count) => sum + count, 0),
        );
      }),
    );
  });

  test("of a flood no more than a budget, spread over it, whatever the requests are like; and all again once it is over", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 40 }), (count, cells) => {
        let now = 0;
        const sample = new RowSample(cells, () => now);
        let looked = 0;
        let late = 0;
        let most = 0;
        const requests = Math.ceil(100_000 / count);
        for (let at = 0; at < requests; at++) {
          now = (at / requests) * 10_000;
          const before = looked;
          sample.pass(count, (row) => {
            assert.ok(row >= 0 && row < count);
            looked++;
            if (now > 5_000) late++;
          });
          most = Math.max(most, looked - before);
        }
        const budget = 10 * Math.max(20, 1_000 / cells);
        assert.ok(looked <= 1.13 * budget + 10, `${looked} of at most ${budget}`);
        assert.ok(looked >= 0.7 * budget, `${looked} of ${budget}`);
        assert.ok(late >= 0.4 * looked, `${late} of ${looked} in the second half`);
        assert.ok(most <= Math.max(10, budget / 10), `${most} of one request`);
        assert.equal(sample.seen, requests * count);
        now += 60_000;
        let again = 0;
        sample.pass(5, () => again++);
        assert.equal(again, 5);
      }),
      { numRuns: 30 },
    );
  });
});

const pause = () => Promise.resolve();
const cell = {
  size: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })),
  colour: fc.option(fc.constantFrom<string>("red", "blue", "green", "jane@example.org")),
  note: fc.option(fc.string({ maxLength: 40, unit: "grapheme" })),
};
const row = fc.record({ ...cell, high: fc.boolean() });
type Row = typeof row extends fc.Arbitrary<infer R> ? R : never;

function scanned(rows: readonly Row[]): Promise<Profile> {
  const scan = new ServingScan(table, known);
  for (const { colour, high, note, size } of rows) {
    const values = [size, colour, note];
    scan.add((input) => values[input], high ? "high" : "low", 0.75);
  }
  return profileOf("price@3", scan.rows, scan.scans, pause);
}

async function partOf(rows: readonly Row[], since: number): Promise<ServingPart> {
  return { since, until: since + 1, seen: 2 * rows.length, profile: await scanned(rows) };
}

function kept(part: ServingPart): ServingProfile {
  const { inputs, labels, target } = table;
  return {
    ...{ format: "trialmesh-serving-profile", version: 1, model: "price", modelVersion: 3, digest: "d" },
    ...{ inputs: [...inputs], labels: [...(labels ?? [])], target },
    ...part,
  };
}

function columnOf(profile: Profile, name: string) {
  const found = profile.columns.find((column) => column.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

async function behind(known: ServingProfile, part: ServingPart): Promise<ServingProfile> {
  const next = await withPart(known, part, pause);
  assert.ok(next !== null);
  return next;
}

test("SERVE-18: parts add up to what one look at all of it gives, through JSON too", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { maxLength: 20 }), { minLength: 1, maxLength: 5 }),
      async (parts) => {
        const [first = [], ...rest] = parts;
        let all = kept(await partOf(first, 1_000));
        for (const [at, rows] of rest.entries()) {
          const next = await behind(all, await partOf(rows, 2_000 + at));
          all = servingProfileSchema.parse(JSON.parse(JSON.stringify(next)));
        }
        const whole = await scanned(parts.flat());
        assert.equal(all.profile.rows, whole.rows);
        assert.equal(all.seen, 2 * whole.rows);
        for (const column of whole.columns) {
          const merged = columnOf(all.profile, column.name);
          assert.deepEqual([merged.missing, merged.rows], [column.missing, column.rows]);
          const byValue = (items: typeof column.frequent) =>
            items.map(({ rows, value }) => `${value} ${rows}`).toSorted();
          if (column.kind === "text") assert.deepEqual(byValue(merged.frequent), byValue(column.frequent));
          if (column.kind !== "number" || merged.kind !== "number") continue;
          assert.deepEqual([merged.values.min, merged.values.max], [column.values.min, column.values.max]);
          assert.ok(Math.abs((merged.values.mean ?? 0) - (column.values.mean ?? 0)) < 1e-6);
        }
        profileSchema.parse(all.profile);
      },
    ),
    { numRuns: 25 },
  );
});

test("SERVE-18: the day before yesterday is forgotten, and yesterday counts until then", async () => {
  const rows = (size: number) => [{ size, colour: "red", note: null, high: true }];
  let all = kept(await partOf(rows(1), 0));
  for (const day of [1, 2, 3]) {
    all = await behind(all, await partOf(rows(day + 1), day * (profiledMs + 10)));
    const whole = await wholePart(all, pause);
    const size = columnOf(whole.profile, "size");
    assert.ok(size.kind === "number");
    assert.deepEqual([size.rows, size.values.min, size.values.max], [2, day, day + 1]);
  }
});

test("SERVE-18: no text and no category that training did not know is kept, nor anything personal", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 12, maxLength: 60 }),
      fc.constantFrom("secret-street-7", "jane@example.org"),
      async (note, colour) => {
        const text = JSON.stringify(await scanned([{ size: 1, colour, note: `zq${note}`, high: true }]));
        assert.ok(!text.includes(JSON.stringify(`zq${note}`).slice(1, -1)));
        assert.ok(!text.includes(colour) && text.includes(strangeCategory));
      },
    ),
    { numRuns: 30 },
  );
  const scan = new ServingScan(table, knownCategories(null));
  scan.add((input) => [1, "mail jane@example.org", null][input], "low", 1);
  assert.ok(!JSON.stringify(await profileOf("x", scan.rows, scan.scans, pause)).includes("jane"));
});

test("SERVE-18: columns have names of their own, as drift of data sets has them", async () => {
  const names = (signature: Signature) => new ServingScan(signature, new Map()).scans.map(({ name }) => name);
  const text = { name: "text", kind: "text", optional: false } as const;
  assert.deepEqual(names({ inputs: [text], labels: ["a"], target: "label" }), [
    ...["characters", "words", "label", "probability"],
  ]);
  const inputs = [
    { ...text, name: "title" },
    text,
    { name: "label", kind: "number", optional: true },
  ] as const;
  assert.deepEqual(names({ inputs, labels: null, target: "label" }), [
    ...["title characters", "title words", "text characters", "text words", "label", "label (answer)"],
  ]);
  const strange = {
    inputs: [{ name: "__proto__", kind: "number", optional: true }],
    labels: null,
    target: "y",
  } as const;
  const scan = new ServingScan(strange, new Map());
  scan.add(() => 3, 1, null);
  const part = { since: 1, until: 2, seen: 1, profile: await profileOf("x", scan.rows, scan.scans, pause) };
  const joined = await behind(kept(part), part);
  assert.equal(columnOf(joined.profile, "__proto__").rows, 2);
});

async function driftOf(a: Profile, b: Profile, name: string) {
  return [...profileDrift(a, b)].find(({ column }) => column === name);
}

test("SERVE-19: drift by sketches is that of the values while they are few, and close to it where they are many", async () => {
  const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true, min: -100, max: 100 }), {
    ...{ minLength: 1, maxLength: 300 },
  });
  const profileFor = (sizes: readonly number[], colours: readonly string[] = []) =>
    scanned(
      sizes.map((size, at) => ({
        size,
        colour: colours[at % colours.length] ?? null,
        note: null,
        high: true,
      })),
    );
  const number = (values: readonly number[]) =>
    ({ kind: "number", missing: 0, values: Float64Array.from(values).sort() }) as const;
  await fc.assert(
    fc.asyncProperty(numbers, numbers, async (a, b) => {
      const found = await driftOf(await profileFor(a), await profileFor(b), "size");
      assert.deepEqual(found, numberDrift("size", number(a), number(b)));
    }),
    { numRuns: 40 },
  );
  const wave = (count: number, shift: number) =>
    Array.from({ length: count }, (_, at) => Math.sin(at) * 10 + shift);
  for (const shift of [0, 0.5, 3, 30]) {
    const [a, b] = [wave(60_000, 0), wave(40_000, shift)];
    const found = await driftOf(await profileFor(a), await profileFor(b), "size");
    const right = numberDrift("size", number(a), number(b));
    assert.ok(Math.abs((found?.statistic ?? 9) - right.statistic) < 0.02, `${shift}`);
    assert.equal(found?.drifted, right.drifted);
  }
  const counts = (colours: readonly string[]) => {
    const all = new Map<string, number>();
    for (const colour of colours) all.set(colour, (all.get(colour) ?? 0) + 1);
    return { kind: "category", missing: 0, counts: all } as const;
  };
  const [reds, blues] = [
    ["red", "red", "blue"],
    ["blue", "blue", "blue"],
  ];
  assert.deepEqual(
    await driftOf(await profileFor([1, 2, 3], reds), await profileFor([1, 2, 3], blues), "colour"),
    categoryDrift("colour", counts(reds), counts(blues)),
  );
});

test("SERVE-18: a watch sees texts and tables alike, and what was taken is not seen again", async () => {
  let wall = 5_000;
  const signature: Signature = {
    inputs: [{ name: "text", kind: "text", optional: false }],
    labels: ["a", "b"],
    target: "label",
  };
  const watch = new ServingWatch({
    ...{ title: "m@1", signature, known: new Map(), expectations: null },
    now: () => 0,
    wallNow: () => wall++,
  });
  assert.equal(await watch.take(pause), null);
  const rows: AskedRows = { kind: "texts", count: 2, texts: ["one", "two words"] };
  const answers = { kind: "labels", probabilities: Float32Array.from([0.25, 0.75, 1, 0]) } as const;
  watch.see(rows, answers);
  const part = await watch.take(() => {
    // What comes meanwhile is the next part's.
    if (wall < 5_003) watch.see(rows, answers);
    return Promise.resolve();
  });
  assert.ok(part !== null);
  assert.deepEqual([part.seen, part.profile.rows, part.since, part.until], [2, 2, 5_000, 5_001]);
  assert.deepEqual(
    columnOf(part.profile, "label").frequent.map(({ rows: count, value }) => [value, count]),
    [
      ["a", 1],
      ["b", 1],
    ],
  );
  const words = columnOf(part.profile, "words");
  assert.ok(words.kind === "number" && words.values.max === 2);
  assert.ok(((await watch.take(pause))?.seen ?? 0) > 0);
  assert.equal(await watch.take(pause), null);
});
