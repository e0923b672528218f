/** The real sets, where they are: AG News by a plan, TREC and SST-2 with their official splits. Skipped where they are not. */
import assert from "node:assert/strict";
import { cpSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { buildDataset } from "../../data/version/build-dataset.ts";
import { loadDataset } from "../../bench/shared/load-dataset.ts";
import { normaliseText } from "../../data/row/split.ts";
import { previewPlan } from "../../data/version/preview.ts";
import { readVersion } from "../../data/manifest/read-version.ts";
import { buildFolder, declared } from "../support/dataset-build.ts";

const data = resolve(process.env["TRIALMESH_DATA"] ?? "../shared/data");
const skip = existsSync(join(data, "ag-news"))
  ? false
  : `no data in ${data}; set TRIALMESH_DATA to its folder`;

const agNews = `name: ag-news
sources:
  - { path: "\${DATA}/ag-news/ag-news.csv", header: false, columns: [class, title, description] }
plan:
  - map-label: { column: class, from: "\${DATA}/ag-news/classes.txt" }
  - concat: { columns: [title, description], to: text, separator: ". " }
  - clean: { columns: [text], html: true, escapes: true, whitespace: true, unicode: NFC }
  - dedupe: { by: text, near: 0.8 }
  - split: { train: 0.8, validation: 0.1, test: 0.1, stratify: class }
text: text
label: class
`;

test(
  "REAL-1: AG News by a plan: clean texts, four labels, 80/10/10, and one digest from two folders",
  { skip },
  async () => {
    const copy = join(buildFolder, "elsewhere");
    cpSync(join(data, "ag-news"), join(copy, "ag-news"), { recursive: true });
    const digests: string[] = [];
    for (const [DATA, threads] of [
      [data, 1],
      [copy, 2],
    ] as const) {
      const version = await buildDataset(declared(agNews, { DATA }), {
        workDir: join(buildFolder, "ag"),
        threads,
      });
      assert.ok(version.ok, version.ok ? "" : version.refusal.message);
      digests.push(version.value.digest);
      if (digests.length === 2) continue;
      assert.deepEqual(version.value.manifest.rows, { train: 6080, validation: 760, test: 760 });
      assert.equal(version.value.manifest.bad.count, 0);
      assert.ok((version.value.manifest.nearGroups ?? 0) > 10);
      const read = await readVersion(version.value.path);
      assert.ok(read.ok && read.value.kind === "text");
      assert.deepEqual(read.value.labels, ["World", "Sports", "Business", "Sci/Tech"]);
      const all = [...read.value.train, ...read.value.validation, ...read.value.test];
      const dirty = all.filter(({ text }) =>
        /\\|#\d+;|&(?:lt|gt|amp|quot);| {2}|<\/?(?:b|a|i|p|strong)\b/iu.test(text),
      );
      assert.deepEqual(
        dirty.map(({ text }) => text),
        [],
      );
    }
    assert.equal(digests[0], digests[1]);
  },
);

test("REAL-2: a preview of AG News shows every step, its rows and its columns", { skip }, async () => {
  const preview = await previewPlan(declared(agNews, { DATA: data }), 2, { workDir: buildFolder });
  assert.ok(preview.ok);
  const { steps, refusal } = preview.value;
  assert.equal(refusal, null);
  assert.deepEqual(
    steps.map(({ step, rows, first }) => [step?.step ?? null, rows, first.length]),
    [null, "map-label", "concat", "clean", "dedupe", "split"].map((step) => [step, 7600, 2]),
  );
  assert.match(steps[0]?.first[1]?.values[2] ?? "", /second\\team .* #36;10 million/u);
  assert.match(
    steps[3]?.first[1]?.values[3] ?? "",
    /^The Race is On.*\(SPACE\.com\)\. SPACE\.com .* second team .* the \$10 million/u,
  );
  assert.deepEqual(steps.at(-1)?.splits, { train: 6080, validation: 760, test: 760 });
});

test(
  "REAL-3: TREC and SST-2 keep their official splits; what leaks from training is dropped and counted",
  { skip },
  async () => {
    for (const { name, dev, test: held, rows, leaked } of [
      { name: "trec", dev: undefined, test: "test.txt", rows: [5452 - 11, 500], leaked: 11 },
      { name: "sst2", dev: "dev.txt", test: "test.txt", rows: [6920 - 3 + 872, 1821], leaked: 3 },
    ]) {
      const path = (file: string) => join(data, name, file);
      const loaded = await loadDataset({
        format: "labelled-lines",
        name,
        train: path("train.txt"),
        dev: dev === undefined ? undefined : path(dev),
        test: path(held),
      });
      assert.ok(loaded.ok, loaded.ok ? "" : loaded.refusal.message);
      const { dataset, report } = loaded.value;
      assert.deepEqual([dataset.train.length + dataset.validation.length, dataset.test.length], rows);
      assert.equal(report.leakedRows, leaked);
      assert.equal(report.latin1Lines, name === "trec" ? 1 : 0);
      const heldOut = new Set(dataset.test.map(({ text }) => normaliseText(text)));
      assert.ok(!dataset.train.some(({ text }) => heldOut.has(normaliseText(text))));
    }
  },
);
