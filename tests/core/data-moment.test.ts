/** Columns of time and of large numbers: nothing of a value is lost without a word. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { castTo, inferTypes } from "../../data/engine/column-type.ts";
import { lit } from "../../data/engine/sql.ts";
import { build, buildFolder, built, put, refusalOf, rowsOf } from "../support/dataset-build.ts";

const two = (value: number) => String(value).padStart(2, "0");

/** A moment, and how somebody may have written it. */
const written = fc
  .record({
    at: fc.integer({ min: -1_000_000_000, max: 4_000_000_000 }),
    offsetMinutes: fc.constantFrom(null, 0, 60, -420, 330, 765),
    between: fc.constantFrom("T", " "),
    zulu: fc.constantFrom("Z", "+00:00", " UTC"),
    colon: fc.boolean(),
    seconds: fc.boolean(),
  })
  .map(({ at, between, colon, offsetMinutes, seconds, zulu }) => {
    const epoch = seconds ? at : Math.floor(at / 60) * 60;
    const local = new Date((epoch + (offsetMinutes ?? 0) * 60) * 1000).toISOString();
    const time = seconds ? local.slice(11, 19) : local.slice(11, 16);
    const minutes = Math.abs(offsetMinutes ?? 0);
    const sign = (offsetMinutes ?? 0) < 0 ? "-" : "+";
    const offset = `${sign}${two(Math.floor(minutes / 60))}${colon ? ":" : ""}${two(minutes % 60)}`;
    const zone = offsetMinutes === null ? "" : offsetMinutes === 0 ? zulu : offset;
    return { epoch, text: `${local.slice(0, 10)}${between}${time}${zone}` };
  });

test("TIME-1: a moment is the same instant however it is written: with an offset, Z or none (UTC), with or without seconds", async () => {
  const engine = await openEngine({ workDir: buildFolder, threads: 1, memoryMiB: 256, onDisk: false });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 20 }), async (moments) => {
        const values = moments.map(({ text }) => `(${lit(text)})`).join(", ");
        const rows = await engine.rows(
          `SELECT epoch(${castTo("v", "timestamp")}) FROM (VALUES ${values}) t(v)`,
        );
        assert.deepEqual(
          rows.map(([epoch]) => epoch),
          moments.map(({ epoch }) => epoch),
        );
        const types = await inferTypes(engine, `SELECT * FROM (VALUES ${values}) t(v)`, ["v"]);
        assert.equal(types.get("v"), "timestamp");
      }),
      { numRuns: 40 },
    );
  } finally {
    engine.close();
  }
});

test("TIME-2: the type of a column is the widest that loses none of its values", async () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ["days", ["2020-01-02", "2021-03-04"], "date"],
    [
      "one time among days",
      [...Array.from({ length: 30 }, () => "2020-01-02"), "2020-01-02 10:00"],
      "timestamp",
    ],
    ["no time", ["10:00", "11:30"], "text"],
    ["words behind a day", ["2020-01-02 first", "2020-01-03 second"], "text"],
    ["whole numbers", ["1", "-2", "9223372036854775807"], "integer"],
    ["one with a part", [...Array.from({ length: 30 }, () => "1"), "2.5"], "number"],
    ["beyond 64 bits", ["9223372036854775808", "123456789012345678901234567890"], "text"],
    ["half of them beyond", ["18446744073709551615", "1"], "text"],
    ["zeros to lose", ["007", "010"], "text"],
    ["numbers", ["1e200", "0.5"], "number"],
  ];
  const engine = await openEngine({ workDir: buildFolder, threads: 1, memoryMiB: 256, onDisk: false });
  try {
    for (const [rule, values, type] of cases) {
      const types = await inferTypes(
        engine,
        `SELECT * FROM (VALUES ${values.map((value) => `(${lit(value)})`).join(", ")}) t(v)`,
        ["v"],
      );
      assert.equal(types.get("v"), type, rule);
    }
  } finally {
    engine.close();
  }
});

const rowsWith = (value: (row: number) => string, rows = 60) =>
  `at,x,y\n${Array.from({ length: rows }, (_, row) => `${value(row)},${row}.5,${row % 2 === 0 ? "a" : "b"}\n`).join("")}`;

test("TIME-3: as a feature and as a target a moment is days since 1970, the time of day its part", async () => {
  put(
    "at.csv",
    rowsWith((row) => `2020-01-${two(1 + (row % 28))}T18:00:0${row % 10}+06:00`),
  );
  const feature = await built("name: at\nsources: [{path: at.csv}]\ntarget: y\nfeatures: [at]\n");
  for (const [at] of await rowsOf(feature, 'CAST("at" AS DOUBLE)'))
    assert.equal(Math.round((Number(at) % 1) * 100), 50);
  const target = await built("name: at\nsources: [{path: at.csv}]\ntarget: at\nfeatures: [x]\n");
  assert.equal(target.manifest.labels, null);
  const [[least] = []] = await rowsOf(target, 'min("at")');
  assert.equal(Math.floor(Number(least)), 18262);
});

test("LARGE-1: a number beyond single precision is a rejected row with line and column, or the refusal, in preview and build", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 39, max: 307 }),
      fc.boolean(),
      fc.boolean(),
      async (power, negative, isTarget) => {
        const large = `${negative ? "-" : ""}2e${power}`;
        put("large.csv", rowsWith((row) => `20${10 + row}-01-01`).replace(",7.5,", `,${large},`));
        const roles = isTarget ? "target: x\nfeatures: [at]" : "target: y\nfeatures: [x, at]";
        const version = await built(`name: large\nsources: [{path: large.csv}]\n${roles}\n`);
        const [bad] = version.report.bad;
        assert.deepEqual([version.report.badCount, bad?.line, bad?.column], [1, 9, "x"]);
        const none = `name: large\nsources: [{path: large.csv}]\n${roles}\nbadRows: {max: 0}\n`;
        assert.match(
          await refusalOf(none),
          /^large\.csv, line 9, column x, .* than a (?:feature|target) may be \(3\.4e38/u,
        );
      },
    ),
    { numRuns: 6 },
  );
});

test("LARGE-2: what only its scaling makes too large is refused with its line", async () => {
  const rows = Array.from(
    { length: 200 },
    (_, row) => `${row === 100 ? "3e38" : `1.${String(row).padStart(4, "0")}`},${row}\n`,
  );
  put("scaled.csv", `x,y\n${rows.join("")}`);
  const yaml =
    "name: scaled\nsources: [{path: scaled.csv, split: test}, {path: train.csv, split: train}]\nplan: [{features: {numeric: standard}}]\ntarget: y\n";
  put("train.csv", `x,y\n${Array.from({ length: 60 }, (_, row) => `1.0000${row},${row}\n`).join("")}`);
  assert.match(await refusalOf(yaml), /^scaled\.csv, line 102, column x, "3e\+38": scaled by/u);
});

test("LARGE-3: a stated integer that 64 bits do not hold is rejected with how its digits are kept", async () => {
  put(
    "ids.csv",
    rowsWith((row) => `9876543210987654321${row}`),
  );
  const outcome = await build("name: ids\nsources: [{path: ids.csv, types: {at: integer}}]\ntarget: y\n");
  assert.ok(!outcome.ok);
  assert.match(
    outcome.refusal.message,
    /column at, .*more than 64 bits.*types: \{at: text\} keeps its digits/u,
  );
});
