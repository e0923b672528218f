/** Parquet bodies of MLflow's protocol: the same answers as JSON's, bounds, and bytes that are no Parquet or less than all of it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { lit } from "../../data/engine/sql.ts";
import { ParquetReader } from "../../serving/server/parquet-body.ts";
import { ServingPlace } from "../support/serving-place.ts";
import { tableModel, textModel } from "../support/stand-in-model.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-parquet-test-"));
const engine = await openEngine({ workDir: folder, threads: 1, memoryMiB: 512, onDisk: false });
after(() => {
  engine.close();
  rmSync(folder, { recursive: true, maxRetries: 5 });
});
let files = 0;
const type = { "content-type": "application/vnd.apache.parquet" };
const json = { "content-type": "application/json" };
const refusalSchema = z.object({ error_code: z.string(), message: z.string().min(10) });

/** The bytes of a Parquet file with what a query gives. */
async function parquet(sql: string): Promise<Buffer> {
  const path = join(folder, `${++files}.parquet`);
  await engine.run(`COPY (${sql}) TO ${lit(path)} (FORMAT parquet)`);
  return readFileSync(path);
}

const opened = await ServingPlace.open({ models: [tableModel()] });
const texts = await ServingPlace.open({ models: [textModel()] });
after(async () => {
  await opened.door.drain(1_000);
  await texts.door.drain(1_000);
});

test("SERVE-21: rows of any type are answered as those of JSON are, columns that the model does not take are passed over", async () => {
  const size = fc.option(fc.integer({ min: -1_000, max: 1_000 }), { freq: 20 });
  const row = fc.record({
    size,
    kind: fc.constantFrom("big", "small", "it's"),
    note: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true, min: -9, max: 9 })),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("TINYINT", "BIGINT", "DOUBLE", "DECIMAL(9,2)", "FLOAT"),
      async (rows, sqlType) => {
        const small =
          sqlType === "TINYINT"
            ? rows.map((one) => ({ ...one, size: one.size === null ? null : one.size % 100 }))
            : rows;
        const values = small.map(
          ({ kind, note, size: of }, at) =>
            `(${at}, CAST(${of ?? "NULL"} AS ${sqlType}), ${lit(kind)}, CAST(${note === null ? "NULL" : `'${note}'`} AS DOUBLE), DATE '2026-01-01')`,
        );
        const sql = `SELECT size, kind, note, seen FROM (VALUES ${values.join(", ")}) AS t(n, size, kind, note, seen) ORDER BY n`;
        const given = await opened.ask("/invocations", await parquet(sql), type);
        const asJson = await opened.ask("/invocations", { dataframe_records: small }, json);
        assert.deepEqual([given.status, given.json], [asJson.status, asJson.json]);
      },
    ),
    { numRuns: 15 },
  );
});

test("SERVE-21: texts come with whatever characters they have", async () => {
  const given = ["Größe, naïve café", "日本語 한국어 🙂", "a 'quoted' one\nand a line"];
  const body = await parquet(`SELECT unnest([${given.map(lit).join(", ")}]) AS text`);
  const asked = await texts.ask("/invocations", body, type);
  assert.deepEqual(asked.json, (await texts.ask("/invocations", { inputs: given }, json)).json);
});

test("SERVE-21: what is too much, or is none of the model's, is refused with a sentence", async () => {
  for (const [sql, status, sentence] of [
    ["SELECT 'a' AS other", 400, /none of the model's columns "text"; it has "other"/],
    ["SELECT 'a' AS text WHERE false", 400, /no rows/],
    ["SELECT 'a' AS text FROM range(100001)", 413, /100001 rows/],
    ["SELECT repeat('a', 262145) AS text", 413, /has 262145 characters/],
    ["SELECT repeat('a', 20000) AS text FROM range(8000)", 413, /unpacks to 160000000 characters/],
    ["SELECT 7 AS text", 400, /row 1 of "text" is 7; it has to be a text/],
    ["SELECT CAST(NULL AS VARCHAR) AS text", 400, /row 1 of "text" is null/],
  ] as const) {
    const answer = await texts.ask("/invocations", await parquet(sql), type);
    assert.equal(answer.status, status, sql);
    assert.match(refusalSchema.parse(answer.json).message, sentence);
  }
});

test("SERVE-21: bytes that are cut off or damaged get a sentence and hurt nobody, and nothing is left behind", async () => {
  const whole = await parquet("SELECT 'text ' || range AS text FROM range(50)");
  const right = (await texts.ask("/invocations", whole, type)).json;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), async (at, byte, isCut) => {
      const damaged = isCut ? whole.subarray(0, at) : Buffer.from(whole);
      if (!isCut) damaged[at] = byte;
      const answer = await texts.ask("/invocations", damaged, type);
      assert.ok([200, 400, 413].includes(answer.status), answer.text);
      if (answer.status !== 200) refusalSchema.parse(answer.json);
      assert.ok(!answer.text.includes(tmpdir()), answer.text);
    }),
    { numRuns: 60 },
  );
  assert.deepEqual((await texts.ask("/invocations", whole, type)).json, right);
  const left = readdirSync(tmpdir()).filter((name) => /^trialmesh-parquet-(?!test)/.test(name));
  assert.deepEqual(left, []);
});

test("SERVE-21: of many at once each gets its own, and one too many is told to come later", async () => {
  const bodies = await Promise.all(
    Array.from({ length: 6 }, (_, at) => parquet(`SELECT 'number ${at}' AS text`)),
  );
  const answers = await Promise.all(bodies.map((body) => texts.ask("/invocations", body, type)));
  for (const [at, answer] of answers.entries())
    assert.deepEqual(answer.json, (await texts.ask("/invocations", { inputs: [`number ${at}`] }, json)).json);
  const reader = new ParquetReader();
  const [body = Buffer.alloc(0)] = bodies;
  const all = await Promise.all(Array.from({ length: 20 }, () => reader.read(body, ["text"])));
  assert.equal(all.filter((one) => !one.ok && one.down.status === 429).length, 4);
  assert.equal(all.filter(({ ok }) => ok).length, 16);
});
