/** Labelled lines as they are found in the wild: mixed encodings, blank lines, lines that are no example. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import fc from "fast-check";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { loadSources } from "../../data/source/load-source.ts";
import { scanSource } from "../../data/source/scan-source.ts";
import { declarationSchema } from "../../data/declaration/declaration.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-lines-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
const file = join(dir, "lines.txt");
const bytesOf = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

const table: {
  rule: string;
  bytes: Uint8Array;
  /** Line, label, text. */
  examples: [number, string, string][];
  bad: number[];
  latin1: number;
}[] = [
  {
    rule: "LL-1: label, white space, text",
    bytes: bytesOf("0 What is it ?\n1\tyes\n"),
    examples: [
      [1, "0", "What is it ?"],
      [2, "1", "yes"],
    ],
    bad: [],
    latin1: 0,
  },
  {
    rule: "LL-2: the last line needs no newline",
    bytes: bytesOf("a b"),
    examples: [[1, "a", "b"]],
    bad: [],
    latin1: 0,
  },
  {
    rule: "LL-3: CR LF and blank lines are no text",
    bytes: bytesOf("a b c\r\n\r\n  \nd e\r\n"),
    examples: [
      [1, "a", "b c"],
      [4, "d", "e"],
    ],
    bad: [],
    latin1: 0,
  },
  {
    rule: "LL-4: a line that is not UTF-8 is read as ISO-8859-1",
    bytes: bytesOf("0 größe\n1 sister", [0xad], "city\n0 ok\n"),
    examples: [
      [1, "0", "größe"],
      [2, "1", "sister\u00adcity"],
      [3, "0", "ok"],
    ],
    bad: [],
    latin1: 1,
  },
  {
    rule: "LL-5: a label without a text is rejected with its number",
    bytes: bytesOf("0 a\n1\n0 b\n"),
    examples: [
      [1, "0", "a"],
      [3, "0", "b"],
    ],
    bad: [2],
    latin1: 0,
  },
  {
    rule: "LL-6: a byte order mark is no part of the label",
    bytes: bytesOf([0xef, 0xbb, 0xbf], "0 a\n"),
    examples: [[1, "0", "a"]],
    bad: [],
    latin1: 0,
  },
  {
    rule: "LL-7: binary lines are rejected",
    bytes: bytesOf("0 a", [0], "b\n1 c\n"),
    examples: [[2, "1", "c"]],
    bad: [1],
    latin1: 0,
  },
];

for (const { rule, bytes, examples, bad, latin1 } of table) {
  test(rule, async () => {
    writeFileSync(file, bytes);
    const engine = await openEngine({ workDir: dir, threads: 2, memoryMiB: 256, onDisk: false });
    try {
      const declaration = declarationSchema.parse({
        name: "lines",
        sources: [{ format: "labelled-lines", path: file }],
        form: { kind: "text", text: "text", label: "label" },
        badRows: { max: 1 },
      });
      const loaded = await loadSources(engine, declaration, dir);
      assert.ok(loaded.ok);
      const [source] = loaded.value;
      const rows = await engine.rows("SELECT __line, label, text, __reason FROM step_0 ORDER BY __line");
      assert.deepEqual(
        rows.filter(([, , , reason]) => reason === null).map((row) => row.slice(0, 3)),
        examples,
      );
      const marked = rows.filter(([, , , reason]) => reason !== null).map(([line]) => line);
      assert.deepEqual([...marked, ...(source?.bad.map(({ line }) => line) ?? [])], bad);
      assert.equal(source?.latin1Lines, latin1);
    } finally {
      engine.close();
    }
  });
}

test("LL-8: every line is a record, bad or blank, whatever the bytes", async () => {
  const format = { delimiter: "", quote: "", header: false, fields: null, latin1Lines: true };
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      writeFileSync(file, bytes);
      const scan = await scanSource(file, format, `${file}.copy`);
      const text = Buffer.from(bytes).toString("latin1");
      const lines = text.split(/\r\n|\n|\r/u).length;
      assert.ok(scan.records + scan.badCount <= lines);
      const plain = text
        .replaceAll(/[^\x21-\x7e\n\r]/gu, "")
        .split(/[\n\r]/u)
        .filter((line) => line !== "").length;
      assert.ok(scan.records + scan.badCount >= plain);
      assert.equal(scan.bytes, bytes.length);
    }),
    { numRuns: 60 },
  );
});
