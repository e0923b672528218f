/** The cleaning of a text in JavaScript is DuckDB's, letter by letter of all that Unicode has, and of texts of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileStep, type Column } from "../../data/plan/compile-step.ts";
import { stepSchemas, type StepOf } from "../../data/declaration/plan-step.ts";
import { trimmed } from "../../data/engine/text-function.ts";
import { asRead, textCleaner, trimmedText } from "../../serving/transform/clean-text.ts";
import { openTransformEngine } from "../../serving/transform/sql-transform.ts";

type Clean = StepOf<"clean">;

function cleanStep(settings: Partial<Clean>): Clean {
  return stepSchemas.clean.parse({ step: "clean", columns: ["text"], ...settings });
}

const columns: readonly Column[] = [{ name: "text", type: "VARCHAR" }];

/** What the step's own SQL makes of the texts; an empty one is none. */
async function cleanedBySql(step: Clean | null, texts: readonly string[]): Promise<readonly string[]> {
  const engine = await openTransformEngine();
  try {
    await engine.run("CREATE TABLE given (place INTEGER, text VARCHAR)");
    const appender = await engine.connection.createAppender("given");
    for (const [at, text] of texts.entries()) {
      appender.appendInteger(at);
      appender.appendVarchar(text);
      appender.endRow();
    }
    appender.closeSync();
    let sql = `SELECT place, ${trimmed("text")} AS text FROM given`;
    if (step !== null) {
      const compiled = await compileStep(engine, step, "given", columns, "clean");
      assert.ok(compiled.ok);
      sql = compiled.value;
    }
    const rows = await engine.rows(`SELECT text FROM (${sql}) ORDER BY place`);
    return rows.map(([text]) => (typeof text === "string" ? text : ""));
  } finally {
    engine.close();
  }
}

const letters: string[] = [];
for (let code = 1; code <= 0x10ffff; code++)
  if (code < 0xd800 || code > 0xdfff) letters.push(String.fromCodePoint(code));

const settings: readonly (readonly [name: string, step: Partial<Clean>])[] = [
  ["lowercase", { lowercase: true }],
  ["NFC", { unicode: "NFC" }],
  ["white space", { whitespace: true }],
];

for (const [name, setting] of settings)
  test(`PREDICT-1: every letter, cleaned of ${name}, is what DuckDB makes of it`, async () => {
    const step = cleanStep(setting);
    const clean = textCleaner(step);
    const made = await cleanedBySql(step, letters);
    const other = letters.filter((letter, at) => asRead(clean(letter)) !== made[at]);
    assert.deepEqual(
      other.map((letter) => letter.codePointAt(0)?.toString(16)),
      [],
    );
  });

test("PREDICT-1: every letter at the ends of a label is trimmed or not, as in DuckDB", async () => {
  const texts = letters.map((letter) => `${letter}a${letter}`);
  const made = await cleanedBySql(null, texts);
  assert.deepEqual(
    texts.filter((text, at) => asRead(trimmedText(text)) !== made[at]),
    [],
  );
});

const piece = fc.oneof(
  fc.constantFrom(
    "ΑΣ",
    "Σ ",
    "Σ",
    "ΣΑ",
    "İ",
    "I\u0307",
    "e\u0301",
    "\u{11382}\u{113c9}",
    "\u{16d63}\u{16d67}",
    "ﬁ",
    "\\",
    "&lt;b>",
    "  ",
  ),
  fc.string({ unit: "binary", maxLength: 4 }).map((text) => text.replaceAll("\0", "").toWellFormed()),
);
const anyStep = fc.record({
  html: fc.boolean(),
  escapes: fc.constantFrom(false, true, "c" as const),
  whitespace: fc.boolean(),
  lowercase: fc.boolean(),
  unicode: fc.constantFrom("NFC" as const, "NFKC" as const),
});

test("PREDICT-1: texts of such letters, cleaned of anything, are what DuckDB makes of them", async () => {
  const texts = fc.array(
    fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
    { minLength: 20, maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(anyStep, texts, async (setting, given) => {
      const step = cleanStep(setting);
      const clean = textCleaner(step);
      assert.deepEqual(
        given.map((text) => asRead(clean(text))),
        await cleanedBySql(step, given),
      );
    }),
    { numRuns: 40, endOnFailure: true },
  );
});
