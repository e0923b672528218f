/** Exported folders answer as the model itself does, whatever they are asked, by their own program and without Python. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { projectFolder } from "../../training/version/code-version.ts";
import { exportModel } from "../../serving/export/export-model.ts";
import { textRows, tableRows } from "../support/export-row.ts";
import {
  assertAlike,
  exportedFolder,
  exportedName,
  nodePredictor,
  printedAnswers,
  type Row,
} from "../support/exported-folder.ts";
import { ownAnswers } from "../support/own-answer.ts";
import { caseName, modelCases, trainedModel } from "../support/model-case.ts";

const modules = join(projectFolder, "node_modules");

for (const one of modelCases) {
  test(`MODEL-1: ${caseName(one)} answers by the program for Node as it does itself`, async () => {
    const model = await trainedModel(one);
    const { predictor } = model;
    const rows = predictor.kind === "table" ? tableRows(predictor.features) : textRows;
    const folder = await exportedFolder(model.bytes, "safetensors");
    const answer = await nodePredictor(folder, modules);
    await fc.assert(
      fc.asyncProperty(rows, async (asked) => {
        assertAlike(await answer(asked), ownAnswers(model, asked, folder), folder, "safetensors");
      }),
      { numRuns: 12 },
    );
    const asked = fc.sample<readonly Row[]>(rows, 8).flat();
    const other = await exportedFolder(model.bytes, "tfjs");
    assertAlike(printedAnswers(other, modules, asked), ownAnswers(model, asked, other), other, "tfjs");
  });
}

test("MODEL-3: a folder with something in it is refused; --force replaces an earlier export, and nothing else", async () => {
  const [first] = modelCases;
  assert.ok(first !== undefined);
  const { bytes } = await trainedModel(first);
  const folder = await exportedFolder(bytes, "safetensors");
  const again = {
    name: exportedName,
    bytes,
    manifest: null,
    lineage: null,
    format: "onnx",
  } as const;
  const refused = await exportModel({ ...again, folder, force: false });
  assert.match(
    refused.ok ? "" : refused.refusal.message,
    /something in it; --force replaces an earlier export/,
  );
  assert.ok((await exportModel({ ...again, folder, force: true })).ok);
  assert.ok(existsSync(join(folder, "model.onnx")) && !existsSync(join(folder, "model.safetensors")));
  const other = join(dirname(folder), "photos");
  mkdirSync(other);
  writeFileSync(join(other, "a.jpg"), "");
  const kept = await exportModel({ ...again, folder: other, force: true });
  assert.match(kept.ok ? "" : kept.refusal.message, /is not an earlier export/);
  assert.deepEqual(readdirSync(other), ["a.jpg"]);
  assert.deepEqual(readdirSync(dirname(folder)).toSorted(), ["model", "photos"], "no draft is left");
});

test("MODEL-3: what a killed export left beside the folder goes with the next one; that of a living process stays", async () => {
  const [first] = modelCases;
  assert.ok(first !== undefined);
  const { bytes } = await trainedModel(first);
  const folder = await exportedFolder(bytes, "safetensors");
  const beside = dirname(folder);
  const [left, living] = [".model.part-999999999", `.model.part-${process.ppid}`];
  for (const name of [left, living]) mkdirSync(join(beside, name));
  const request = {
    name: exportedName,
    bytes,
    manifest: null,
    lineage: null,
    format: "onnx",
  } as const;
  assert.ok((await exportModel({ ...request, folder, force: true })).ok);
  assert.deepEqual(readdirSync(beside).toSorted(), [living, "model"].toSorted());
});

test("MODEL-1: a program whose packages are missing says which, and how they come", async () => {
  const [first] = modelCases;
  assert.ok(first !== undefined);
  const folder = await exportedFolder((await trainedModel(first)).bytes, "onnx");
  const asked = { encoding: "utf8", timeout: 60_000 } as const;
  const node = spawnSync(process.execPath, [join(folder, "predict.mjs"), "--text", "one"], asked);
  assert.equal(node.status, 1);
  assert.equal(
    node.stderr,
    "predict.mjs: the package onnxruntime-node is missing; `npm install onnxruntime-node` brings it in (README.md names all)\n",
  );
  // -S: without the packages that are installed; an absent Python has no status.
  const python = spawnSync("python3", ["-I", "-S", join(folder, "predict.py"), "--text", "one"], asked);
  if (python.status === null) return;
  assert.equal(python.status, 1);
  assert.match(
    python.stderr,
    /^predict\.py: the package numpy is missing; `pip install numpy` brings it in \(README\.md names all\)\n$/u,
  );
});
