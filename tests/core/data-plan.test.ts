/** Steps of a plan: what each does to rows, and that a user's SQL can be one expression over the columns and nothing else. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { lit } from "../../data/engine/sql.ts";
import { previewPlan } from "../../data/version/preview.ts";
import { buildFolder, declared, put } from "../support/dataset-build.ts";

/** Values of the last step of a plan over a file, as text, bad rows left out; or the refusal. */
async function after(
  csv: string,
  plan: string,
): Promise<{ rows: (string | null)[][]; bad: string[]; refusal: string | null }> {
  put("plan.csv", csv);
  // The kind's columns are not there: the preview ends with that refusal, after the last step of the plan.
  const declaration = declared(
    `name: plan\nsources: [{path: plan.csv}]\nplan: [${plan}]\ntext: no-text\nlabel: no-label\nbadRows: {max: 1}\n`,
  );
  const preview = await previewPlan(declaration, 100, { workDir: buildFolder, memoryMiB: 256 });
  assert.ok(preview.ok, preview.ok ? "" : preview.refusal.message);
  const { steps, bad, refusal } = preview.value;
  const usual = refusal?.message.startsWith("text: there is no column") === true;
  return {
    rows: steps.at(-1)?.first.map(({ values }) => [...values]) ?? [],
    bad: bad.map(({ line, column, reason }) => `${line} ${column ?? ""} ${reason}`),
    refusal: usual ? null : (refusal?.message ?? null),
  };
}

const steps: { rule: string; csv: string; plan: string; rows: (string | null)[][] }[] = [
  { rule: "rename", csv: "a,b\n1,2\n", plan: "{rename: {a: z}}", rows: [["1", "2"]] },
  { rule: "cast", csv: "a\n1\n2\n", plan: "{cast: {a: number}}", rows: [["1.0"], ["2.0"]] },
  {
    rule: "concat leaves out what is missing",
    csv: "a,b\nx,y\n,y\n",
    plan: '{concat: {columns: [a, b], to: c, separator: ". "}}',
    rows: [
      ["x", "y", "x. y"],
      [null, "y", "y"],
    ],
  },
  {
    rule: "map-label, other",
    csv: "a\n1\n2\n9\n",
    plan: '{map-label: {column: a, from: {"1": one, "2": two}, unknown: other}}',
    rows: [["one"], ["two"], ["other"]],
  },
  {
    rule: "map-label, drop",
    csv: "a\n1\n9\n",
    plan: '{map-label: {column: a, to: b, from: {"1": one}, unknown: drop}}',
    rows: [["1", "one"]],
  },
  {
    rule: "map-label, keep",
    csv: "a\n1\n9\n",
    plan: '{map-label: {column: a, from: {"1": one}, unknown: keep}}',
    rows: [["one"], ["9"]],
  },
  {
    rule: "clean: entities, what a lost ampersand leaves, tags, escapes, spaces",
    csv: 'a\n"&lt;b&gt;Tom &amp; Jerry&#39;s&lt;/b&gt;  cost  #36;5"\n"a\\b \\""q\\"" x < y"\n',
    plan: "{clean: {columns: [a], html: true, escapes: true, whitespace: true}}",
    rows: [["Tom & Jerry's cost $5"], ['a b "q" x < y']],
  },
  {
    rule: "clean: escapes as in C, Unicode form, letter case",
    csv: "a\n" + String.raw`one\ntwo\\n` + "\nﬁnE\n",
    plan: "{clean: {columns: [a], escapes: c, unicode: NFKC, lowercase: true}}",
    rows: [["one\ntwo\\n"], ["fine"]],
  },
  { rule: "filter", csv: "a\nlong enough\nno\n", plan: "{filter: length(a) > 5}", rows: [["long enough"]] },
  { rule: "derive", csv: "a\nabc\n", plan: "{derive: {column: n, as: length(a) * 2}}", rows: [["abc", "6"]] },
  {
    rule: "derive may use a lambda's own names",
    csv: "a\nx y\n",
    plan: "{derive: {column: n, as: \"array_to_string(list_transform(string_split(a, ' '), lambda w: upper(w)), '+')\"}}",
    rows: [["x y", "X+Y"]],
  },
  {
    rule: "dedupe keeps the first",
    csv: "a,b\nx,1\ny,2\nx,1\n",
    plan: "{dedupe: {by: [a, b], keep: first}}",
    rows: [
      ["x", "1"],
      ["y", "2"],
    ],
  },
  {
    rule: "dedupe, near",
    csv: `a\n${"the same long sentence ".repeat(5)}\n${"the same long sentence ".repeat(5)}now\nother\n`,
    plan: "{clean: {columns: [a], whitespace: true}}, {dedupe: {by: a, near: 0.8, keep: first}}",
    rows: [["the same long sentence ".repeat(5).trim()], ["other"]],
  },
  {
    rule: "balance",
    csv: "a\nx\nx\nx\ny\n",
    plan: "{balance: {column: a}}, {rename: {a: z}}",
    rows: [["x"], ["y"]],
  },
];

test("PLAN-1: each step does to rows what its page says", async () => {
  for (const { rule, csv, plan, rows } of steps) {
    const done = await after(csv, plan);
    assert.equal(done.refusal, null, rule);
    assert.deepEqual(
      rule === "balance" ? done.rows.toSorted(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1)) : done.rows,
      rows,
      rule,
    );
  }
});

test("PLAN-2: a value that cannot be cast and a label aside are bad rows, not missing values", async () => {
  const cast = await after("a\n1.5\n2\nx\n", "{cast: {a: integer}}");
  assert.deepEqual(cast.rows, [["2"]]);
  const aside = await after(
    "a,b\n1,x\n7,y\n",
    '{map-label: {column: a, from: {"1": one}, unknown: aside}}, {sample: {rows: 5}}',
  );
  assert.deepEqual(aside.rows, [["one", "x"]]);
  assert.deepEqual(aside.bad, ["3 a it is no label of the map"]);
});

const hostile: [string, RegExp][] = [
  ["(SELECT 1)", /holds a query/u],
  ["a IN (SELECT content FROM read_text('/etc/passwd'))", /holds a query/u],
  ["1) FROM read_text('/etc/passwd') --", /is no SQL expression/u],
  ["1; DROP TABLE step_0", /should be one SQL expression/u],
  ["1; SELECT 2", /should be one SQL expression/u],
  ["1 FROM step_0", /should be one SQL expression/u],
  ["random() > 0.5", /uses random, which may give another value/u],
  ["now() > TIMESTAMP '2020-01-01'", /uses now, which may give another value/u],
  ["a = current_setting('temp_directory')", /uses current_setting/u],
  ["count(*) > 1", /looks at many rows/u],
  ["row_number() OVER () < 3", /looks at many rows/u],
  ["b > 1", /names the column "b", which is not there/u],
  ["__line > 1", /names the column "__line", which is not there/u],
  ["a, a", /should be one SQL expression/u],
  ["length(a", /is no SQL expression/u],
];

test("PLAN-3: a user's SQL is one expression over the columns: no query, no file, nothing that changes", async () => {
  for (const [expression, says] of hostile) {
    const done = await after("a\nx\n", `{filter: {where: ${JSON.stringify(expression)}}}`);
    assert.match(done.refusal ?? "it was run", says, expression);
    assert.match(done.refusal ?? "", /^step 1 \(filter\)/u);
  }
});

test("PLAN-4: an expression that fails on a row is refused with its step", async () => {
  const done = await after("a\nx\n", "{derive: {column: n, as: CAST(a AS INTEGER)}}");
  assert.match(done.refusal ?? "", /line 2, step 1 \(derive\): Could not convert string 'x' to INT32/u);
});

test("PLAN-5: a sample is the same each time, of the size asked for", async () => {
  const csv = `a\n${Array.from({ length: 50 }, (_, row) => `r${row}\n`).join("")}`;
  const [one, two, other] = [
    await after(csv, "{sample: {rows: 10, seed: 1}}"),
    await after(csv, "{sample: {share: 0.2, seed: 1}}"),
    await after(csv, "{sample: {rows: 10, seed: 2}}"),
  ];
  assert.equal(one.rows.length, 10);
  assert.deepEqual(one.rows, two.rows);
  assert.notDeepEqual(one.rows, other.rows);
});

test("PLAN-6: from the first step on no file outside the build's folder can be reached, whatever SQL gets that far", async () => {
  const outside = put("outside.txt", "secret\n");
  const workDir = join(buildFolder, "locked");
  mkdirSync(workDir);
  const engine = await openEngine({ workDir, threads: 1, memoryMiB: 256, onDisk: false });
  try {
    await engine.lock();
    for (const sql of [
      `SELECT * FROM read_text(${lit(outside)})`,
      `COPY (SELECT 1) TO ${lit(`${outside}.copy`)}`,
      "INSTALL httpfs",
      `ATTACH ${lit(`${outside}.db`)}`,
      "SET enable_external_access = true",
      "SET memory_limit = '100GB'",
    ])
      await assert.rejects(engine.run(sql), /Permission Error|Cannot|locked/u, sql);
    await engine.run(`COPY (SELECT 1) TO ${lit(join(workDir, "inside.parquet"))} (FORMAT parquet)`);
  } finally {
    engine.close();
  }
});

test("PLAN-7: a preview shows what features make, and ends with the refusal that a build would", async () => {
  const rows = Array.from({ length: 40 }, (_, row) => `${row},${row % 2 === 0 ? "a" : "b"},${row / 2}\n`);
  put("table.csv", `size,side,price\n${rows.join("")}`);
  const table = declared(
    "name: table\nsources: [{path: table.csv}]\nplan: [{split: {validation: 0.1, test: 0.1}}, {features: {categories: {max: 5}}}]\ntarget: price\n",
  );
  const shown = await previewPlan(table, 2, { workDir: buildFolder, memoryMiB: 256 });
  assert.ok(shown.ok && shown.value.refusal === null);
  const last = shown.value.steps.at(-1);
  assert.deepEqual([last?.index, last?.step?.step, last?.rows], [2, "features", 40]);
  const columns = last?.columns.map(({ name }) => name) ?? [];
  assert.deepEqual(columns.toSorted(), ["price", "side=?", "side=a", "side=b", "size"]);
  assert.equal(last?.first[0]?.values[columns.indexOf("side=a")], "1.0");
  assert.equal(last?.first[1]?.values[columns.indexOf("side=a")], "0.0");
  put("one.csv", `text,label\n${rows.map((_, row) => `text ${"x".repeat(row)},yes\n`).join("")}alone,no\n`);
  const alone = declared("name: one\nsources: [{path: one.csv}]\ntext: text\nlabel: label\n");
  const refused = await previewPlan(alone, 2, { workDir: buildFolder, memoryMiB: 256 });
  assert.ok(refused.ok);
  assert.equal(refused.value.steps.length, 1);
  assert.match(refused.value.refusal?.message ?? "", /one\.csv, line 42, column label, "no": no other row/u);
});
