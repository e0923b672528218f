/** A version is its bytes: the same from any folder and any number of threads, read back as what was put in, or refused. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import test from "node:test";
import { buildRecipe } from "../../data/recipe/build-recipe.ts";
import { recipeOf } from "../../data/recipe/recipe.ts";
import { recipeKey, sourceDigests } from "../../data/source/recipe-key.ts";
import { applyFeatures } from "../support/apply-feature.ts";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import { readVersion } from "../../data/manifest/read-version.ts";
import { buildFolder, built, declared, put, rowsOf } from "../support/dataset-build.ts";

const cities = ["Paris", "Rome", "Oslo", "Bern"];
/** Values without a pattern that a hash could share. */
const noise = (row: number) => (Math.imul(row + 1, 0x9e37_79b1) >>> 8) % 1000;
const table = `size,city,price,sold\n${Array.from({ length: 400 }, (_, row) => `${row % 50 === 0 ? "" : noise(row) / 8},${cities[row % 7] ?? ""},${noise(row * 3) / 4},${noise(row * 7) < 500 ? "yes" : "no"}\n`).join("")}`;
const texts = `text,label\n${Array.from({ length: 300 }, (_, row) => `"words, ${noise(row)} ""${String.fromCodePoint(0x4e00 + row)}""",${["b", "a", "10"][row % 3] ?? ""}\n`).join("")}`;

const textFile = (folder: string) =>
  `name: some\nsources: [{path: ${folder}/texts.csv}]\nplan:\n  - dedupe: {by: text, near: 0.9}\ntext: text\nlabel: label\n`;

test("VERSION-1: the same inputs and plan give the same bytes twice, from two folders, with 1, 2 and 4 threads", async () => {
  put("one/texts.csv", texts);
  put("two/texts.csv", texts);
  const digests = [
    await built(textFile("one"), { threads: 1, into: "v1" }),
    await built(textFile("one"), { threads: 1, into: "v2" }),
    await built(textFile("two"), { threads: 2, into: "v3" }),
    await built(textFile("two"), { threads: 4, into: "v4", memoryMiB: 200 }),
  ].map(({ digest, path }) => [digest, createHash("sha256").update(readFileSync(path)).digest("hex")]);
  assert.equal(new Set(digests.flat()).size, 1);
  const keys: string[] = [];
  for (const folder of ["one", "two"]) {
    const declaration = declared(textFile(folder));
    const sources = await sourceDigests(declaration);
    assert.ok(sources.ok);
    keys.push(recipeKey(declaration, sources.value));
  }
  assert.equal(keys[0], keys[1]);
  put("two/texts.csv", `${texts}"one more",a\n`);
  const changed = await sourceDigests(declared(textFile("two")));
  assert.ok(changed.ok);
  assert.notEqual(recipeKey(declared(textFile("two")), changed.value), keys[0]);
});

test("VERSION-2: texts come back from the file with their labels in order, and the manifest says what is in it", async () => {
  put("one/texts.csv", texts);
  const version = await built(textFile("one"));
  const manifest = await readManifest(version.path);
  assert.deepEqual(manifest, { ok: true, value: version.manifest });
  const read = await readVersion(version.path);
  assert.ok(read.ok && read.value.kind === "text");
  const { labels, train, validation, test: held } = read.value;
  assert.deepEqual(labels, ["10", "a", "b"]);
  assert.deepEqual(
    { train: train.length, validation: validation.length, test: held.length },
    version.manifest.rows,
  );
  const rows = await rowsOf(version, "line, text, label");
  const all = [...train, ...validation, ...held];
  assert.equal(all.length, 300);
  for (const [index, [line, text, label]] of rows.entries()) {
    const row = Number(line) - 2;
    assert.deepEqual(all[index], { text, label });
    assert.equal(text, `words, ${noise(row)} "${String.fromCodePoint(0x4e00 + row)}"`);
    assert.equal(labels[Number(label)], ["b", "a", "10"][row % 3]);
  }
});

test("VERSION-3: features are fitted on the training split alone, frozen, and serving makes the same numbers", async () => {
  put("table.csv", table);
  const version = await built(
    "name: t\nsources: [{path: table.csv}]\nplan:\n  - split: {train: 0.5, validation: 0.25, test: 0.25}\n  - features: {numeric: standard, columns: {price: {buckets: 4}, city: {categories: {max: 2}}}}\ntarget: sold\n",
  );
  const read = await readVersion(version.path);
  assert.ok(read.ok && read.value.kind === "table");
  const { features, labels, train } = read.value;
  assert.equal(features.length, 1 + 3 + 4);
  assert.deepEqual(labels, ["no", "yes"]);
  const frozen = version.manifest.features ?? [];
  const rows = (await rowsOf(version, "split, line")).map(([split, line]) => ({
    split,
    row: Number(line) - 2,
  }));
  const raw = table
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const sizes = rows
    .filter(({ split }) => split === "train")
    .map(({ row }) => raw[row]?.[0] ?? "")
    .filter((size) => size !== "")
    .map(Number);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
  const deviation = Math.sqrt(sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length);
  const [size] = frozen;
  assert.ok(size?.kind === "numeric");
  assert.ok(Math.abs(size.offset - mean) < 1e-9 && Math.abs(size.factor * deviation - 1) < 1e-9);
  const values = [train, read.value.validation, read.value.test].flatMap((part) =>
    Array.from({ length: part.count }, (_, at) =>
      part.features.slice(at * features.length, (at + 1) * features.length),
    ),
  );
  for (const [index, { row }] of rows.entries()) {
    const [sizeText, city, price] = raw[row] ?? [];
    const served = applyFeatures(frozen, {
      size: sizeText === "" ? null : Number(sizeText),
      city: city === "" ? null : city,
      price: Number(price),
    });
    assert.deepEqual(values[index], served, `line ${row + 2}`);
    assert.equal(served.reduce((sum, value) => sum + value, 0) - (served[0] ?? 0), 2); // one city, one bucket
  }
});

test("VERSION-4: a number is regressed; features without a step are numbers and categories with nothing missing", async () => {
  put("table.csv", table);
  const version = await built(
    "name: t\nsources: [{path: table.csv}]\ntarget: price\nfeatures: [size, city]\n",
  );
  const read = await readVersion(version.path);
  assert.ok(read.ok && read.value.kind === "table");
  assert.equal(read.value.labels, null);
  assert.ok(read.value.train.features.every(Number.isFinite));
  assert.equal(read.value.features[0], "size");
});

test("VERSION-5: a file that is no version, or is damaged, is refused", async () => {
  put("one/texts.csv", texts);
  const { path } = await built(textFile("one"));
  const bytes = readFileSync(path);
  const damaged = join(buildFolder, "damaged.parquet");
  for (const [content, says] of [
    [Buffer.from("text"), /is no dataset version/u],
    [bytes.subarray(0, bytes.length - 20), /is no dataset version/u],
    [Buffer.concat([Buffer.from("PAR1"), Buffer.alloc(2000), bytes.subarray(2004)]), /is damaged/u],
  ] as const) {
    writeFileSync(damaged, content);
    const read = await readVersion(damaged);
    assert.ok(!read.ok);
    assert.match(read.refusal.message, says);
  }
});

test("VERSION-6: a DVC pointer is followed into the cache beside it, and a damaged entry is noticed", async () => {
  const md5 = createHash("md5").update(texts).digest("hex");
  put(
    "repo/texts.csv.dvc",
    `outs:\n- md5: ${md5}\n  size: ${texts.length}\n  hash: md5\n  path: texts.csv\n`,
  );
  const entry = join(buildFolder, "repo/.dvc/cache/files/md5", md5.slice(0, 2), md5.slice(2));
  mkdirSync(join(entry, ".."), { recursive: true });
  put("plain/texts.csv", texts);
  copyFileSync(join(buildFolder, "plain/texts.csv"), entry);
  const yaml = "name: some\nsources: [{path: repo/texts.csv.dvc}]\ntext: text\nlabel: label\n";
  const version = await built(yaml);
  assert.equal(version.manifest.sources[0]?.name, "texts.csv");
  writeFileSync(entry, "text,label\n");
  const digests = await sourceDigests(declared(yaml));
  assert.ok(!digests.ok);
  assert.match(digests.refusal.message, /is damaged: its MD5 is/u);
});

test("VERSION-7: a row is the same from CSV, TSV, JSON lines, Parquet, labelled lines and a folder", async () => {
  const rows = Array.from({ length: 60 }, (_, row) => ({
    label: row % 2 === 0 ? "a" : "b",
    text: `words ${String.fromCodePoint(0x4e00 + row)}`,
  }));
  put("same.csv", `label,text\r\n${rows.map(({ label, text }) => `${label},${text}\r\n`).join("")}`);
  put("same.tsv", `label\ttext\n${rows.map(({ label, text }) => `${label}\t${text}\n`).join("")}`);
  put("same.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  put("same.txt", rows.map(({ label, text }) => `${label} ${text}\n`).join(""));
  for (const [at, { label, text }] of rows.entries())
    put(`same/${label}/${String(at).padStart(3, "0")}.txt`, text);
  put(
    "same-16.csv",
    Buffer.from(
      `\uFEFFlabel,text\n${rows.map(({ label, text }) => `${label},${text}\n`).join("")}`,
      "utf16le",
    ),
  );
  const textsOf = async (source: string) => {
    const version = await built(`name: same\nsources: [${source}]\ntext: text\nlabel: label\n`);
    const found = await rowsOf(version, "split, text, label");
    return found.map((row) => row.join(" ")).toSorted();
  };
  const csv = await textsOf("{path: same.csv}");
  assert.equal(csv.length, 60);
  for (const source of [
    "{path: same.tsv}",
    "{path: same.jsonl}",
    "{path: same.txt, format: labelled-lines}",
    "{path: same, format: folder}",
    "{path: same-16.csv}",
  ])
    assert.deepEqual(await textsOf(source), csv, source);
  const { path } = await built("name: same\nsources: [{path: same.csv}]\ntext: text\nlabel: label\n");
  const again = await built(
    `name: same\nsources: [{path: ${path}, format: parquet}]\nplan: [{map-label: {column: label, from: {"0": a, "1": b}}}]\ntext: text\nlabel: label\n`,
  );
  assert.equal(again.manifest.rows.train + again.manifest.rows.validation + again.manifest.rows.test, 60);
});

test("VERSION-8: sources are put together by column name, with one type, and an exact dedupe keeps the first of all", async () => {
  const line = (row: number, label: string) => `text ${String.fromCodePoint(0x4e00 + row)},${label}\n`;
  put(
    "a.csv",
    `text,code,extra\n${Array.from({ length: 80 }, (_, row) => line(row, `${row % 2},x`)).join("")}`,
  );
  // The same texts in other letter case, the columns the other way round, and codes that are no numbers.
  put(
    "b.csv",
    `code,text\n${Array.from({ length: 80 }, (_, row) => `c${row % 2},TEXT  ${String.fromCodePoint(0x4e00 + row + 40)}\n`).join("")}`,
  );
  const version = await built(
    "name: two\nsources: [{path: a.csv}, {path: b.csv}]\nplan: [{dedupe: {by: text, keep: first}}]\ntext: text\nlabel: code\n",
  );
  assert.deepEqual(version.manifest.labels, ["0", "1", "c0", "c1"]);
  const rows = await rowsOf(version, "file, line");
  const kept = rows.map(([file, at]) => `${Number(file)} ${Number(at)}`).toSorted();
  const all = [
    ...Array.from({ length: 80 }, (_, row) => `0 ${row + 2}`),
    ...Array.from({ length: 40 }, (_, row) => `1 ${row + 42}`),
  ];
  assert.deepEqual(kept, all.toSorted());
});

test("VERSION-9: a refusal of a build from a recipe names files as they were declared", async () => {
  const path = put("mapped.csv", "text,label\nfine,yes\nodd,nope\n");
  const declaration = declared(
    "name: mapped\nsources: [{path: mapped.csv}]\nplan: [{map-label: {column: label, from: {yes: good}}}]\ntext: text\nlabel: label\n",
  );
  const recipe = await recipeOf(declaration);
  assert.ok(recipe.ok);
  const parts = Object.fromEntries([...recipe.value.paths.keys()].map((digest) => [digest, path]));
  const workDir = join(buildFolder, "elsewhere");
  const refused = await buildRecipe(recipe.value.recipe, parts, { workDir, memoryMiB: 256 });
  assert.ok(!refused.ok);
  assert.equal(
    refused.refusal.message,
    'mapped.csv, line 3, column label, "nope": it is no label of the map; known: yes',
  );
});
