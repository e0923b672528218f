/** Splits of a build: no group on two sides, shares within a stratum, official splits as they are, nothing left to chance. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { openEngine, type Engine } from "../../data/engine/sql-engine.ts";
import { splitRows } from "../../data/plan/split-rows.ts";
import { jaccard, findNearGroups } from "../../data/plan/near-group.ts";
import { normaliseText } from "../../data/row/split.ts";
import { UnionFind } from "../../data/plan/union-find.ts";
import { buildFolder, built, put, rowsOf } from "../support/dataset-build.ts";

interface Row {
  readonly key: number;
  readonly near: number | null;
  readonly label: number;
  readonly official: "train" | "validation" | "test" | null;
}

const usual = { step: "split", train: 0.8, validation: 0.1, test: 0.1, seed: 1 } as const;

async function withEngine<T>(threads: number, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine({ workDir: buildFolder, threads, memoryMiB: 256, onDisk: false });
  try {
    return await work(engine);
  } finally {
    engine.close();
  }
}

async function split(rows: readonly Row[], threads = 2, seed = 1) {
  return withEngine(threads, async (engine) => {
    await engine.run(
      "CREATE TABLE keyed (__file INTEGER, __line BIGINT, __split VARCHAR, __near VARCHAR, label VARCHAR, __key UBIGINT)",
    );
    const values = rows.map(
      ({ key, near, label, official }, line) =>
        `(0, ${line}, ${official === null ? "NULL" : `'${official}'`}, ${near === null ? "NULL" : `'n${near}'`}, 'l${label}', ${key})`,
    );
    if (values.length > 0) await engine.run(`INSERT INTO keyed VALUES ${values.join(", ")}`);
    const done = await splitRows(engine, { ...usual, seed }, "keyed", "label");
    const found = await engine.rows("SELECT __line, __split FROM in_split ORDER BY 1");
    return { ...done, splits: new Map(found.map(([line, name]) => [Number(line), String(name)])) };
  });
}

const row: fc.Arbitrary<Row> = fc.record({
  key: fc.nat({ max: 30 }),
  near: fc.option(fc.nat({ max: 5 }), { freq: 2 }),
  label: fc.nat({ max: 2 }),
  official: fc.oneof(
    { weight: 6, arbitrary: fc.constant(null) },
    fc.constantFrom("train", "validation", "test"),
  ),
});

test("SPLIT-5: no key and no near group straddles splits; official held-out rows stay, what leaks is dropped", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 60 }), async (rows) => {
      const { splits, leakedRows } = await split(rows);
      const groups = new UnionFind();
      for (const { key, near } of rows) groups.join(key, near === null ? key : 1000 + near);
      const homes = new Map<number, string>();
      for (const [line, { key, official }] of rows.entries()) {
        const found = splits.get(line);
        if (official === "validation" || official === "test") {
          assert.equal(found, official);
          continue;
        }
        const group = groups.find(key);
        const held = rows.some(
          (other) =>
            (other.official === "validation" || other.official === "test") &&
            groups.find(other.key) === group,
        );
        assert.equal(found === undefined, held, `line ${line}`);
        if (found === undefined) continue;
        assert.equal(homes.get(group) ?? found, found);
        homes.set(group, found);
      }
      assert.equal(splits.size + leakedRows, rows.length);
    }),
    { numRuns: 15 },
  );
});

test("SPLIT-6: each label has its share in each split, to within a row, on any number of threads, by the seed", async () => {
  const rows = Array.from({ length: 3000 }, (_, key): Row => ({
    key,
    near: null,
    label: key % 3,
    official: null,
  }));
  const [one, four, other] = [await split(rows, 1), await split(rows, 4), await split(rows, 1, 2)];
  assert.deepEqual(one.splits, four.splits);
  assert.notDeepEqual(one.splits, other.splits);
  for (const label of [0, 1, 2]) {
    for (const [name, share] of [
      ["train", 0.8],
      ["validation", 0.1],
      ["test", 0.1],
    ] as const) {
      const found = rows.filter((_, line) => line % 3 === label && one.splits.get(line) === name).length;
      assert.ok(Math.abs(found - 1000 * share) <= 1, `${name} has ${found} rows of label ${label}`);
    }
  }
});

test("SPLIT-7: an official test stays whole and in place, and is enough", async () => {
  const line = (row: number) => `${row % 2} text ${String.fromCodePoint(0x4e00 + row)}\n`;
  put("official-train.txt", Array.from({ length: 100 }, (_, at) => line(at)).join(""));
  put("official-test.txt", Array.from({ length: 20 }, (_, at) => line(95 + at)).join(""));
  const version = await built(
    "name: official\nsources:\n  - {path: official-train.txt, format: labelled-lines, split: train}\n  - {path: official-test.txt, format: labelled-lines, split: test}\ntext: text\nlabel: label\n",
  );
  assert.equal(version.report.leakedRows, 5);
  assert.deepEqual(version.manifest.rows, { train: 85, validation: 10, test: 20 });
  const rows = await rowsOf(version, "split, file, line");
  assert.deepEqual(
    rows.filter(([name]) => name === "test").map(([, file, at]) => [file, at]),
    Array.from({ length: 20 }, (_, at) => [1, at + 1]),
  );
});

const words =
  "the quick brown fox jumps over a lazy dog while seven wizards mix magic potions by night".split(" ");
const sentence = fc
  .array(fc.constantFrom(...words), { minLength: 6, maxLength: 18 })
  .map((list) => list.join(" "));
const family = fc.tuple(
  sentence,
  fc.array(fc.constantFrom(" again", " !", "", " THE END", " 12", " 7"), { maxLength: 4 }),
);

test("NEAR-1: the groups are those of all pairs whose shingles are as alike as asked", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(family, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(0.6, 0.8, 0.9),
      async (families, threshold) => {
        const texts = families.flatMap(([text, tails]) => [text, ...tails.map((tail) => text + tail)]);
        const expected = new UnionFind();
        const normal = [...new Set(texts.map(normaliseText))];
        for (const [a, left] of normal.entries()) {
          for (const [b, right] of normal.entries())
            if (a < b && jaccard(left, right) >= threshold) expected.join(a, b);
        }
        const groups = await withEngine(2, async (engine) => {
          await engine.run("CREATE TABLE texts (__file INTEGER, __line BIGINT, t VARCHAR)");
          await engine.run(
            `INSERT INTO texts VALUES ${texts.map((text, at) => `(0, ${at}, '${text}')`).join(", ")}`,
          );
          return findNearGroups(engine, "texts", ["t"], threshold);
        });
        assert.equal(groups, new Set(expected.members().map((member) => expected.find(member))).size);
      },
    ),
    { numRuns: 12, seed: 7 },
  );
});
