/** `trialmesh model export` on a mesh: a model of a table and one of texts, each in every format, asked where no trialmesh is. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { modelFormats } from "../../serving/export/model-format.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const rows = 300;
const housesCsv = [
  "size,age,side,garden,price",
  ...Array.from({ length: rows }, (_, at) => {
    const [size, age] = [40 + ((at * 37) % 160), (at * 13) % 80];
    const price = 3 * size - 0.5 * age + 20 + ((at * 7919) % 17) - 8;
    return `${size},${at % 9 === 4 ? "" : age},${at % 3 === 0 ? "north" : "south"},${at % 2 === 0},${price}`;
  }),
  "",
].join("\n");
const housesYaml = `name: houses
sources:
  - path: houses.csv
plan:
  - derive: { column: share, as: 'size / (coalesce(age, 0) + 1)' }
  - split: { train: 0.6, validation: 0.2, test: 0.2, seed: 1 }
  - features: { numeric: standard, missing: median }
target: price
task: regression
`;
const housesSweep = `name: prices
task: tabular
dataset: houses@1
objective: { metric: rmse, goal: minimize }
search: { method: random, trials: 1, seed: 1 }
stopping: { policy: none, max: 4 }
models:
  linear: { lr: { distribution: log-uniform, min: 0.05, max: 0.5 } }
register: { model: prices, alias: champion }
`;
const phrasesSweep = `name: phrases
task: text-classification
dataset: language-id
objective: { metric: accuracy, goal: maximize }
search: { method: random, trials: 1, seed: 1 }
stopping: { policy: none, max: 1 }
models:
  fasttext: { dim: { distribution: choice, values: [8] } }
register: { model: phrases, alias: champion }
`;

const exportedSchema = z.object({
  folder: z.string(),
  files: z.number(),
  bytes: z.number(),
  format: z.string(),
});
const checkSchema = z.object({ rows: z.number(), largestDifference: z.number(), equal: z.boolean() });
const exampleSchema = z.object({ inputs: z.array(z.record(z.string(), z.unknown())) });

/** Runs the folder's program with nothing of this project's around it. */
function ask(folder: string, ...words: readonly string[]): string {
  const bare = { PATH: process.env["PATH"] ?? "" };
  return execFileSync(process.execPath, ["predict.mjs", ...words], {
    cwd: folder,
    env: bare,
    encoding: "utf8",
  });
}

describe("MODEL-4: a registered model as a folder", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const run = (...words: readonly string[]) => mesh.cli.run(LiveMesh.home, ...words);
  const ok = async (...words: readonly string[]) => {
    const { code, err, out } = await run(...words);
    assert.equal(code, 0, err);
    return out;
  };
  const to = (name: string) => join(mesh.cli.write("folder", ""), "..", name);
  const exported = async (model: string, name: string, format: string) => {
    const printed = await ok("model", "export", model, "--to", to(name), "--format", format, "--json");
    return exportedSchema.parse(JSON.parse(printed));
  };

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    mesh.cli.write("houses.csv", housesCsv);
    await ok("dataset", "add", mesh.cli.write("houses.yaml", housesYaml), "--here");
    await ok("sweep", "run", mesh.cli.write("prices.yaml", housesSweep));
    await ok("sweep", "run", mesh.cli.write("phrases.yaml", phrasesSweep));
  });
  after(() => mesh.close());

  test("says where it comes from, and answers what trialmesh answered", async () => {
    for (const model of ["prices", "phrases"]) {
      const { bytes, files, folder } = await exported(model, model, "safetensors");
      assert.equal(files, readdirSync(folder).length);
      assert.ok(bytes > 0);
      assert.ok(checkSchema.parse(JSON.parse(ask(folder, "--check"))).equal);
      const card = readFileSync(join(folder, "README.md"), "utf8");
      assert.match(card, /^# \w+, version 1$/mu);
      assert.match(card, /- sweep: s\d+ \(/u);
      assert.match(card, /- trial: s\d+-\d+/u);
      assert.match(card, /- data set: .*, version of digest `[0-9a-f]{64}`/u);
      assert.match(card, /- rows: \d+ for training, \d+ for validation/u);
      assert.match(card, /Not measured: /u);
    }
  });

  test("a column made by SQL is asked for as made, and named in the card", async () => {
    const folder = to("prices");
    const card = readFileSync(join(folder, "README.md"), "utf8");
    assert.match(card, /Column "share" is made by the SQL expression size \/ \(coalesce/u);
    const [first] = exampleSchema.parse(
      JSON.parse(readFileSync(join(folder, "example.json"), "utf8")),
    ).inputs;
    assert.deepEqual(Object.keys(first ?? {}).toSorted(), ["age", "garden", "share", "side", "size"]);
    writeFileSync(
      join(folder, "rows.csv"),
      "size,age,side,garden,share\n100,20,north,true,4.76\n100,,east,,4.76\n",
    );
    const answers = ask(folder, "rows.csv").trim().split("\n");
    assert.equal(answers.length, 2);
    const price = z.object({ prediction: z.number() }).parse(JSON.parse(answers[0] ?? "")).prediction;
    assert.ok(Math.abs(price - 310) < 60, `a house of 100 costs ${price}`);
  });

  test("in every format there is", async () => {
    for (const format of modelFormats) {
      const { folder } = await exported("phrases@1", `phrases-${format}`, format);
      for (const file of ["README.md", "transform.json", "example.json", "predict.mjs"])
        assert.ok(existsSync(join(folder, file)), `${format} has ${file}`);
    }
  });

  test("what cannot be done is refused in a sentence, and leaves no folder", async () => {
    const refusals: readonly (readonly [readonly string[], RegExp])[] = [
      [["phrases@1", "--to", to("none")], /say with --format what it is to be written as/u],
      [["phrases@9", "--to", to("none"), "--format", "onnx"], /version 9/u],
      [["phrases@1", "--to", to("phrases"), "--format", "onnx"], /something in it; --force replaces/u],
      [
        ["phrases@1", "--to", join(to("houses.csv"), "x"), "--format", "onnx"],
        /a file stands where a folder should be/u,
      ],
    ];
    for (const [words, sentence] of refusals) {
      const { code, err } = await run("model", "export", ...words);
      assert.equal(code, 1, words.join(" "));
      assert.match(err, sentence);
      assert.doesNotMatch(err, /\n\s+at /u);
    }
    assert.ok(!existsSync(to("none")));
    const { code, err } = await run("model", "export", "phrases@1", "--to", to("none"), "--format", "pickle");
    assert.equal(code, 2);
    assert.match(err, /safetensors, onnx, tfjs, mlflow/u);
    const twice = await run("model", "export", "phrases@x@y", "--to", to("none"), "--format", "onnx");
    assert.equal(twice.code, 2);
    assert.match(twice.err, /a model is written/u);
    await ok("model", "export", "phrases@1", "--to", to("phrases"), "--format", "tfjs", "--force");
    assert.ok(existsSync(join(to("phrases"), "model.json")));
  });
});
