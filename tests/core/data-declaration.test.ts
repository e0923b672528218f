/** A dataset file: every problem with its line, and what would be right; short forms spelled out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { projectFolder } from "../../training/version/code-version.ts";
import { datasetFileSchema } from "../../spec/dataset/dataset-file-shape.ts";
import { sourceSchemas } from "../../data/declaration/source.ts";
import { stepNames, stepSchemas } from "../../data/declaration/plan-step.ts";
import { readDatasetFile } from "../../spec/dataset/read-dataset-file.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import { placeless } from "../../data/declaration/declaration.ts";
import { buildFolder, declared, put } from "../support/dataset-build.ts";

const file = `${buildFolder}/dataset.yaml`;
const problemsOf = (text: string) => {
  const read = readDatasetFile({ file, text, environment: {} });
  assert.ok(!read.ok, "it was read");
  return formatProblems("dataset.yaml", read.problems).replaceAll(`${buildFolder}/`, "").split("\n");
};

test("DECL-1: every problem of a dataset file is told at once, with its line and the nearest right name", () => {
  const told = problemsOf(`name: some
sources:
  - { path: "\${NOT_SET}/a.csv" }
  - { path: b.csv, delimeter: ";" }
  - { path: c.foo }
  - b.csv
plan:
  - map-lable: { column: class }
  - map-label: { column: class, from: gone.txt }
  - concat: { columns: [title], to: text }
  - dedupe: { by: text, near: 3 }
  - split: { stratifyy: class }
  - drop
expect: [{ raneg: {} }]
text: text
label: label
`);
  const wanted = [
    /^dataset\.yaml:3: .*NOT_SET is not set/u,
    /^dataset\.yaml:4: .*delimeter: unknown key, did you mean "delimiter"\?/u,
    /^dataset\.yaml:5: .*format: is missing, and c\.foo does not tell it/u,
    /^dataset\.yaml:6: .*should be a mapping with path and format/u,
    /^dataset\.yaml:8: .*no step is called "map-lable"; did you mean "map-label"\?/u,
    /^dataset\.yaml:9: .*gone\.txt cannot be read \(ENOENT\); it should be a file with one label per line/u,
    /^dataset\.yaml:10: .*needs at least 2/u,
    /^dataset\.yaml:11: .*3 is too high/u,
    /^dataset\.yaml:12: .*did you mean "stratify"\?/u,
    /^dataset\.yaml:13: .*should be one step/u,
    /^dataset\.yaml:14: .*did you mean "range"\?/u,
  ];
  assert.equal(told.length, wanted.length, told.join("\n"));
  for (const [index, says] of wanted.entries()) assert.match(told[index] ?? "", says);
});

test("DECL-2: steps stand in an order that can be run, and a form is text and label or a target", () => {
  const head = "name: some\nsources: [{path: a.csv}]\n";
  const form = "text: text\nlabel: label\n";
  const cases: [string, RegExp][] = [
    [`${head}plan:\n  - split:\n  - filter: a > 1\n${form}`, /:5: .*filter cannot follow split/u],
    [`${head}plan:\n  - split:\n  - split:\n${form}`, /:5: .*split stands twice/u],
    [`${head}plan:\n  - features:\n${form}`, /:4: .*features is for tables/u],
    [`${head}plan:\n  - sample: {seed: 2}\n${form}`, /:4: .*needs either rows or share/u],
    [`${head}plan:\n  - split: {train: 0.8, test: 0.3}\n${form}`, /:4: .*should add up to 1/u],
    [head, /say which columns training reads/u],
    [`${head}text: text\n`, /label is missing/u],
    [`${head}${form}target: x\n`, /:3: .*text and label, or a target/u],
    [`${head}${form}task: regression\n`, /:5: .*is for tables/u],
    ["- a\n", /is a mapping with name, sources/u],
  ];
  for (const [text, says] of cases) assert.match(problemsOf(text).join("\n"), says, text);
});

test("DECL-3: short forms are spelled out: formats by name, labels from a file, shares that are left out", () => {
  put("classes.txt", "World\nSports\n");
  const declaration = declared(
    "name: some\nsources: [{path: data/a.tsv}, {path: b.csv.dvc}]\nplan:\n  - map-label: {column: class, from: classes.txt}\n  - rename: {class: label}\n  - split: {test: 0.2}\ntext: text\nlabel: label\n",
  );
  assert.deepEqual(
    declaration.sources.map((source) => source.format),
    ["tsv", "csv"],
  );
  const [map, rename, split] = declaration.plan;
  assert.ok(map?.step === "map-label" && rename?.step === "rename" && split?.step === "split");
  assert.deepEqual(map.map, [
    ["1", "World"],
    ["2", "Sports"],
  ]);
  assert.deepEqual(rename.columns, { class: "label" });
  assert.deepEqual([split.train, split.validation, split.test], [0.8, 0, 0.2]);
  const [source] = placeless(declaration).sources;
  assert.ok(source?.format === "tsv" && source.path === "a.tsv");
});

test("DECL-4: docs/datasets.md has every field, format, step and setting, and its file is right", () => {
  const text = readFileSync(join(projectFolder, "docs", "datasets.md"), "utf8");
  const names = [
    ...Object.keys(datasetFileSchema.shape),
    ...Object.values(sourceSchemas).flatMap((schema) => Object.keys(schema.shape)),
    ...Object.keys(sourceSchemas).filter((format) => format !== "embedded"),
    ...stepNames,
    ...Object.values(stepSchemas).flatMap((schema) => Object.keys(schema.shape)),
  ];
  const internal = ["step", "map"];
  const missing = names.filter(
    (name) => !internal.includes(name) && !new RegExp(`\\b${name}\\b`, "u").test(text),
  );
  assert.deepEqual(missing, []);
  put("classes.txt", "World\nSports\n");
  const files = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gmu)].map(([, yaml = ""]) => yaml);
  assert.equal(files.length, 1);
  for (const yaml of files) assert.equal(declared(yaml, { TRIALMESH_DATA: "/data" }).plan.length, 5);
});
