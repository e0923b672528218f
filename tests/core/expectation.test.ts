/** Expectations: how they are written, whether they hold on a built version, and the gate that follows. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { recordedCheck } from "../../data/expectation/recorded-check.ts";
import { expectationText } from "../../cli/print/expectation-text.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { declarationSchema } from "../../data/declaration/declaration.ts";
import { checkExpectations } from "../../data/expectation/check-expectations.ts";
import { expectationsSchema } from "../../data/expectation/declared.ts";
import { expectationKinds } from "../../data/expectation/expectation.ts";
import { expectationReportSchema } from "../../data/expectation/expectation-report.ts";
import type { Outcome } from "../../protocol/refusal.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-expectation-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
const options = { workDir: folder, threads: 1, memoryMiB: 256 };

function value<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
}

async function built(name: string, declared: object): Promise<string> {
  const declaration = declarationSchema.parse({ name, ...declared });
  return value(await buildDataset(declaration, { workDir: join(folder, name) })).path;
}

async function reportOf(path: string, declared: unknown) {
  const expectations = expectationsSchema.parse(declared);
  const report = value(await checkExpectations({ path, digest: null, expectations }, options));
  return expectationReportSchema.parse(report);
}

/** What is wrong with a list, as `path: message`. */
function faults(declared: unknown): readonly string[] {
  return (expectationsSchema.safeParse(declared).error?.issues ?? []).map(
    ({ message, path }) => `${path.join(".")}: ${message}`,
  );
}

test("EXPECT-1: a list of expectations is read, and what is wrong with it is told by its place", () => {
  assert.deepEqual(expectationsSchema.parse(["no-leakage", { "no-leakage": { severity: "warn" } }]), [
    { kind: "no-leakage", mostly: 1, severity: "refuse" },
    { kind: "no-leakage", mostly: 1, severity: "warn" },
  ]);
  const [range] = expectationsSchema.parse([{ range: { column: "age", min: 0, mostly: 0.9 } }]);
  assert.deepEqual(range, { kind: "range", column: "age", min: 0, mostly: 0.9, severity: "refuse" });
  assert.deepEqual(expectationsSchema.parse([range]), [range]);
  assert.deepEqual(faults(["no-leakge"]), [
    `0.no-leakge: no expectation is called "no-leakge"; did you mean "no-leakage"?`,
  ]);
  assert.deepEqual(faults(["no-leakage", { range: { column: "a" } }]), [
    "1.range: needs min or max, or both",
  ]);
  assert.deepEqual(faults([{ range: { column: "a", min: 2, max: 1 } }]), ["0.range: min is above max"]);
  assert.deepEqual(faults([{ range: { column: "a", min: 1, mxa: 2 } }]), [
    `0.range.mxa: unknown setting, did you mean "max"?`,
  ]);
  assert.match(faults([{ a: 1, b: 2 }]).join(), /2 keys/);
  assert.match(faults([{ "not-null": 7 }]).join(), /0\.not-null: should hold its settings/);
  assert.match(faults([{ length: { column: "a", min: 1.5 } }]).join(), /0\.length\.min/);
});

describe("EXPECT-2: each kind holds or fails by what the version's rows are", () => {
  let table: string;
  let text: string;

  before(async () => {
    const rows = Array.from({ length: 100 }, (_, at) => [
      20 + (at % 50),
      ["x", "y", "z"][at % 3],
      at % 10 === 0 ? "yes" : "no",
    ]);
    writeFileSync(
      join(folder, "people.csv"),
      ["age,city,bought", ...rows.map((row) => row.join(","))].join("\n"),
    );
    table = await built("people", {
      sources: [{ format: "csv", path: join(folder, "people.csv") }],
      plan: [{ step: "features", numeric: "standard" }],
      form: { kind: "table", target: "bought", task: "classification" },
    });
    const train = Array.from(
      { length: 40 },
      (_, at) =>
        `${at % 4 === 0 ? "bad" : "good"} a text about thing ${String.fromCodePoint(97 + (at % 26))}${at > 25 ? "x" : ""} ?`,
    );
    train.push("good said twice", "good said twice", "good torn", "bad torn");
    writeFileSync(join(folder, "train.txt"), train.join("\n"));
    writeFileSync(
      join(folder, "test.txt"),
      "good A  text about thing c ?\nbad unseen so far\ngood unseen too ?",
    );
    text = await built("texts", {
      sources: [
        { format: "labelled-lines", path: join(folder, "train.txt"), split: "train" },
        { format: "labelled-lines", path: join(folder, "test.txt"), split: "test" },
      ],
      form: { kind: "text", text: "text", label: "label" },
    });
  });

  const cases = [
    ["people", { "not-null": { column: "city" } }, true, /^0 of 100 rows fail/],
    ["people", { range: { column: "age", min: 20, max: 69 } }, true, /^0 of 100/],
    ["people", { range: { column: "age", min: 21 } }, false, /^2 of 100 rows fail, 2%/],
    ["people", { range: { column: "age", min: 21, mostly: 0.98 } }, true, /^2 of 100/],
    ["people", { range: { column: "age", min: 21, mostly: 0.981 } }, false, /^2 of 100/],
    ["people", { "one-of": { column: "city", values: ["x", "y", "z"] } }, true, /^0 of 100/],
    ["people", { "one-of": { column: "city", values: ["x", "y"] } }, false, /^33 of 100/],
    ["people", { "one-of": { column: "age", values: [20, 21] } }, false, /^96 of 100/],
    ["people", { distinct: { column: "city", min: 3, max: 3 } }, true, /^3 different/],
    ["people", { distinct: { column: "age", max: 49 } }, false, /^50 different/],
    ["people", { balance: { max: 9 } }, true, /^90 rows of "no" and 10 of "yes", 9 to 1/],
    ["people", { balance: { max: 8.9 } }, false, /9 to 1/],
    ["people", { rows: { min: 100, max: 100 } }, true, /^100 rows/],
    ["people", { rows: { split: "train", min: 100 } }, false, /^\d+ rows/],
    ["people", { unique: { columns: ["age", "city", "bought"] } }, true, /^0 of 100/],
    ["people", { unique: { columns: ["age"] } }, false, /^50 of 100/],
    ["texts", { regex: { column: "text", pattern: "\\?$" } }, false, /rows fail/],
    ["texts", { regex: { column: "text", pattern: "t", mostly: 0.9 } }, true, /rows fail/],
    ["texts", { length: { column: "text", min: 3, unit: "words" } }, false, /rows fail/],
    ["texts", { length: { column: "text", min: 4, max: 30 } }, true, /^0 of/],
    ["texts", "no-conflicts", false, /^2 of/],
    ["texts", { "no-conflicts": { mostly: 0.5 } }, true, /^2 of/],
    ["texts", "no-leakage", true, /^0 of/],
    ["texts", { "label-errors": { max: 0.9 } }, true, /labels are likely wrong/],
  ] as const;
  test("and every kind is among the cases", () => {
    const kinds = new Set(
      cases.map(([, declared]) => (typeof declared === "string" ? declared : Object.keys(declared)[0])),
    );
    assert.deepEqual(
      expectationKinds.filter((kind) => !kinds.has(kind)),
      [],
    );
  });
  for (const [of, declared, passed, found] of cases) {
    test(`${of}: ${JSON.stringify(declared)} ${passed ? "holds" : "fails"}`, async () => {
      const { checks } = await reportOf(of === "people" ? table : text, [declared]);
      assert.match(checks[0]?.found ?? "", found);
      assert.equal(checks[0]?.passed, passed);
    });
  }

  test("EXPECT-3: rows that fail are named by file, line and value as they were in the source", async () => {
    const { checks } = await reportOf(table, [{ range: { column: "age", min: 21 } }]);
    assert.deepEqual(
      checks[0]?.examples.map(({ file, line, value: shown }) => `${file}:${line} ${shown}`).toSorted(),
      ["people.csv:2 20", "people.csv:52 20"],
    );
    const torn = await reportOf(text, ["no-conflicts"]);
    assert.deepEqual(
      torn.checks[0]?.examples.map(({ file, line, value: shown }) => `${file}:${line} ${shown}`),
      ["train.txt:43 good: torn", "train.txt:44 bad: torn"],
    );
  });

  test("EXPECT-4: a gate refuses what fails, naming rows; what only warns lets pass", async () => {
    const report = await reportOf(text, [
      "no-conflicts",
      { length: { column: "text", min: 99, severity: "warn" } },
    ]);
    assert.equal(report.passed, false);
    const [failing, warning] = recordedCheck(report).sentences;
    assert.equal(
      failing,
      `no-conflicts of labels: 2 of ${report.checks[0]?.rows} rows fail, ${report.checks[0]?.found.split(", ")[1]}: train.txt:43 "good: torn", train.txt:44 "bad: torn"`,
    );
    assert.match(warning ?? "", /^\(warning\) length of text in characters, at least 99: .* and 41 more$/);
    assert.match(expectationText(report), /the gate is closed\nFAIL {2}no-conflicts.*\n.*train\.txt:43/);
    const warned = await reportOf(text, [{ length: { column: "text", min: 99, severity: "warn" } }]);
    assert.ok(warned.passed);
    assert.match(expectationText(warned), /the gate is open/);
    assert.ok((await reportOf(text, [])).passed);
  });

  test("EXPECT-5: what cannot be asked is refused with the column, the nearest name, the reason", async () => {
    const refused = async (path: string, declared: unknown) => {
      const expectations = expectationsSchema.parse([declared]);
      const report = await checkExpectations({ path, digest: null, expectations }, options);
      assert.ok(!report.ok);
      assert.deepEqual(report.refusal.field, ["expect", 0]);
      return report.refusal.message;
    };
    assert.match(
      await refused(table, { "not-null": { column: "aeg" } }),
      /no column "aeg"; did you mean "age"\?/,
    );
    assert.match(await refused(table, { unique: { columns: ["age", "town"] } }), /no column "town"/);
    assert.match(
      await refused(table, { range: { column: "city", min: 1 } }),
      /range is for numbers, and city is category/,
    );
    assert.match(
      await refused(table, { length: { column: "age", min: 1 } }),
      /length is for texts, and age is a number/,
    );
    assert.match(await refused(text, { regex: { column: "text", pattern: "((" } }), /RE2/);
    assert.match(await refused(table, "no-leakage"), /about texts, and this dataset is a table/);
  });
});
