/**
 * docs/add-a-task.md as its reader would follow it, in a copy of the project: the file is copied, two lines are added,
 * then it type-checks, a sweep over it is read, and it learns.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";

const { rooms } = z
  .object({ rooms: z.array(z.string()) })
  .parse(await import(pathToFileURL(join(projectFolder, "scripts", "source-folder.mjs")).href));
const copied = [...rooms, "examples/add-a-task", "package.json", "tsconfig.json"];
const page = readFileSync(join(projectFolder, "docs", "add-a-task.md"), "utf8");

function marked(language: string, mark: string): string[] {
  return [...page.matchAll(/^```(\w+) (test\S*)\n([\s\S]*?)^```$/gm)]
    .filter((found) => found[1] === language && found[2] === mark)
    .map((found) => found[3] ?? "");
}

/** Builds the example's dataset, trains the new task on it, and prints what came out. */
const trainScript = `
import { readFileSync } from "node:fs";
import { buildDataset } from "./data/version/build-dataset.ts";
import { readVersion } from "./data/manifest/read-version.ts";
import { readDatasetFile } from "./spec/dataset/read-dataset-file.ts";
import { sparseBackend } from "./training/runtime/backend.ts";
import { loadModel } from "./training/catalog/load-model.ts";
import { resolveParams } from "./training/task/parameter.ts";
import { findModel } from "./training/catalog/model-catalog.ts";

const must = (outcome) => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  return outcome.value ?? outcome;
};
const file = "examples/add-a-task/flats.yaml";
const { declaration } = must(readDatasetFile({ file, text: readFileSync(file, "utf8"), environment: {} }));
const built = must(await buildDataset(declaration, { workDir: "work" }));
const dataset = must(await readVersion(built.path));
const found = must(findModel("quantile", "linear"));
const params = must(resolveParams(found, { quantile: 0.9, lr: 0.05 }));
const make = () => must(found.create({ params, seed: 1, dataset, backend: sparseBackend }));
const straight = make();
const first = make();
const before = first.evaluate("validation");
for (let epoch = 0; epoch < 18; epoch++) await straight.trainEpoch();
for (let epoch = 0; epoch < 7; epoch++) await first.trainEpoch();
const resumed = make();
must(resumed.restore(first.save()));
for (let epoch = 7; epoch < 18; epoch++) await resumed.trainEpoch();
const predictor = must(await loadModel(straight.save()));
console.log(JSON.stringify({
  before,
  validation: straight.evaluate("validation"),
  test: straight.evaluate("test"),
  exact: Buffer.from(straight.save()).equals(Buffer.from(resumed.save())),
  predicted: predictor.predict(dataset.validation.features).length,
  rows: dataset.validation.count,
  patience: "patience" in found.parameters,
}));
`;

const metricsSchema = z.object({ pinballLoss: z.number(), coverage: z.number() });
const toldSchema = z.object({
  before: metricsSchema,
  validation: metricsSchema,
  test: metricsSchema,
  exact: z.boolean(),
  predicted: z.number(),
  rows: z.number(),
  patience: z.boolean(),
});

describe("DOC-4: docs/add-a-task.md adds a task by one file and two lines", () => {
  let folder = "";
  const run = (command: string, args: readonly string[]) => {
    const done = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
    assert.equal(done.status, 0, `${done.stdout}${done.stderr}${done.error?.message ?? ""}`);
    return done.stdout;
  };
  const tool = (name: string) => join(projectFolder, "node_modules", ".bin", name);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "trialmesh-add-a-task-"));
    for (const name of copied) cpSync(join(projectFolder, name), join(folder, name), { recursive: true });
    symlinkSync(join(projectFolder, "node_modules"), join(folder, "node_modules"));
    const [copy, lint] = marked("sh", "test");
    assert.ok(copy?.startsWith("cp ") === true && lint?.startsWith("trialmesh sweep lint ") === true);
    run("sh", ["-e", "-c", copy]);
    const [imported = ""] = marked("ts", "test=import");
    const [entry = ""] = marked("ts", "test=entry");
    const catalog = join(folder, "training", "catalog", "model-catalog.ts");
    const text = readFileSync(catalog, "utf8");
    const list = /^const trained: readonly ModelDeclaration\[\] = \[\n/m;
    assert.match(text, list);
    writeFileSync(catalog, imported + text.replace(list, (head) => head + entry));
  });
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

  test("it type-checks", () => {
    // Only what the file could break: the whole project is type-checked elsewhere.
    const strict = { extends: "./tsconfig.json", include: ["training"] };
    writeFileSync(join(folder, "tsconfig.task.json"), JSON.stringify(strict));
    run(tool("tsc"), ["-p", "tsconfig.task.json", "--noEmit", "--incremental", "false"]);
  });

  test("a sweep over it is read without a complaint", () => {
    const [, lint = ""] = marked("sh", "test");
    const args = lint.trim().split(" ").slice(1);
    const told = run(tool("node"), [join("cli", "main.ts"), ...args]);
    assert.match(told, /12 trials at most by auto over linear; minimize pinballLoss;/u);
  });

  test("it learns, goes on bit for bit, and predicts from its checkpoint", () => {
    writeFileSync(join(folder, "train.ts"), trainScript);
    const told = toldSchema.parse(JSON.parse(run(tool("node"), ["train.ts"])));
    for (const { pinballLoss, coverage } of [told.validation, told.test]) {
      assert.ok(pinballLoss < told.before.pinballLoss / 5, `a loss of ${pinballLoss}`);
      assert.ok(coverage >= 0.7, `${coverage} of the rents are below`);
    }
    assert.ok(told.exact, "a resumed trial has other weights");
    assert.ok(told.patience, "the new model has no patience");
    assert.ok(told.rows > 0);
    assert.equal(told.predicted, told.rows);
  });
});
