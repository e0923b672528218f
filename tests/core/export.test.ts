/** Exports without a mesh: what each format makes of any text and number, what is called whole, and where files go. */
import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { csvText } from "../../client/export/csv-table.ts";
import { ExportFiles } from "../../client/export/export-file.ts";
import { exportFormats, exportPlace, exportTables } from "../../client/export/export-place.ts";
import { TableDraft, type ExportTable, type Plain } from "../../client/export/export-table.ts";
import { parquetNames, writeParquet } from "../../client/export/parquet-table.ts";
import { historyOf, historyState, type Point } from "../../client/export/trial-history.ts";
import { patientClient } from "../../client/list/patient-client.ts";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { lit } from "../../data/engine/sql.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { openFakeMesh } from "../support/fake-client.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-export-test-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
let made = 0;
const fresh = () => {
  const path = join(folder, `${made++}`);
  mkdirSync(path);
  return path;
};

async function tableOf(rows: readonly (readonly (readonly [string, Plain])[])[]): Promise<ExportTable> {
  const draft = await TableDraft.create(join(fresh(), "rows"), [{ name: "row", type: "whole" }]);
  for (const [index, cells] of rows.entries()) await draft.add([index], cells);
  return draft.finish();
}

/** RFC 4180, read back by the letter; an empty field is null, an empty text in quotes is not. */
function readCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  const field = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/gy;
  for (let match = field.exec(text); match !== null && match.index < text.length; match = field.exec(text)) {
    rows
      .at(-1)
      ?.push(
        match[1] === undefined ? (match[2] === "" ? null : (match[2] ?? "")) : match[1].replaceAll('""', '"'),
      );
    if (match[3] === "\n") rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    "",
    ",",
    '"',
    "a\nb",
    "\r\n",
    " x ",
    "=1+1",
    "NaN",
    "007",
    "true",
    "\ud800",
    "a\u2028b\u2029\u0085\r",
    "a\u0000b",
    "é",
    "准确率",
  ),
);
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger());
const anyCell = fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null));
const kinds = [anyText, fc.maxSafeInteger(), fc.double({ noNaN: false }), fc.boolean(), anyCell] as const;
/** Rows of columns of one kind each, some without a value. */
const anyRows = fc
  .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 12 }), fc.constantFrom(...kinds)), {
    selector: ([name]) => name,
    maxLength: 5,
  })
  .chain((columns) =>
    fc.array(
      fc.tuple(
        ...columns.map(([name, kind]) => fc.tuple(fc.constant(`p.${name.toWellFormed()}`), fc.option(kind))),
      ),
      { maxLength: 6 },
    ),
  );

/** As a cell of a column of this type holds it; -0 and 0 are one number. */
function held(value: Plain, type: string): Plain {
  if (value === null) return null;
  if (type === "text") return String(value).toWellFormed();
  return value === 0 ? 0 : value;
}

test("EXPORT-5: any text and number comes out of a CSV as it went in", async () => {
  await fc.assert(
    fc.asyncProperty(anyRows, async (rows) => {
      const table = await tableOf(rows);
      let text = "";
      for await (const piece of csvText(table)) text += piece;
      const [head, ...lines] = readCsv(text);
      assert.deepEqual(
        head,
        table.columns.map(({ name }) => name),
      );
      assert.equal(lines.length, rows.length);
      for (const [index, cells] of rows.entries())
        for (const [name, value] of cells) {
          const at = table.columns.findIndex((column) => column.name === name);
          const { type = "text" } = table.columns[at] ?? {};
          const expected = held(value, type);
          const cell = lines[index]?.[at] ?? null;
          if (typeof expected !== "number") assert.equal(cell, expected === null ? null : String(expected));
          else
            assert.ok(
              Object.is(Number(cell?.replace("inf", "Infinity")) + 0, expected),
              `${cell} is ${expected}`,
            );
        }
    }),
    { numRuns: 60 },
  );
});

test("EXPORT-6: any text and number comes out of a Parquet file as it went in", async () => {
  const engine = await openEngine({ workDir: folder, threads: 1, memoryMiB: 256, onDisk: false });
  await fc.assert(
    fc.asyncProperty(anyRows, async (rows) => {
      const table = await tableOf(rows);
      const work = fresh();
      const path = join(work, "t.parquet");
      assert.deepEqual(await writeParquet(table, path, work, { "it's": 1 }), accept(null));
      const read = await engine.rows(`SELECT * FROM read_parquet(${lit(path)}) ORDER BY 1`);
      assert.equal(read.length, rows.length);
      for (const [index, cells] of rows.entries())
        for (const [name, value] of cells) {
          const at = table.columns.findIndex((column) => column.name === name);
          const cell = read[index]?.[at];
          const expected = held(value, table.columns[at]?.type ?? "text");
          assert.ok(
            Object.is(cell === 0 ? 0 : cell, expected),
            `${name}: ${String(cell)} is ${String(expected)}`,
          );
        }
    }),
    { numRuns: 25 },
  );
  engine.close();
});

test("EXPORT-7: whatever columns are called, Parquet tells them apart, and renames only what it must", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[aA_2]{1,4}$/)), (names) => {
      const own = parquetNames(names);
      assert.equal(new Set(own.map((name) => name.toLowerCase())).size, names.length);
      for (const [index, name] of names.entries()) {
        const isFirst = names.findIndex((other) => other.toLowerCase() === name.toLowerCase()) === index;
        if (isFirst) assert.equal(own[index], name);
      }
    }),
  );
});

const point = (resource: number, fence = 1): Point => ({
  trial: "s1-1",
  fence,
  resource,
  metrics: { a: 1 },
  at: 1,
});
const attempt = (fence: number, fromResource: number) => ({
  fence,
  agent: "a",
  backend: "wasm",
  rate: 1,
  fromResource,
  target: 9,
  approximate: false,
  startedAt: 0,
  endedAt: null,
  state: "running" as const,
  ending: null,
  reserved: 0,
  posted: 0,
});

test("EXPORT-8: a history is whole only where no epoch is missing, whichever are taken away", () => {
  const trial = fc.record({
    from: fc.nat(3),
    length: fc.integer({ min: 1, max: 12 }),
    gone: fc.array(fc.nat(11)),
  });
  fc.assert(
    fc.property(trial, ({ from, gone, length }) => {
      const epochs = Array.from({ length }, (_, index) => from + 1 + index);
      const kept = epochs.filter((_, index) => !gone.includes(index));
      const view = { attempts: [attempt(1, from)], reusedFrom: null, resource: from + length };
      const expected = kept.length === length ? "whole" : kept.length === 0 ? "lost" : "partial";
      assert.equal(
        historyState(
          view,
          kept.map((epoch) => point(epoch)),
        ),
        expected,
      );
    }),
  );
  assert.equal(historyState({ attempts: [], reusedFrom: null, resource: 0 }, []), "empty");
  // Said twice, by two attempts, of which the first was lost before its checkpoint.
  const twice = { attempts: [attempt(1, 0), attempt(2, 1)], reusedFrom: null, resource: 3 };
  assert.equal(historyState(twice, [point(1), point(2), point(2, 2), point(3, 2)]), "whole");
  const many = Array.from({ length: 1_000 }, (_, index) => point(index + 1));
  assert.equal(
    historyState({ attempts: [attempt(1, 0)], reusedFrom: null, resource: 1_000 }, many),
    "partial",
  );
});

test("EXPORT-9: however a history is parted in pages, each trial gets its points, and those without get none", async () => {
  const { client } = openFakeMesh();
  const trials = Array.from({ length: 5 }, (_, index) => `s1-${index + 1}`);
  const all = fc.array(fc.tuple(fc.constantFrom(...trials), fc.nat(9)), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(all, fc.integer({ min: 1, max: 6 }), async (said, perPage) => {
      const points = said
        .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .map(([trial, resource]) => ({ ...point(resource), trial }));
      const paged = {
        ...client,
        query: (
          _name: string,
          { after, trials: asked }: { after?: { sequence: number }; trials: string[] },
        ) => {
          const from = after?.sequence ?? 0;
          const next = points[from + perPage];
          if (next !== undefined)
            assert.ok(asked.includes(next.trial) && asked.includes(points[from]?.trial ?? ""));
          return Promise.resolve(
            accept({
              points: points.slice(from, from + perPage),
              next:
                next === undefined
                  ? null
                  : { trial: next.trial, fence: 1, subject: 0, sequence: from + perPage },
            }),
          );
        },
      };
      const heard: Point[][] = [];
      for await (const each of historyOf(paged as unknown as typeof client, trials)) {
        assert.ok(each.ok);
        heard.push([...each.value]);
      }
      assert.deepEqual(
        heard,
        trials.map((trial) => points.filter((one) => one.trial === trial)),
      );
    }),
  );
});

test("EXPORT-10: where files go follows from what was asked, and nothing that is there is written over", () => {
  const place = fresh();
  const dots = ["r", "r.x", "r.csv", "r.parquet", "r.json", "r.jsonl", "r/", "-"];
  const options = fc.record({
    out: fc.option(
      fc.constantFrom(
        ...dots.map((name) => (name === "-" ? name : join(place, name) + (name.endsWith("/") ? "/" : ""))),
      ),
      { nil: undefined },
    ),
    format: fc.option(fc.constantFrom(...exportFormats), { nil: undefined }),
    table: fc.option(fc.constantFrom(...exportTables), { nil: undefined }),
  });
  fc.assert(
    fc.property(options, ({ format, out, table }) => {
      const given = {
        ...(out === undefined ? {} : { out }),
        ...(format === undefined ? {} : { format }),
        ...(table === undefined ? {} : { table }),
      };
      const found = exportPlace("s1", given);
      if (!found.ok) {
        assert.match(found.refusal.message, /--table|--format|--out -/);
        return;
      }
      const { outputs } = found.value;
      if (format !== undefined) assert.equal(found.value.format, format);
      if (table !== undefined)
        assert.deepEqual(
          outputs.map((each) => each.table),
          [table],
        );
      for (const { path } of outputs) {
        if (path === null) assert.equal(out, "-");
        else assert.ok(path.startsWith(out === undefined ? resolve("s1") : place), path);
      }
      assert.equal(new Set(outputs.map(({ path }) => path)).size, outputs.length);
    }),
  );
  writeFileSync(join(place, "there.csv"), "");
  const refused = exportPlace("s1", { out: join(place, "there.csv") });
  assert.ok(!refused.ok && refused.refusal.message.includes("--force"));
  assert.ok(exportPlace("s1", { out: join(place, "there.csv"), force: true }).ok);
  mkdirSync(join(place, "full", "trials.csv"), { recursive: true });
  assert.ok(!exportPlace("s1", { out: join(place, "full"), force: true }).ok, "a folder is no file");
});

test("EXPORT-11: files stand in their places together, complete, or not at all", async () => {
  const place = fresh();
  async function* pieces(...texts: readonly string[]) {
    for (const text of texts) yield await Promise.resolve(text);
  }
  const files = new ExportFiles(false);
  await files.write(join(place, "sub", "a"), pieces("1", "2"));
  assert.equal(existsSync(join(place, "sub", "a")), false);
  const sizes = await files.place();
  assert.ok(sizes.ok && sizes.value.get(join(place, "sub", "a")) === 2);
  files.close();
  assert.equal(readFileSync(join(place, "sub", "a"), "utf8"), "12");
  const late = new ExportFiles(false);
  await late.write(join(place, "b"), pieces("mine"));
  writeFileSync(join(place, "b"), "another's");
  assert.ok(!(await late.place()).ok);
  late.close();
  assert.equal(readFileSync(join(place, "b"), "utf8"), "another's");
  assert.deepEqual(readdirSync(place).toSorted(), ["b", "sub"]);
});

test("EXPORT-12: who asks more than one may waits and asks again; what stays refused, or took long already, is refused", async () => {
  const { client } = openFakeMesh();
  const trying = async (refusals: number, code: "unavailable" | "unknown", eachMs: number) => {
    let [asked, paused, at] = [0, 0, 0];
    const busy = {
      query: () => {
        at += eachMs;
        return Promise.resolve(
          asked++ < refusals ? refuse(code, "more than 100 questions a second") : accept(1),
        );
      },
    };
    const pause = (ms: number) => {
      paused += ms;
      return Promise.resolve();
    };
    const answer = await patientClient(busy as unknown as typeof client, pause, () => at).query("mesh", {});
    return { ok: answer.ok, asked, paused };
  };
  assert.deepEqual(await trying(0, "unavailable", 1), { ok: true, asked: 1, paused: 0 });
  assert.deepEqual(await trying(3, "unavailable", 1), { ok: true, asked: 4, paused: 3_000 });
  assert.deepEqual(await trying(50, "unavailable", 1), { ok: false, asked: 10, paused: 9_000 });
  assert.deepEqual(await trying(1, "unknown", 1), { ok: false, asked: 1, paused: 0 });
  assert.deepEqual(await trying(1, "unavailable", 20_000), { ok: false, asked: 1, paused: 0 });
});

test("EXPORT-14: a coordinator of before, which has no such question, is named as the reason", async () => {
  const before = {
    query: () => Promise.resolve(refuse("unknown", 'there is no query history; did you mean "why"?')),
  };
  for await (const each of historyOf(before, ["s1-1"]))
    assert.ok(!each.ok && each.refusal.message.startsWith("the coordinator is of a version"));
});
