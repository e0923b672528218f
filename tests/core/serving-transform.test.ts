/** A row to predict becomes what the build of the dataset made of the same row: generated plans and rows, against the version's own file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { namesOf } from "../../data/manifest/feature.ts";
import type { BuiltVersion } from "../../data/version/build-dataset.ts";
import { id } from "../../data/engine/sql.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { openTransform } from "../../serving/transform/open-transform.ts";
import { openTransformEngine, sqlTransform } from "../../serving/transform/sql-transform.ts";
import { outputOf, transformPlan } from "../../serving/transform/transform-plan.ts";
import type { Transform, TransformedRows } from "../../serving/transform/transform.ts";
import type { InputRows } from "../../serving/model/served-model.ts";
import { build, put, rowsOf } from "../support/dataset-build.ts";

type Row = Readonly<Record<string, string>>;

function csv(rows: readonly Row[], columns: readonly string[]): string {
  const cell = (text: string) => `"${text.replaceAll('"', '""')}"`;
  // An empty cell without quotes, which is none.
  const line = (row: Row) => columns.map((name) => (row[name] === "" ? "" : cell(row[name] ?? ""))).join(",");
  return `${columns.join(",")}\n${rows.map(line).join("\n")}\n`;
}

/** Without the columns of `without`. */
function inputRows(rows: readonly Row[], columns: readonly string[], without: readonly string[]): InputRows {
  const kept = columns.filter((name) => !without.includes(name));
  return {
    count: rows.length,
    columns: new Map(kept.map((name) => [name, rows.map((row) => row[name] ?? null)])),
  };
}

async function done<T>(outcome: Outcome<T> | Promise<Outcome<T>>): Promise<T> {
  const settled = await outcome;
  assert.ok(settled.ok, settled.ok ? "" : settled.refusal.message);
  return settled.value;
}

/** The one that is used, and the one that asks DuckDB for all. */
async function bothTransforms({ manifest }: BuiltVersion): Promise<readonly Transform[]> {
  const engine = await openTransformEngine();
  const plan = await transformPlan(manifest, outputOf(manifest), () => Promise.resolve(engine));
  return [await done(openTransform(manifest)), await done(sqlTransform(engine, plan))];
}

const character = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(..."abcdeXYZ 019.,;!?-") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(..."ÀéñßÇøŁΣσςİıÖжЖ中\u00a0\u2003\u3000e\u0301ﬁ①\u{1f600}\u{11382}\u{113c9}"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("&amp;", "<b>", "&#39;", "#39;", "\\n", '\\"', "\\\\", "\\", "\t", '"', "'"),
  },
);
const text = fc.array(character, { minLength: 0, maxLength: 24 }).map((parts) => parts.join(""));
const word = fc.constantFrom("red", "Red", " blue", "green", "?x", "", "7", "true");
const whole = fc.oneof(
  fc.integer({ min: -50, max: 50 }).map(String),
  fc.constantFrom("", "007", " 12", "+3", "-0"),
);
const decimal = fc.oneof(
  fc.double({ min: -1e3, max: 1e3, noNaN: true }).map(String),
  fc.constantFrom("", "1e5", ".5", "-2.", "inf", "nan", "1_000.5", " 3.25", "1e-300"),
);
const flag = fc.constantFrom("true", "False", " TRUE", "");
const day = fc.oneof(
  fc
    .date({ min: new Date("1990-01-01"), max: new Date("2030-01-01"), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  fc.constant(""),
);

const columns = ["text", "title", "colour", "count", "size", "flag", "day", "label"];
const rows = fc.array(
  fc.record({
    text,
    title: text,
    colour: word,
    count: whole,
    size: decimal,
    flag,
    day,
    label: fc.constantFrom("yes", "no"),
  }),
  { minLength: 12, maxLength: 40 },
);

const cleaning = fc
  .record({
    html: fc.boolean(),
    escapes: fc.constantFrom("false", "true", "c"),
    whitespace: fc.boolean(),
    unicode: fc.constantFrom("", "NFC", "NFKC"),
    lowercase: fc.boolean(),
  })
  .map(({ escapes, html, lowercase, unicode, whitespace }) => {
    const form = unicode === "" ? "" : `, unicode: ${unicode}`;
    return (names: string) =>
      `{ columns: [${names}], html: ${html}, escapes: ${escapes}, whitespace: ${whitespace}, lowercase: ${lowercase}${form} }`;
  });

/** Each keeps the columns that the others know. */
const tableSteps = [
  fc.constant("- derive: { column: area, as: 'size * 2.5 + coalesce(count, 1)' }"),
  fc.constant("- derive: { column: label, as: \"CASE WHEN label = 'yes' THEN 'ja' ELSE 'nein' END\" }"),
  fc.constant("- derive: { column: colour, as: 'upper(COLOUR)' }"),
  fc.constant("- concat: { columns: [colour, count, flag], to: mix, separator: '/' }"),
  fc.constant("- concat: { columns: [colour, size], to: mix }"),
  fc.constant("- cast: { count: number }"),
  fc.constant("- cast: { count: text }"),
  fc.constant("- cast: { flag: text }"),
  fc.constant("- rename: { colour: size, size: colour }"),
  fc.constant("- rename: { count: amount }\n  - rename: { amount: count }"),
  fc.constant('- filter: "coalesce(count, 0) <> 13"'),
  fc.constant("- map-label: { column: colour, from: { red: r, green: g }, unknown: keep }"),
  fc.constant("- map-label: { column: colour, from: { red: r, green: g }, unknown: other }"),
  fc.constant("- sample: { share: 0.9 }"),
  cleaning.map((clean) => `- clean: ${clean("colour")}`),
];
const featureStep = fc
  .record({
    numeric: fc.constantFrom("none", "standard", "minmax"),
    missing: fc.constantFrom("mean", "median", "zero"),
    max: fc.integer({ min: 1, max: 5 }),
    more: fc.constantFrom(
      "",
      ", columns: { count: { categories: { max: 3 } } }",
      ", columns: { count: { buckets: 3 } }",
    ),
  })
  .map(
    ({ max, missing, more, numeric }) =>
      `- features: { numeric: ${numeric}, missing: ${missing}, categories: { max: ${max} }${more} }`,
  );

const tablePlan = fc.tuple(
  fc.array(fc.oneof(...tableSteps), { maxLength: 4 }),
  fc.option(featureStep, { nil: "" }),
  fc.subarray(["title", "day", "text"], { maxLength: 1 }),
);

function tableYaml(steps: readonly string[], more: readonly string[]): string {
  const plan = steps.filter((step) => step !== "");
  return [
    "name: mixed",
    "sources: [{ path: mixed.csv, format: csv }]",
    ...(plan.length === 0 ? [] : ["plan:", ...plan.map((step) => `  ${step}`)]),
    "target: label",
    `features: [colour, count, size, flag${more.map((name) => `, ${name}`).join("")}]`,
    "badRows: { max: 1 }",
    "",
  ].join("\n");
}

const generatingMs = 30_000;
const unsigned = (number: number) => number + 0;

/** Where the source's row of each line stands in the version, and the numbers there. */
async function versionRows(version: BuiltVersion, names: readonly string[]) {
  return (await rowsOf(version, ["line", ...names.map(id)].join(", "))).map(([line, ...values]) => ({
    row: Number(line),
    values,
  }));
}

/** Lines of the file at which each row begins, header first; a quoted value may hold line ends. */
function rowsByLine(given: readonly Row[], names: readonly string[]): ReadonlyMap<number, number> {
  let line = 2;
  const found = new Map<number, number>();
  for (const [at, row] of given.entries()) {
    found.set(line, at);
    line += 1 + names.reduce((ends, name) => ends + (row[name] ?? "").split("\n").length - 1, 0);
  }
  return found;
}

test("PREDICT-1: a table's row becomes the features that the build made of it, whatever the plan", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(rows, tablePlan, async (given, [steps, features, more]) => {
      put("mixed.csv", csv(given, columns));
      const made = await build(tableYaml([...steps, features], more));
      // A plan may be refused, as one that casts what it has cast away.
      fc.pre(made.ok);
      const names = (made.value.manifest.features ?? []).flatMap(namesOf);
      const lines = rowsByLine(given, columns);
      const kept = await versionRows(made.value, names);
      const results: TransformedRows[] = [];
      for (const transform of await bothTransforms(made.value)) {
        const result = await done(transform.apply(inputRows(given, columns, ["label"])));
        results.push(result);
        assert.ok(result.kind === "table");
        for (const { row, values } of kept) {
          const at = lines.get(row) ?? -1;
          const own: number[] = [...result.features.subarray(at * names.length, (at + 1) * names.length)];
          // A file does not always keep the sign of a zero.
          assert.deepEqual(own.map(unsigned), values.map(Number).map(unsigned), `line ${row}`);
          assert.ok(!result.unfit.some((unfit) => unfit.row === at));
          compared++;
        }
        transform.dispose();
      }
      // Rows that the version left out are the same in both too.
      assert.deepEqual(results[0], results[1]);
    }),
    { numRuns: 12, endOnFailure: true, interruptAfterTimeLimit: generatingMs },
  );
  assert.ok(compared > 0, `${compared} rows were compared`);
});

const textSteps = [
  fc.constant("- concat: { columns: [title, text], to: text, separator: ': ' }"),
  fc.constant("- concat: { columns: [title, count, text], to: text }"),
  fc.constant("- rename: { text: body, title: text }\n  - rename: { body: title }"),
  fc.constant("- derive: { column: text, as: \"replace(text, 'a', 'b')\" }"),
  fc.constant("- dedupe: { by: text, keep: first }"),
  fc.constant("- map-label: { column: label, from: { yes: ja, no: nein } }"),
  cleaning.map((clean) => `- clean: ${clean("text, title")}`),
  cleaning.map((clean) => `- clean: ${clean("text")}`),
];

test("PREDICT-1: a text is what the build made of it, and at once where it is one column", async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(rows, fc.array(fc.oneof(...textSteps), { maxLength: 4 }), async (given, steps) => {
      put("texts.csv", csv(given, columns));
      const made = await build(
        [
          "name: texts",
          "sources: [{ path: texts.csv, format: csv }]",
          ...(steps.length === 0 ? [] : ["plan:", ...steps.map((step) => `  ${step}`)]),
          "text: text",
          "label: label",
          "badRows: { max: 1 }",
          "",
        ].join("\n"),
      );
      fc.pre(made.ok);
      const lines = rowsByLine(given, columns);
      const kept = await versionRows(made.value, ["text"]);
      const results: TransformedRows[] = [];
      for (const transform of await bothTransforms(made.value)) {
        const result = await done(transform.apply(inputRows(given, columns, ["label"])));
        results.push(result);
        assert.ok(result.kind === "text");
        const ofTexts = transform.ofTexts?.(given.map((row) => row["text"] ?? ""));
        for (const { row, values } of kept) {
          const at = lines.get(row) ?? -1;
          assert.equal(result.texts[at], values[0], `line ${row}`);
          if (ofTexts !== undefined && transform.inputs[0]?.name === "text")
            assert.equal(ofTexts[at], values[0]);
          compared++;
        }
        transform.dispose();
      }
      assert.deepEqual(results[0], results[1]);
    }),
    { numRuns: 12, endOnFailure: true, interruptAfterTimeLimit: generatingMs },
  );
  assert.ok(compared > 0, `${compared} rows were compared`);
});

test("PREDICT-1: what a plan renames and nobody needs does not stand in the way of what is needed", async () => {
  put("texts.csv", csv(someRows(), columns));
  const swap = "- rename: { text: body, title: text }\n  - rename: { body: title }";
  const plan = ["- concat: { columns: [title, text], to: text, separator: ': ' }", swap, swap];
  const made = await done(
    build(
      [
        "name: texts",
        "sources: [{ path: texts.csv, format: csv }]",
        ...["plan:", ...plan.map((step) => `  ${step}`)],
        ...["text: text", "label: label", ""],
      ].join("\n"),
    ),
  );
  for (const transform of await bothTransforms(made)) {
    const result = await done(transform.apply(inputRows(someRows(), columns, ["label"])));
    assert.ok(result.kind === "text");
    assert.deepEqual(result.texts.slice(0, 2), [
      "aaaaaaaaaaaaaaaaaaaa: aaaaaaaaa",
      "bbbbbbbbbbbbbbbbbbbb: bbbbbbbbb",
    ]);
    transform.dispose();
  }
});

function someRows(): Row[] {
  return [..."abcdefghijklmnopqrstuvwx"].map((letter, at) => ({
    ...{
      text: letter.repeat(9),
      title: letter.repeat(20),
      colour: "red",
      count: "1",
      size: "1",
      flag: "true",
    },
    ...{ day: "", label: at % 2 === 0 ? "yes" : "no" },
  }));
}

const anyValue = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -100, max: 100 }),
  fc.double({ noNaN: false }),
  fc.constantFrom(2 ** 53, 2 ** 63, -(2 ** 63), 1e21, 1e39, -0, 2.5, Infinity, NaN),
  word,
  whole,
  decimal,
  flag,
  fc.constantFrom(
    "NA",
    "+-1",
    "1__0",
    "1_0",
    "nan(1)",
    "9223372036854775807",
    "9223372036854775808",
    "\t1",
    "1\u00a0",
    "1e400",
    "3.5e38",
    "yes",
    "TRUE ",
  ),
  fc.string({ maxLength: 4 }).map((one) => one.replaceAll("\0", "")),
);

test("PREDICT-3: whatever a program gives as a value, both ways take it or refuse it alike", async () => {
  const given = Array.from({ length: 40 }, (_, at) => ({
    text: "",
    title: "",
    colour: at % 3 === 0 ? "red" : "green",
    count: String(at % 9),
    size: at % 8 === 0 ? "NA" : `${at / 4}`,
    flag: at % 2 === 0 ? "true" : "false",
    day: "",
    label: at % 2 === 0 ? "yes" : "no",
  }));
  put("mixed.csv", csv(given, columns));
  const plans = [
    [],
    ["- map-label: { column: colour, from: { red: r, green: g } }"],
    ["- cast: { flag: text }", "- concat: { columns: [colour, flag, count], to: colour }"],
    ["- cast: { count: number, colour: text }", "- features: { columns: { count: { buckets: 3 } } }"],
  ];
  for (const plan of plans) {
    const yaml = tableYaml(plan, []).replace("format: csv", "format: csv, missing: [NA]");
    const made = await build(yaml);
    assert.ok(made.ok, made.ok ? "" : made.refusal.message);
    const transforms = await bothTransforms(made.value);
    assert.notEqual(transforms[0]?.constructor, transforms[1]?.constructor);
    const names = ["colour", "count", "size", "flag"];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyValue, anyValue, anyValue, anyValue), { minLength: 1, maxLength: 30 }),
        async (values) => {
          const input: InputRows = {
            count: values.length,
            columns: new Map(names.map((name, at) => [name, values.map((row) => row[at] ?? null)])),
          };
          const [own, other] = await Promise.all(transforms.map((one) => done(one.apply(input))));
          assert.deepEqual(own, other);
        },
      ),
      { numRuns: 60, endOnFailure: true, interruptAfterTimeLimit: generatingMs },
    );
    for (const transform of transforms) transform.dispose();
  }
});
