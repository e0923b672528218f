/** Files that are not what their names say, damaged ones, folders with links: each is named, none is passed over. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { openEngine } from "../../data/engine/sql-engine.ts";
import { lit } from "../../data/engine/sql.ts";
import { kindOfHead } from "../../data/source/file-kind.ts";
import { build, buildFolder, built, put, refusalOf } from "../support/dataset-build.ts";

const csv = `text,label\n${Array.from({ length: 40 }, (_, row) => `words ${String.fromCodePoint(0x3400 + row)},l${row % 2}\n`).join("")}`;
const asSource = (name: string, more = "") =>
  `name: some\nsources: [{path: ${name}${more}}]\ntext: text\nlabel: label\n`;

const kinds: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ["gzip.csv", gzipSync(csv), /^gzip\.csv is compressed with gzip; unpack it with gunzip$/u],
  ["zstd.jsonl", zstdCompressSync(Buffer.from(csv)), /^zstd\.jsonl is compressed with zstd/u],
  [
    "book.csv",
    Buffer.from("PK\u0003\u0004\u0014\u0000[Content_Types].xml", "latin1"),
    /a ZIP archive, such as an Excel workbook/u,
  ],
  ["old.csv", Buffer.from("d0cf11e0a1b11ae1", "hex"), /\(\.xls\); save its table as CSV/u],
  ["paper.csv", Buffer.from("%PDF-1.7\n%\u0000", "latin1"), /^paper\.csv is a PDF document/u],
  ["hdf.csv", Buffer.from("894844460d0a1a0a", "hex"), /^hdf\.csv is an HDF5 file/u],
  ["lite.csv", Buffer.from("SQLite format 3\0"), /^lite\.csv is an SQLite database/u],
  ["tape.csv", Buffer.from(`name${"\0".repeat(253)}ustar\0`), /^tape\.csv is a tar archive/u],
  ["page.csv", Buffer.from("<!DOCTYPE html>\n<html>sign in</html>\n"), /^page\.csv is a web page/u],
  ["list.jsonl", Buffer.from('[{"text": "a", "label": "b"}]\n'), /^list\.jsonl is a JSON array; JSON lines/u],
  [
    "rows.csv",
    Buffer.from("PAR1\u0015\u0000", "latin1"),
    /^rows\.csv is a Parquet file; say format: parquet/u,
  ],
  [
    "large.parquet",
    Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5242880\n"),
    /^large\.parquet is a Git LFS pointer to a file of 5\.0\d? MiB that is not here; `git lfs pull` brings it$/u,
  ],
];

test("KIND-1: a file that is something else is named as what it is, in one sentence, without its bytes", async () => {
  for (const [name, bytes, says] of kinds) {
    put(name, bytes);
    const message = await refusalOf(asSource(name));
    assert.match(message, says, name);
    // oxlint-disable-next-line no-control-regex
    assert.doesNotMatch(message, /[\u0000-\u001f\u007f-\u009f]/u, name);
  }
});

test("KIND-2: text that begins like one is text", () => {
  for (const text of [
    "ORC,elf\n1,2\n",
    "BZh\n",
    "PAR1,x\n",
    "GIF8,a\n",
    "RDX,a\n",
    "version https://example.org\n",
    "a,b\n",
    "",
    "é,ü\n",
  ])
    assert.equal(kindOfHead(Buffer.from(text)), null, text);
});

test("PARQUET-1: each damage has its own sentence; what is wrong with a column that nobody uses refuses nothing", async () => {
  const path = put("whole.parquet", "");
  const engine = await openEngine({ workDir: buildFolder, threads: 1, memoryMiB: 256, onDisk: false });
  try {
    await engine.run(
      `COPY (SELECT 'words ' || chr((13312 + i)::INTEGER) AS text, 'l' || i % 2 AS label, sqrt(i) AS x, 18446744073709551615::UBIGINT - (i // 2)::UBIGINT AS u, DATE '2020-01-01' + i::INTEGER AS d
       FROM range(80) t(i)) TO ${lit(path)} (FORMAT parquet, COMPRESSION uncompressed)`,
    );
  } finally {
    engine.close();
  }
  const whole = readFileSync(path);
  const damaged: readonly (readonly [string, Buffer, RegExp])[] = [
    ["empty", Buffer.alloc(0), /empty\.parquet is empty/u],
    [
      "short",
      whole.subarray(0, 7),
      /short\.parquet is a Parquet file that is cut off: it ends after 7 bytes/u,
    ],
    ["cut", whole.subarray(0, whole.length / 2), /cut\.parquet is a Parquet file that is cut off/u],
    ["head", Buffer.concat([Buffer.from("XXXX"), whole.subarray(4)]), /first bytes are damaged/u],
    ["key", Buffer.concat([whole.subarray(0, -4), Buffer.from("PARE")]), /is an encrypted Parquet file/u],
    [
      "size",
      Buffer.concat([whole.subarray(0, -8), Buffer.from("ffffff7f50415231", "hex")]),
      /damaged footer/u,
    ],
    [
      "foot",
      Buffer.concat([whole.subarray(0, -400), Buffer.alloc(392, 0xff), whole.subarray(-8)]),
      /footer that cannot be read/u,
    ],
    ["text", Buffer.from("hello,world\n1,2\n"), /is no Parquet file: it does not begin with PAR1/u],
  ];
  for (const [name, bytes, says] of damaged) {
    put(`${name}.parquet`, bytes);
    const message = await refusalOf(asSource(`${name}.parquet`));
    assert.match(message, says, name);
    assert.doesNotMatch(message, /Error|Thrift|DuckDB|\n/u, name);
  }
  // The first bytes of the first column's page: its header.
  const first = Buffer.from(whole);
  first.fill(0xff, 4, 40);
  put("first.parquet", first);
  assert.match(
    await refusalOf(asSource("first.parquet")),
    /first\.parquet, column text: its values cannot be read/u,
  );
  const unused = await built("name: some\nsources: [{path: first.parquet}]\ntarget: d\nfeatures: [x]\n");
  assert.match(unused.report.notes.join(), /text cannot be read, and nothing uses it/u);
  const exact = await built(
    "name: some\nsources: [{path: whole.parquet}]\ntarget: x\nfeatures: [u]\nplan: [{split: {by: text}}]\n",
  );
  const [u] = exact.manifest.features ?? [];
  assert.ok(u?.kind === "categories");
  assert.ok(u.values.every((value) => /^1844674407370955\d{4}$/u.test(value)));
});

test("UNUSED-1: in CSV neither a value nor a name of a column that nobody uses refuses the file", async () => {
  const rows = Array.from(
    { length: 60 },
    (_, row) =>
      `${row},words ${String.fromCodePoint(0x3400 + row)},l${row % 2},${row % 10 === 0 ? "?" : row},a,b\n`,
  );
  put("index.csv", `,text,label,x,dup,dup\n${rows.join("")}`);
  const { manifest } = await built(asSource("index.csv", ", types: {x: integer}"));
  assert.equal(manifest.bad.count, 0);
  const used = await build(
    "name: some\nsources: [{path: index.csv, types: {x: integer}}]\nplan: [{filter: x >= 0}]\ntext: text\nlabel: label\n",
  );
  assert.match(
    used.ok ? "" : used.refusal.message,
    /column x, "\?": it is no integer; if it means there is none, say missing: \["\?"\]/u,
  );
  assert.match(
    await refusalOf("name: some\nsources: [{path: index.csv}]\ntext: dup\nlabel: label\n"),
    /"dup" stands twice/u,
  );
});

test("FOLDER-1: links are followed, one that leads nowhere is refused by its name, and what is no example is counted", async () => {
  const example = (path: string, row: number) =>
    put(path, `an example ${String.fromCodePoint(0x3400 + row)}`);
  for (let row = 0; row < 20; row++) {
    example(`kept/${row}.txt`, row);
    example(`linked/${row}.txt`, 100 + row);
    example(`set/plain/${row}.txt`, 200 + row);
    const link = join(buildFolder, `set/files/${row}.txt`);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(`../../kept/${row}.txt`, link);
  }
  symlinkSync("../linked", join(buildFolder, "set/folder"));
  example("set/read-me.txt", 300);
  example("set/plain/deep/er/one.txt", 301);
  const yaml = asSource("set", ", format: folder");
  const { manifest, report } = await built(yaml);
  assert.deepEqual([manifest.labels, manifest.sources[0]?.rows], [["files", "folder", "plain"], 60]);
  assert.match(
    report.notes.join(),
    /set: 2 files that are in no label's own folder were left out, the first plain\/deep\/er\/one\.txt/u,
  );
  writeFileSync(
    join(buildFolder, "set/plain/lfs.txt"),
    "version https://git-lfs.github.com/spec/v1\nsize 9\n",
  );
  assert.match(await refusalOf(yaml), /set\/plain\/lfs\.txt is a Git LFS pointer/u);
  symlinkSync("../nowhere.txt", join(buildFolder, "set/files/lost.txt"));
  assert.match(
    await refusalOf(yaml),
    /set\/files\/lost\.txt is a link to \.\.\/nowhere\.txt, which cannot be read/u,
  );
});
