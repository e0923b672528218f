/** Bad input: rejected with file, line, column, value and reason, or the build refused with what would be right. Never dropped silently. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { loadSources } from "../../data/source/load-source.ts";
import { cutRecords, fieldsOf } from "../../data/source/record.ts";
import { build, buildFolder, built, declared, put, refusalOf, rowsOf } from "../support/dataset-build.ts";

const form = "text: text\nlabel: label\n";
const good = (count: number) =>
  Array.from(
    { length: count },
    (_, row) => `words ${String.fromCodePoint(0x3400 + row)},${row % 2 === 0 ? "yes" : "no"}\n`,
  ).join("");

test("BAD-1: each bad row is told with its line and reason, after quoted line ends, blank lines and other bad rows", async () => {
  put(
    "bad.csv",
    Buffer.concat([
      Buffer.from(`text,label\n${good(60)}"two\nlines",yes\n\nonly one field\n`), // lines 62-63, 64, 65
      Buffer.from("caf\xe9,no\n", "latin1"), // 66
      Buffer.from('"torn"x,yes\nempty label,\n,no\na,b,c\n"never closed,yes\nlast one,no\n'), // 67-72
    ]),
  );
  const version = await built(`name: bad\nsources: [{path: bad.csv}]\nbadRows: {max: 0.2}\n${form}`);
  assert.deepEqual(
    version.manifest.bad.first.map(({ line, column, reason }) => [line, column, reason.split(";")[0]]),
    [
      [65, null, "it has 1 field and should have 2"],
      [67, null, "text follows a closing quote"],
      [68, "label", "it has no label"],
      [69, "text", "it has no text"],
      [70, null, "it has 3 fields and should have 2"],
      [71, null, "a quote is opened here and never closed"],
    ],
  );
  assert.equal(version.manifest.bad.count, 6);
  assert.equal(version.report.latin1Lines, 1);
  const rows = await rowsOf(version, "line, text");
  assert.equal(rows.length, 63);
  assert.deepEqual(new Map(rows.map(([line, text]) => [line, text])).get(62), "two\nlines");
  assert.deepEqual(new Map(rows.map(([line, text]) => [line, text])).get(66), "café");
  assert.deepEqual(new Map(rows.map(([line, text]) => [line, text])).get(72), "last one");
});

test("BAD-2: over the share a build is refused with the first bad row", async () => {
  put("many.csv", `text,label\n${good(20)}one\ntwo\n`);
  const yaml = `name: bad\nsources: [{path: many.csv}]\n${form}`;
  assert.match(
    await refusalOf(yaml),
    /^many\.csv, line 22, "one": it has 1 field and should have 2; 2 of 22 lines/u,
  );
  assert.ok((await build(`${yaml}badRows: {max: 0.1}\n`)).ok);
});

test("BAD-3: a value that is no number is told with line, column and value", async () => {
  put(
    "price.csv",
    `size,price\n${Array.from({ length: 100 }, (_, row) => `${row},${row / 4}\n`).join("")}7,cheap\nx,1\n`,
  );
  const version = await built("name: p\nsources: [{path: price.csv}]\ntarget: price\n");
  assert.deepEqual(
    version.manifest.bad.first.map(({ line, column, value, reason }) => [line, column, value, reason]),
    [
      [102, "price", "cheap", "it is no number"],
      [103, "size", "x", "it is no integer"],
    ],
  );
});

const refusals: { rule: string; files: Record<string, string>; yaml: string; says: RegExp }[] = [
  {
    rule: "a missing file",
    files: {},
    yaml: `sources: [{path: gone.csv}]\n${form}`,
    says: /^there is no file gone\.csv; give the path of the file to read$/u,
  },
  {
    rule: "another delimiter",
    files: { "semi.csv": "text;label\na;b\nc;d\n" },
    yaml: `sources: [{path: semi.csv}]\n${form}`,
    says: /^semi\.csv, line 1: with the delimiter "," there is one column; with ";" there are 2, so give delimiter: ";"/u,
  },
  {
    rule: "a column that is not there",
    files: { "c.csv": `text,label\n${good(20)}` },
    yaml: `sources: [{path: c.csv}]\nplan: [{clean: {columns: [txet]}}]\n${form}`,
    says: /^step 1 \(clean\): there is no column "txet"; did you mean "text"\?/u,
  },
  {
    rule: "a label column that is not there",
    files: {},
    yaml: "sources: [{path: c.csv}]\ntext: text\nlabel: lable\n",
    says: /^label: there is no column "lable"; did you mean "label"\?/u,
  },
  {
    rule: "a label outside the map",
    files: { "map.csv": `text,label\n${good(20)}odd one,nope\n` },
    yaml: `sources: [{path: map.csv}]\nplan: [{map-label: {column: label, from: {yes: "1", no: "0"}}}]\n${form}`,
    says: /^map\.csv, line 22, column label, "nope": it is no label of the map; did you mean "no"\?/u,
  },
  {
    rule: "a class with one row",
    files: { "one.csv": `text,label\n${good(20)}alone,maybe\n` },
    yaml: `sources: [{path: one.csv}]\n${form}`,
    says: /^one\.csv, line 22, column label, "maybe": no other row has this label/u,
  },
  {
    rule: "an empty split",
    files: { "few.csv": "text,label\na,x\nb,y\nc,x\nd,y\n" },
    yaml: `sources: [{path: few.csv}]\n${form}`,
    says: /^split: the validation split is empty: 4 rows in 4 groups \(rows that are alike stay together\) are too few/u,
  },
  {
    rule: "a plan that drops everything",
    files: {},
    yaml: `sources: [{path: c.csv}]\nplan: [{clean: {columns: [text]}}, {filter: length(text) > 1000}]\n${form}`,
    says: /^step 2 \(filter\) leaves no row of the 20 that came to it/u,
  },
  {
    rule: "an empty file",
    files: { "empty.csv": "" },
    yaml: `sources: [{path: empty.csv}]\n${form}`,
    says: /^empty\.csv holds no row/u,
  },
  {
    rule: "two columns of one name",
    files: { "twice.csv": "text,Text\na,b\n" },
    yaml: `sources: [{path: twice.csv}]\n${form}`,
    says: /^twice\.csv, line 1, column 2: "Text" stands twice/u,
  },
  {
    rule: "lines that are not in the stated encoding",
    files: { "enc.csv": `text,label\n${good(3)}` },
    yaml: `sources: [{path: enc.csv, encoding: utf-16}]\n${form}`,
    says: /^enc\.csv holds no row when it is read as utf-16; is that its encoding\?$/u,
  },
  {
    rule: "no Parquet file",
    files: { "no.parquet": "text" },
    yaml: `sources: [{path: no.parquet}]\n${form}`,
    says: /^no\.parquet is no Parquet file/u,
  },
  {
    rule: "a text target to be regressed",
    files: {
      "t.csv": `size,kind\n${Array.from({ length: 20 }, (_, row) => `${row},${row % 2 === 0 ? "a" : "b"}\n`).join("")}`,
    },
    yaml: "sources: [{path: t.csv}]\ntarget: kind\ntask: regression\n",
    says: /^target: column "kind" is text, and regression needs a number/u,
  },
];

test("BAD-4: what cannot be built from is refused in one sentence that says where and what would be right", async () => {
  for (const { rule, files, yaml, says } of refusals) {
    for (const [name, content] of Object.entries(files)) put(name, content);
    const message = await refusalOf(`name: bad\n${yaml}`);
    assert.match(message, says, rule);
    assert.ok(!message.includes("\n"), rule);
  }
});

const piece = fc.constantFrom(
  ..."ab,,",
  '"',
  '"',
  '""',
  "\n",
  "\n",
  "\r\n",
  "\r",
  "\0",
  " ",
  "x,y\n",
  '"q"',
  "é",
  "\\",
);

test("BAD-5: whatever the bytes, every row that is read has its own line and values, and every other is bad or blank", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (parts) => {
      const bytes = Buffer.from(`h,k\n1,2\n${parts.join("")}`);
      const path = put("any.csv", bytes);
      const engine = await openEngine({ workDir: buildFolder, threads: 2, memoryMiB: 256, onDisk: false });
      try {
        const declaration = declared(
          "name: any\nsources: [{path: any.csv, types: {h: text, k: text}}]\ntext: h\nlabel: k\nbadRows: {max: 1}\n",
        );
        const loaded = await loadSources(engine, declaration, buildFolder);
        assert.ok(loaded.ok, loaded.ok ? "" : loaded.refusal.message);
        const expected: unknown[][] = [];
        let [line, bad] = [1, 0];
        cutRecords(bytes, bytes.length, true, { delimiter: 0x2c, quote: 0x22 }, (span) => {
          const here = line;
          line += 1 + span.innerLines;
          const text = bytes.toString("utf8", span.from, span.to);
          if (span.fields === 1 && text.trim() === "") return;
          const fields = fieldsOf(text, ",", '"').map((field) => (field === "" ? null : field));
          if (span.fields !== 2 || span.torn || span.open || text.includes("\0")) bad++;
          else if (here > 1) expected.push([here, ...fields]);
        });
        assert.deepEqual(await engine.rows("SELECT __line, h, k FROM step_0 ORDER BY __line"), expected);
        assert.equal(loaded.value[0]?.badCount, bad);
        assert.equal(loaded.value[0]?.path, path);
      } finally {
        engine.close();
      }
    }),
    { numRuns: 15 },
  );
});

test("a row without a text is rejected, and not the build, where a column of numbers stands beside it that nobody reads", async () => {
  const words = [..."abcdefghijklmnopqrstuvwxyz"].map((one) => one.repeat(3));
  const lines = words.map((word, at) => `${at === 3 ? "" : word},${at},${at % 2 === 0 ? "yes" : "no"}`);
  put("beside.csv", `text,count,label\n${lines.join("\n")}\n`);
  const made = await built(
    "name: beside\nsources: [{path: beside.csv}]\ntext: text\nlabel: label\nbadRows: {max: 1}\n",
  );
  assert.equal(made.manifest.bad.count, 1);
  assert.match(made.manifest.bad.first[0]?.reason ?? "", /it has no text/);
});
