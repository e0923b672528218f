/** The diff of two built versions: rows, schema, drift by the right test, verdicts; and the laws of the distances. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { driftText } from "../../cli/print/drift-text.ts";
import { buildDataset, type BuiltVersion } from "../../data/version/build-dataset.ts";
import { declarationSchema } from "../../data/declaration/declaration.ts";
import { categoryDrift, numberDrift, type NumberColumn } from "../../data/drift/column-drift.ts";
import { datasetDiffSchema } from "../../data/drift/diff.ts";
import { diffDatasets, type DiffInput } from "../../data/drift/diff-datasets.ts";
import { jensenShannon, wasserstein } from "../../data/drift/distance.ts";
import { kolmogorovSmirnov } from "../../data/drift/kolmogorov-smirnov.ts";
import { textDrift } from "../../data/drift/text-drift.ts";
import type { Outcome } from "../../protocol/refusal.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-drift-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const options = { workDir: folder, threads: 1, memoryMiB: 256 };

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}

async function built(name: string, ending: string, content: string, declared: object): Promise<BuiltVersion> {
  const path = join(folder, `${name}.${ending}`);
  writeFileSync(path, content);
  const format = ending === "csv" ? "csv" : "labelled-lines";
  const declaration = declarationSchema.parse({
    name,
    sources: [{ format, path, split: "train" }],
    ...declared,
  });
  return value(await buildDataset(declaration, { workDir: join(folder, name) }));
}

const whole = { step: "split", train: 1, validation: 0, test: 0 };
const texts = { plan: [whole], form: { kind: "text", text: "text", label: "label" } };
async function diffOf(a: DiffInput, b: DiffInput) {
  return datasetDiffSchema.parse(value(await diffDatasets(a, b, options)));
}

function numbers(count: number, of: (at: number) => number): NumberColumn {
  return {
    kind: "number",
    values: Float64Array.from({ length: count }, (_, at) => of(at)).sort(),
    missing: 0,
  };
}
function categories(counts: Readonly<Record<string, number>>) {
  return { kind: "category" as const, counts: new Map(Object.entries(counts)), missing: 0 };
}

test("DRIFT-2: up to 1000 reference rows a p-value decides, above a distance", () => {
  const [small, large] = [numbers(1000, (at) => at), numbers(1001, (at) => at)];
  assert.equal(numberDrift("x", small, large).test, "kolmogorov-smirnov");
  assert.equal(numberDrift("x", large, small).test, "wasserstein");
  assert.equal(
    categoryDrift("x", categories({ a: 600, b: 400 }), categories({ a: 6, b: 4 })).test,
    "chi-square",
  );
  assert.equal(
    categoryDrift("x", categories({ a: 600, b: 401 }), categories({ a: 6, b: 4 })).test,
    "jensen-shannon",
  );
});

test("DRIFT-3: a column that moved has drifted, one that did not has not, and nothing to compare is no drift", () => {
  for (const rows of [400, 4000]) {
    const still = numberDrift(
      "x",
      numbers(rows, (at) => at / rows),
      numbers(rows / 2, (at) => (2 * at) / rows),
    );
    assert.equal(still.drifted, false);
    assert.equal(still.stability.verdict, "none");
    const moved = numberDrift(
      "x",
      numbers(rows, (at) => at / rows),
      numbers(rows, (at) => 0.2 + at / rows),
    );
    assert.equal(moved.drifted, true);
    assert.equal(moved.stability.verdict, "much");
    assert.equal(
      categoryDrift("x", categories({ a: rows, b: rows }), categories({ a: rows, b: rows })).drifted,
      false,
    );
    assert.equal(
      categoryDrift("x", categories({ a: rows, b: rows }), categories({ a: rows, c: rows })).drifted,
      true,
    );
  }
  const nothing = numberDrift("x", numbers(0, Number), numbers(9, Number));
  assert.deepEqual([nothing.test, nothing.drifted], ["none", false]);
  assert.equal(
    numberDrift(
      "x",
      numbers(2000, () => 5),
      numbers(2000, () => 5),
    ).drifted,
    false,
  );
  assert.equal(
    numberDrift(
      "x",
      numbers(2000, () => 5),
      numbers(2000, () => 6),
    ).drifted,
    true,
  );
});

test("DRIFT-4: distances are 0 to oneself, symmetric and within bounds; a shift is its own Wasserstein distance", () => {
  const list = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 });
  const sorted = (values: readonly number[]) => Float64Array.from(values).sort();
  fc.assert(
    fc.property(list, list, fc.integer({ min: -9, max: 9 }), (one, other, shift) => {
      const [a, b] = [sorted(one), sorted(other)];
      assert.equal(wasserstein(a, a), 0);
      assert.ok(Math.abs(wasserstein(a, b) - wasserstein(b, a)) < 1e-9);
      assert.ok(
        Math.abs(
          wasserstein(
            a,
            a.map((value_) => value_ + shift),
          ) - Math.abs(shift),
        ) < 1e-9,
      );
      assert.equal(kolmogorovSmirnov(a, a).pValue, 1);
      const [ab, ba] = [kolmogorovSmirnov(a, b), kolmogorovSmirnov(b, a)];
      assert.ok(Math.abs(ab.pValue - ba.pValue) < 1e-9 && ab.pValue >= 0 && ab.pValue <= 1 + 1e-12);
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(99), fc.nat(99)), { minLength: 1, maxLength: 20 }), (pairs) => {
      const [a, b] = [pairs.map(([count]) => count + 1), pairs.map(([, count]) => count + 1)];
      assert.ok(jensenShannon(a, a) < 1e-7);
      const distance = jensenShannon(a, b);
      assert.ok(distance >= 0 && distance <= 1 && Math.abs(distance - jensenShannon(b, a)) < 1e-9);
    }),
  );
  assert.equal(jensenShannon([1, 0], [0, 1]), 1);
});

test("DRIFT-5: texts of one kind cannot be told apart, not even where all stand on both sides; others can", () => {
  const made = (topic: string, from: number) =>
    Array.from({ length: 150 }, (_, at) => {
      const letter = (salt: number) => String.fromCodePoint(97 + ((at * salt + from) % 26));
      return `the ${topic} was ${letter(7)}${letter(11)} and ${letter(5)}${letter(3)}`;
    });
  const same = textDrift(made("film", 0), made("film", 0));
  assert.ok(same.auc !== null && Math.abs(same.auc - 0.5) < 0.06 && !same.drifted, `AUC ${same.auc}`);
  const apart = textDrift(made("film", 0), made("meal", 1));
  assert.ok(apart.auc !== null && apart.auc > 0.95 && apart.drifted);
  assert.deepEqual(
    apart.words
      .slice(0, 2)
      .map(({ word }) => word)
      .toSorted(),
    ["film", "meal"],
  );
  assert.equal(textDrift(["a"], made("film", 0)).auc, null);
});

test("DRIFT-6: rows that came, went, or changed label are told with their places", async () => {
  const before = await built(
    "before",
    "txt",
    "good one text\ngood two text\nbad three text\nbad four text\ngood last text\n",
    texts,
  );
  const after_ = await built(
    "after",
    "txt",
    "good ONE  text\nbad two text\nbad three text\nugly five text\nugly six text\ngood last text\n",
    texts,
  );
  const diff = await diffOf(before, after_);
  assert.equal(diff.rows.common, 4);
  assert.deepEqual(
    diff.rows.added.listed.map(({ file, line, text }) => `${file}:${line} ${text}`),
    ["after.txt:4 five text", "after.txt:5 six text"],
  );
  assert.deepEqual(
    diff.rows.removed.listed.map(({ file, line }) => `${file}:${line}`),
    ["before.txt:4"],
  );
  assert.equal(diff.rows.relabelled.rows, 1);
  assert.deepEqual(diff.rows.relabelled.listed[0]?.a.label, "good");
  assert.deepEqual(diff.rows.relabelled.listed[0]?.b, {
    split: "train",
    file: "after.txt",
    line: 2,
    label: "bad",
  });
  assert.deepEqual(diff.schema.labelsAdded, ["ugly"]);
  assert.equal(diff.verdicts[0]?.severity, "bad");
  const text = driftText(diff);
  assert.match(text, /labels that came: ugly/);
  assert.match(text, /before\.txt:2 good {2}after\.txt:2 bad/);
  const same = await diffOf(before, before);
  assert.deepEqual(
    [same.drifted, same.verdicts, same.rows.added.rows, same.rows.removed.rows],
    [false, [], 0, 0],
  );
});

test("DRIFT-7: a table is compared in its own units, whatever each version scaled by; columns that come or go are named", async () => {
  const csv = (from: number, second: string) =>
    [
      `age,${second},price`,
      ...Array.from({ length: 60 }, (_, at) => `${from + at / 10},${["x", "y"][at % 2]},${at}`),
    ].join("\n");
  const declared = {
    plan: [whole, { step: "features", numeric: "standard" }],
    form: { kind: "table", target: "price" },
  };
  const a = await built("ages", "csv", csv(20, "city"), declared);
  const b = await built("later", "csv", csv(60, "town"), declared);
  const diff = await diffOf(a, b);
  assert.deepEqual([diff.schema.columnsAdded, diff.schema.columnsRemoved], [["town"], ["city"]]);
  const age = diff.columns.find(({ column }) => column === "age");
  assert.ok(
    age?.drifted === true &&
      Math.abs((age.means.a ?? 0) - 22.95) < 1e-9 &&
      Math.abs((age.means.b ?? 0) - 62.95) < 1e-9,
  );
  assert.equal(diff.columns.find(({ column }) => column === "price")?.drifted, false);
  assert.equal(diff.rows.added.listed[0]?.text, "60, x");
  const kinds = await diffDatasets(
    a,
    await built("words", "txt", "a b c\nb c d\na e f\nb g h\n", texts),
    options,
  );
  assert.ok(!kinds.ok && /ages is a table dataset and words a text dataset/.test(kinds.refusal.message));
  const empty = await diffDatasets({ ...a, split: "test" }, b, options);
  assert.ok(!empty.ok && /ages has no rows in test/.test(empty.refusal.message));
});
