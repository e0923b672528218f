/** Loading: official splits stay, what is missing is carved, and a refusal says which file and line. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { languageIdDataset } from "../../data/row/language-id.ts";
import { loadDataset } from "../../bench/shared/load-dataset.ts";

const dir = mkdtempSync(join(tmpdir(), "trialmesh-load-"));
after(() => rmSync(dir, { recursive: true, maxRetries: 5 }));
const file = (name: string, text: string) => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const words = (count: number, from = 0) =>
  Array.from(
    { length: count },
    (_, row) => `${row % 2} text ${String.fromCodePoint(0x3400 + from + row)}\n`,
  ).join("");
const train = file("train.txt", words(200));
const heldOut = file("test.txt", words(20, 1000));
const load = async (more: { train?: string; dev?: string; test?: string; labels?: Record<string, string> }) =>
  loadDataset({ format: "labelled-lines", name: "some", train, ...more });

test("LOAD-1: an official test is kept whole, and validation is a tenth of the training rows", async () => {
  const loaded = await load({ test: heldOut, labels: { 0: "no", 1: "yes" } });
  assert.ok(loaded.ok);
  const { dataset } = loaded.value;
  assert.deepEqual(dataset.labels, ["no", "yes"]);
  assert.deepEqual([dataset.train.length, dataset.validation.length, dataset.test.length], [180, 20, 20]);
});

test("LOAD-2: a given dev file is the validation split as it is", async () => {
  const loaded = await load({ dev: heldOut });
  assert.ok(loaded.ok);
  assert.equal(loaded.value.dataset.validation.length, 20);
  assert.equal(loaded.value.dataset.train.length + loaded.value.dataset.test.length, 200);
});

test("LOAD-3: a training row that the test also holds is dropped and counted", async () => {
  const loaded = await load({ test: file("leak.txt", words(5) + words(15, 1000)) });
  assert.ok(loaded.ok);
  assert.equal(loaded.value.report.leakedRows, 5);
  assert.equal(loaded.value.dataset.train.length + loaded.value.dataset.validation.length, 195);
});

test("LOAD-4: a few bad lines are rejected with file and number; too many are refused", async () => {
  const few = file("few.txt", `${words(100)}0\n`);
  const loaded = await load({ train: few });
  assert.ok(loaded.ok);
  assert.deepEqual(
    loaded.value.report.bad.map(({ file: path, line }) => [path, line]),
    [[few, 101]],
  );
  const many = file("many.txt", `0 a\n1\n${words(8)}`);
  const refused = await load({ train: many });
  assert.ok(!refused.ok);
  assert.match(refused.refusal.message, /many\.txt, line 2: only a label/u);
});

test("LOAD-5: what cannot be learned from is refused in one sentence", async () => {
  const absent = await load({ train: join(dir, "absent.txt") });
  assert.ok(!absent.ok);
  assert.match(absent.refusal.message, /^there is no file .*absent\.txt; give the path of a file with one/u);
  const single = await load({ train: file("single.txt", "0 a\n0 b\n") });
  assert.ok(!single.ok);
  assert.match(single.refusal.message, /every line has the label "0"/u);
  const empty = await load({ train: file("empty.txt", "\n\n") });
  assert.ok(!empty.ok);
  assert.match(empty.refusal.message, /holds no example/u);
  const unknown = await loadDataset({ format: "embedded", name: "language-ids" });
  assert.ok(!unknown.ok);
  assert.match(unknown.refusal.message, /there is "language-id"/u);
});

test("LOAD-6: the set that comes with trialmesh is built like any other, its splits as they are", async () => {
  const loaded = await loadDataset({ format: "embedded", name: "language-id" });
  assert.ok(loaded.ok);
  assert.equal(loaded.value.report.leakedRows, 0);
  assert.deepEqual(loaded.value.dataset, languageIdDataset());
});
