/** Reports of registered models on a mesh: a regressor trained on a table, its figures, its worst rows as they came, its page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const rows = 400;
/** Every so many lines, counted with the header, a price is far off; no model can know. */
const outlierEvery = 20;
const isOutlier = (line: number) => line % outlierEvery === 0;

function housesCsv(): string {
  const lines = Array.from({ length: rows }, (_, at) => {
    const [size, age] = [40 + ((at * 37) % 160), (at * 13) % 80];
    const price = 3 * size - 0.5 * age + 20 + ((at * 7919) % 17) - 8;
    return `${size},${age},${at % 3 === 0 ? "north" : "south"},${isOutlier(at + 2) ? price + 5_000 : price}`;
  });
  return `size,age,side,price\n${lines.join("\n")}\n`;
}

const figures = z.object({
  rows: z.number(),
  bias: z.number(),
  metrics: z.object({ rmse: z.number(), mae: z.number(), r2: z.number() }),
  worst: z.array(
    z.object({
      truth: z.number(),
      predicted: z.number(),
      error: z.number(),
      came: z.object({
        file: z.string(),
        line: z.number(),
        values: z.array(z.tuple([z.string(), z.string().nullable()])),
      }),
    }),
  ),
});

describe("CARD-6: a regressor's report", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const run = (...words: readonly string[]) => mesh.cli.run(LiveMesh.home, ...words);
  const ok = async (...words: readonly string[]) => {
    const { code, err, out } = await run(...words);
    assert.equal(code, 0, err);
    return out;
  };

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    mesh.cli.write("houses.csv", housesCsv());
    const dataset = mesh.cli.write(
      "houses.yaml",
      "name: houses\nsources:\n  - path: houses.csv\nplan:\n  - split: { train: 0.6, validation: 0.2, test: 0.2, seed: 1 }\ntarget: price\ntask: regression\n",
    );
    await ok("dataset", "add", dataset, "--here");
    const sweep = mesh.cli.write(
      "prices.yaml",
      "name: prices\ntask: tabular\ndataset: houses@1\nobjective: { metric: rmse, goal: minimize }\nsearch: { method: random, trials: 2, seed: 1 }\nstopping: { policy: none, max: 8 }\nmodels:\n  linear: { lr: { distribution: log-uniform, min: 0.05, max: 0.5 } }\nregister: { model: prices, alias: champion }\n",
    );
    await ok("sweep", "run", sweep);
  });
  after(() => mesh.close());

  test("has the figures the trial was judged by, and names the worst row by file, line and values", async () => {
    const report = z
      .object({ kind: z.literal("regression"), target: z.string(), validation: figures, test: figures })
      .parse(JSON.parse(await ok("model", "report", "prices@champion", "--json")));
    assert.equal(report.target, "price");
    const shown = z
      .object({ version: z.object({ metrics: z.record(z.string(), z.number()) }) })
      .parse(JSON.parse(await ok("model", "lineage", "prices@champion", "--json"))).version.metrics;
    for (const name of ["rmse", "mae", "r2"] as const) {
      const own = report.validation.metrics[name];
      assert.ok(
        Math.abs(own - (shown[name] ?? Number.NaN)) <= 1e-4 * Math.abs(own) + 1e-6,
        `${name} ${own} ${shown[name]}`,
      );
    }
    const source = readFileSync(join(mesh.cli.folder, "houses.csv"), "utf8").split("\n");
    for (const split of [report.validation, report.test]) {
      const missed = split.worst.filter(({ error }) => error < -2_500);
      assert.ok(
        missed.length > 0 && missed.every(({ came }) => isOutlier(came.line)),
        JSON.stringify(missed),
      );
      assert.deepEqual(split.worst.slice(0, missed.length), missed, "they stand first");
      for (const { came, error, predicted, truth } of split.worst) {
        assert.ok(Math.abs(error - (predicted - truth)) < 1e-9);
        assert.equal(came.file, "houses.csv");
        const values = new Map(came.values);
        const line = (source[came.line - 1] ?? "").split(",");
        assert.deepEqual(
          [values.get("side"), Number(values.get("price"))],
          [line[2], Number(line[3])],
          `line ${came.line}`,
        );
        assert.ok(Math.abs(truth - Number(line[3])) < 1e-3);
        assert.ok(Math.abs(Number(values.get("size")) - Number(line[0])) < 0.01);
      }
    }
  });

  test("is text for people and a page for a browser; a classifier's flag is the same", async () => {
    const text = await ok("model", "report", "prices");
    assert.match(text, /^prices@1: linear of tabular, epoch \d+, predicts price of houses /);
    assert.match(text, /MISSED MOST +TRUE +PREDICTED +ERROR +ROW\nhouses\.csv:\d+/);
    const file = join(mesh.cli.folder, "prices.html");
    const { err } = await run("model", "report", "prices", "--html", file);
    assert.ok(err.includes(file), err);
    const page = readFileSync(file, "utf8");
    assert.match(page, /<h1>prices@1<\/h1>/);
    for (const id of ["truth-validation", "error-validation", "truth-test"])
      assert.ok(page.includes(`id="${id}"`), id);
    const nowhere = await run("model", "report", "prices", "--html", join(mesh.cli.folder, "no", "x.html"));
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.err, /cannot be written \(ENOENT\); --html names another place/);
  });

  test("REG-8: a version says what it takes and gives, also where its dataset is removed, and once that is gone why not", async () => {
    const signature = async () =>
      z
        .object({ signature: z.object({ inputs: z.unknown(), labels: z.unknown(), target: z.string() }) })
        .parse(JSON.parse(await ok("model", "show", "prices@1", "--json"))).signature;
    const column = (name: string, kind: string) => ({ name, kind, optional: true });
    const known = {
      inputs: [column("size", "number"), column("age", "number"), column("side", "category")],
      labels: null,
      target: "price",
    };
    assert.deepEqual(await signature(), known);
    const text = await ok("model", "show", "prices@champion");
    assert.match(
      text,
      /^takes +size \(number, optional\), age \(number, optional\), side \(category, optional\)$/m,
    );
    assert.match(text, /^gives +price, a number$/m);
    const refused = await run("dataset", "rm", "houses");
    assert.match(
      refused.err,
      /on houses stands model prices@1, trained on it, s\d+, which ran on it; they stay/,
    );
    await ok("dataset", "rm", "houses@1", "--force");
    assert.match((await run("dataset", "show", "houses")).err, /dataset houses is removed/);
    const again = await run("sweep", "run", join(mesh.cli.folder, "prices.yaml"));
    assert.match(again.err, /dataset houses is removed; `trialmesh dataset restore houses` brings it back/);
    assert.deepEqual(await signature(), known, "its bytes are kept for a while");
    await ok("dataset", "restore", "houses");
    await ok("model", "rm", "prices@1", "--force");
    assert.match(await ok("model", "show", "prices@1"), /^takes +not known here: it is removed$/m);
    await ok("model", "restore", "prices");
  });
});
