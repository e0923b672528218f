/** Registered models asked on a mesh: files of rows in and out, what is told, and what a kill leaves. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const rows = 300;

function housesCsv(count: number): string {
  const lines = Array.from({ length: count }, (_, at) => {
    const [size, age] = [40 + ((at * 37) % 160), (at * 13) % 80];
    return `${at},${size},${age},${at % 3 === 0 ? "north" : "south"},${3 * size - 0.5 * age + 20}`;
  });
  return `id,size,age,side,price\n${lines.join("\n")}\n`;
}

const summary = z.object({
  model: z.string(),
  version: z.number(),
  rows: z.number(),
  bad: z.number(),
  rightness: z.object({ kind: z.literal("values"), rows: z.number(), rmse: z.number() }).nullable(),
});

describe("PREDICT-2: a registered model asked through the command", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const run = (...words: readonly string[]) => mesh.cli.run(LiveMesh.home, ...words);
  const place = (name: string) => join(mesh.cli.folder, name);
  const linesOf = (name: string) => readFileSync(place(name), "utf8").trimEnd().split("\n");

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    mesh.cli.write("houses.csv", housesCsv(rows));
    const dataset = mesh.cli.write(
      "houses.yaml",
      "name: houses\nsources:\n  - path: houses.csv\nplan:\n  - derive: { column: rooms, as: 'size // 20' }\n  - filter: 'price > 150'\n  - features: { numeric: standard }\ntarget: price\nfeatures: [size, age, side, rooms]\n",
    );
    const added = await run("dataset", "add", dataset, "--here");
    assert.equal(added.code, 0, added.err);
    const sweep = mesh.cli.write(
      "prices.yaml",
      "name: prices\ntask: tabular\ndataset: houses@1\nobjective: { metric: rmse, goal: minimize }\nsearch: { method: random, trials: 1, seed: 1 }\nstopping: { policy: none, max: 20 }\nmodels:\n  linear: { lr: 0.5 }\nregister: { model: prices, alias: champion }\n",
    );
    const swept = await run("sweep", "run", sweep);
    assert.equal(swept.code, 0, swept.err);
  });
  after(() => mesh.close());

  test("a file of rows, with how right it is where the rows carry the truth", async () => {
    const asked = await run(
      ...["predict", "prices", "--file", place("houses.csv"), "--out", place("answered.csv"), "--json"],
    );
    assert.equal(asked.code, 0, asked.err);
    assert.match(asked.err, /^prices stands for prices@1: /mu);
    const { rightness, ...told } = summary.parse(JSON.parse(asked.out));
    assert.deepEqual(told, { model: "prices", version: 1, rows, bad: 0 });
    // The plan's filter drops rows of the dataset, and none of those that are asked about.
    assert.equal(rightness?.rows, rows);
    assert.ok(rightness.rmse < 60, `${rightness.rmse}`);
    assert.equal(linesOf("answered.csv").length, rows + 1);
    assert.equal(linesOf("answered.csv")[0], "id,size,age,side,price,prediction");
  });

  test("rows without the target; one that does not fit is told, kept and counted", async () => {
    const file = mesh.cli.write("new.csv", "side,age,size\nnorth,3,100\nsouth,old,90\nwest,,60\n");
    const asked = await run(
      ...["predict", "prices@champion", "--file", file, "--explain", "--bad-rows", place("bad.csv")],
    );
    assert.equal(asked.code, 1);
    assert.match(asked.err, /line 3, column age, "old": it is no integer/u);
    assert.match(asked.err, /2 rows answered, 1 could not be/u);
    const [header, first, second, third] = asked.out.trimEnd().split("\n");
    assert.equal(header, "side,age,size,prediction,because");
    assert.match(first ?? "", /^north,3,100,[\d.]+,.*size [+-]/u);
    assert.equal(second, "south,old,90,,");
    assert.match(third ?? "", /^west,,60,[\d.]+,/u);
    assert.deepEqual(linesOf("bad.csv"), ["line,column,value,reason", "3,age,old,it is no integer"]);
  });

  test("what cannot be asked is refused with what would be right", async () => {
    for (const [words, sentence] of [
      [["prices", "--text", "a house"], /^trialmesh: prices@1 reads rows, not texts: size, age, side/mu],
      [
        ["prices", "--file", mesh.cli.write("narrow.csv", "side,size\nnorth,3\n")],
        /there is no column "age"/u,
      ],
      [["prise", "--text", "a"], /there is no model prise/u],
      [["prices@9", "--text", "a"], /prices has no version 9/u],
    ] as const) {
      const refused = await run("predict", ...words);
      assert.equal(refused.code, 1, refused.err);
      assert.match(refused.err, sentence);
    }
    const usage = await run("predict", "prices");
    assert.equal(usage.code, 2);
  });

  test("PREDICT-4: killed in the middle, it leaves no file under the name", async () => {
    const file = mesh.cli.write("many.csv", housesCsv(400_000));
    const out = place("many-answered.csv");
    const asking = mesh.cli.start(LiveMesh.home, "predict", "prices", "--file", file, "--out", out);
    await until("something is written", () => {
      const part = readdirSync(mesh.cli.folder).find((name) => name.startsWith("many-answered.csv."));
      return part !== undefined && statSync(place(part)).size > 0 ? true : null;
    });
    assert.equal(asking.isOver, false);
    await asking.end("SIGKILL");
    assert.ok(!existsSync(out));
  });
});
