/**
 * A sweep of a program out again: what pandas and DuckDB read of each format is what `sweep show --json` and the program said.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import type { SweepView } from "../../protocol/view.ts";
import { LiveMesh, noopSweep } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { mainFile, outcomeOf } from "../support/run-cli.ts";
import { pythonPeer } from "../support/python-peer.ts";

const peer = pythonPeer("tables-1", ["pandas==3.1.1", "pyarrow==26.0.1", "duckdb==2.0.1"]);

/** Numbers of every size, names of every kind, one trial that fails. */
const script = `
import sys
params = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
rate = float(params["rate"])
for epoch in range(1, 8):
    print('{"eval/score_t+64": %r, "acc@1": %r, "准确率": %r, "tiny": 5e-324, "big": 1e300, "count": %d}'
          % (rate / epoch, rate * epoch / 3, -epoch / 7, epoch), flush=True)
    if params["kind"] == "=fails, \\"so\\"":
        sys.exit("no such kind")
`;
const sweepFile = `name: out-again
command: ["\${interpreter}", train.py, "\${args}"]
objective: { metric: eval/score_t+64, goal: minimize }
search: { method: random, trials: 12, seed: 4 }
parameters:
  rate: { distribution: log-uniform, min: 0.001, max: 1 }
  width: { values: [1, 2, 9007199254740991] }
  seed: { values: [9007199254740993, 18446744073709551616] }
  kind: { values: [plain, "=fails, \\"so\\"", " a b ", "007"] }
  mixed: { values: [1, true, text] }
  flag: { values: [true, false] }
  Rate: 2
`;

/** Every table as rows of plain values by column, moments as texts. */
const readAll = `
import sys, json, math, duckdb, pandas as pd
def plain(value):
    if value is None or value is pd.NaT or value is pd.NA: return None
    if isinstance(value, float) and math.isnan(value): return None
    if hasattr(value, "isoformat"): return pd.Timestamp(value).tz_convert("UTC").isoformat(timespec="milliseconds") if value.tzinfo else value.isoformat()
    if hasattr(value, "item"): value = value.item()
    return value
def rows(frame):
    return [{name: plain(value) for name, value in zip(frame.columns, row)} for row in frame.itertuples(index=False, name=None)]
folder = sys.argv[1]
out = {"types": {}}
for table in ["trials", "history"]:
    csv, parquet = f"{folder}/csv/{table}.csv", f"{folder}/parquet/{table}.parquet"
    out[f"pandas csv {table}"] = rows(pd.read_csv(csv, keep_default_na=False, na_values=[""], dtype={"params.seed": str, "params.kind": str, "params.mixed": str}))
    out[f"pandas parquet {table}"] = rows(pd.read_parquet(parquet, dtype_backend="numpy_nullable"))
    read = duckdb.read_csv(csv, dtype={"params.seed": "VARCHAR", "params.kind": "VARCHAR", "params.mixed": "VARCHAR"} if table == "trials" else None)
    out[f"duckdb csv {table}"] = [dict(zip(read.columns, map(plain, row))) for row in read.fetchall()]
    duckdb.sql("SET TimeZone='UTC'")
    read = duckdb.read_parquet(parquet)
    out["types"][table] = dict(zip(read.columns, map(str, read.types)))
    out[f"duckdb parquet {table}"] = [dict(zip(read.columns, map(plain, row))) for row in read.fetchall()]
out["json"] = json.load(open(f"{folder}/all.json"))
out["pandas jsonl"] = len(pd.read_json(f"{folder}/all.jsonl", lines=True))
out["jsonl"] = [json.loads(line) for line in open(f"{folder}/all.jsonl", encoding="utf-8")]
print(json.dumps(out, allow_nan=False))
`;

const cellSchema = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const rowsSchema = z.array(z.record(z.string(), cellSchema));
type Row = z.infer<typeof rowsSchema>[number];
const trialSchema = z.object({
  trial: z.string(),
  started_at: z.string().nullable(),
  params: z.record(z.string(), cellSchema),
  metrics: z.record(z.string(), z.number()),
  history: z.object({
    state: z.string(),
    points: z.array(z.object({ epoch: z.number(), metrics: z.record(z.string(), z.number()) })),
  }),
});

describe("EXPORT-1: a sweep as csv, parquet and json", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  const at = (...parts: readonly string[]) => join(mesh.cli.folder, ...parts);
  const run = (...words: readonly string[]) => mesh.cli.run(LiveMesh.home, ...words);
  const ok = async (...words: readonly string[]) => {
    const { code, err, out } = await run(...words);
    assert.equal(code, 0, err);
    return out;
  };
  let view: SweepView;

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
    mkdirSync(at("program"));
    writeFileSync(at("program", "train.py"), script);
    writeFileSync(at("program", "sweep.yaml"), sweepFile);
    await run("sweep", "run", at("program", "sweep.yaml"));
    view = await mesh.sweep("s1");
    assert.ok(view.trials.some(({ state }) => state === "failed"));
    assert.ok(
      view.trials.filter(({ state }) => state === "completed").length > 3,
      JSON.stringify(view.failures),
    );
  });
  after(() => mesh.close());

  /** The history as the script writes it. */
  const said = (trial: SweepView["trials"][number], epoch: number) => {
    const rate = Number(trial.params["rate"]);
    return {
      "eval/score_t+64": rate / epoch,
      "acc@1": (rate * epoch) / 3,
      准确率: -epoch / 7,
      tiny: 5e-324,
      big: 1e300,
      count: epoch,
    };
  };
  const epochsOf = ({ state }: SweepView["trials"][number]) => (state === "failed" ? 1 : 7);

  const checkTrials = (rows: readonly Row[], renamed: string) => {
    assert.equal(rows.length, view.trials.length);
    for (const [index, trial] of view.trials.entries()) {
      const row = rows[index] ?? {};
      assert.deepEqual(
        [row["trial"], row["state"], row["value"], row["reason"], row["history"], row["tokens"]],
        [trial.trial, trial.state, trial.value, trial.failure, "whole", trial.spent / 1000],
      );
      for (const [name, value] of Object.entries(trial.params)) {
        const cell = row[name === "Rate" ? renamed : `params.${name}`];
        assert.equal(cell, name === "mixed" ? String(value) : value, `${trial.trial} ${name}`);
      }
      for (const [name, value] of Object.entries(trial.metrics))
        assert.equal(row[`metrics.${name}`], value, name);
      assert.equal(Date.parse(String(row["started_at"])), trial.attempts[0]?.startedAt);
    }
  };
  const checkHistory = (rows: readonly Row[]) => {
    const expected = view.trials.flatMap((trial) =>
      Array.from({ length: epochsOf(trial) }, (_, index) =>
        Object.entries(said(trial, index + 1)).map(
          ([name, value]) => `${trial.trial} ${index + 1} ${name} ${value}`,
        ),
      ).flat(),
    );
    assert.deepEqual(
      rows.map(({ epoch, metric, trial, value }) => `${trial} ${epoch} ${metric} ${value}`).toSorted(),
      expected.toSorted(),
    );
    assert.ok(rows.every(({ at: when }) => Math.abs(Date.parse(String(when)) - Date.now()) < 3_600_000));
  };

  test("every reader finds the same values", { skip: peer.ok ? false : peer.why }, async () => {
    assert.ok(peer.ok);
    await ok("sweep", "export", "s1", "--out", at("csv"));
    await ok("sweep", "export", "s1", "--out", at("parquet"), "--format", "parquet");
    await ok("sweep", "export", "s1", "--out", at("all.json"));
    await ok("sweep", "export", "s1", "--out", at("all.jsonl"));
    const found = z
      .looseObject({
        types: z.record(z.string(), z.record(z.string(), z.string())),
        json: z.looseObject({ trials: z.array(trialSchema) }),
        jsonl: z.array(trialSchema),
        "pandas jsonl": z.number(),
      })
      .parse(JSON.parse(peer.run(readAll, mesh.cli.folder)));
    const types = found.types["trials"] ?? {};
    const typeOf = (name: string) => types[`params.${name}`];
    assert.deepEqual(
      [typeOf("rate"), typeOf("width"), typeOf("seed"), typeOf("kind"), typeOf("mixed"), typeOf("flag")],
      ["DOUBLE", "BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN"],
    );
    assert.equal(types["started_at"], "TIMESTAMP WITH TIME ZONE");
    for (const reader of ["pandas csv", "pandas parquet", "duckdb csv", "duckdb parquet"]) {
      // Names that differ in case alone are one for DuckDB, which tells the later apart in its own way.
      const renamed = reader.endsWith("parquet")
        ? "params.Rate_2"
        : reader === "duckdb csv"
          ? "params.Rate_1"
          : "params.Rate";
      checkTrials(rowsSchema.parse(found[`${reader} trials`]), renamed);
      checkHistory(rowsSchema.parse(found[`${reader} history`]));
    }
    assert.equal(found["pandas jsonl"], view.trials.length);
    for (const document of [found.json.trials, found.jsonl])
      for (const [index, trial] of view.trials.entries()) {
        const one = document[index];
        assert.deepEqual([one?.params, one?.metrics], [trial.params, trial.metrics]);
        assert.deepEqual(
          one?.history.points.map(({ metrics }) => metrics),
          Array.from({ length: epochsOf(trial) }, (_, epoch) => said(trial, epoch + 1)),
        );
      }
  });

  test("EXPORT-2: nothing is overwritten, and what cannot be is refused in words", async () => {
    const out = at("kept");
    assert.match(await ok("sweep", "export", "s1", "--out", out), /the history is whole/);
    assert.deepEqual(readdirSync(out).toSorted(), ["export.json", "history.csv", "trials.csv"]);
    const before = readFileSync(join(out, "trials.csv"));
    writeFileSync(join(out, "trials.csv"), "mine");
    const again = await run("sweep", "export", "s1", "--out", out);
    assert.equal(again.code, 1);
    assert.match(again.err, /trials\.csv is there already; --force writes it anew/);
    assert.equal(readFileSync(join(out, "trials.csv"), "utf8"), "mine");
    await ok("sweep", "export", "s1", "--out", out, "--force");
    assert.deepEqual(readFileSync(join(out, "trials.csv")), before);
    const nothing = await run("sweep", "export", "s9", "--out", at("none"));
    assert.equal(nothing.code, 1);
    assert.match(nothing.err, /no sweep s9/);
    assert.equal(existsSync(at("none")), false);
    const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [2, /Parquet is written to files only/, ["--out", "-", "--format", "parquet"]],
      [2, /--format says csv/, ["--out", at("x.parquet"), "--format", "csv"]],
      [2, /--table is for csv and parquet/, ["--out", at("x.json"), "--table", "trials"]],
      [1, /cannot be written/, ["--out", at("kept", "trials.csv", "x.csv")]],
    ];
    for (const [status, sentence, words] of cases) {
      const refused = await run("sweep", "export", "s1", ...words);
      assert.equal(refused.code, status, words.join(" "));
      assert.match(refused.err, sentence);
      assert.equal(refused.out, "");
    }
    assert.equal((await run("sweep", "export", "s1", "--format", "xml")).code, 2);
    assert.equal(readdirSync(mesh.cli.folder).filter((name) => name.includes(".part-")).length, 0);
  });

  test("EXPORT-3: standard output has the export alone, one trial is exported as it is within its sweep", async () => {
    const { code, err, out } = await run("trial", "export", "s1-2", "--out", "-", "--format", "jsonl");
    assert.equal(code, 0, err);
    assert.match(err, /^trialmesh: 1 trial, /);
    const trial = trialSchema.parse(JSON.parse(out));
    assert.equal(trial.trial, "s1-2");
    const lines = (await ok("sweep", "export", "s1", "--format", "jsonl", "--out", "-"))
      .trimEnd()
      .split("\n");
    assert.deepEqual(trialSchema.parse(JSON.parse(lines[1] ?? "")), trial);
    const csv = await ok("sweep", "export", "s1", "--table", "history", "--out", "-");
    assert.match(csv, /^sweep,trial,attempt,epoch,metric,value,at,source_trial\n/);
    await ok("sweep", "export", "s1", "--out", at("one.csv"));
    assert.equal(readFileSync(at("one.history.csv"), "utf8"), csv);
  });

  test("EXPORT-13: a reader that has seen enough ends it, and nothing is left behind", async () => {
    const temporary = at("temporary");
    mkdirSync(temporary);
    const environment = { ...mesh.cli.environment(LiveMesh.home), TMPDIR: temporary };
    const words = ["sweep", "export", "s1", "--format", "jsonl", "--out", "-"];
    const line = ["-c", '"$0" "$@" | head -c 100', process.execPath, mainFile, ...words];
    const child = spawn("sh", line, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    const { code, err, out } = await outcomeOf(child);
    assert.equal(code, 0, err);
    assert.equal(out.length, 100);
    assert.deepEqual(readdirSync(temporary), []);
    const whole = await outcomeOf(
      spawn(process.execPath, [mainFile, ...words], { env: environment, stdio: ["ignore", "pipe", "pipe"] }),
    );
    assert.equal(whole.out, await ok(...words), "a process of its own writes the same");
  });

  test("LIST-10: lists of the command line are narrowed and sorted, and so is an export", async () => {
    const rates = view.trials.map(({ params }) => Number(params["rate"]));
    const middle = rates.toSorted((a, b) => a - b)[5] ?? 0;
    const where = ["--where", `rate>${middle}`, "--where", '"eval/score_t+64" > 0', "--sort", "-rate"];
    const shown = await run("sweep", "show", "s1", "--json", ...where);
    assert.match(shown.err, /^trialmesh: \d+ of 12 trials match$/m);
    const ids = z
      .object({ trials: z.array(z.object({ trial: z.string() })) })
      .parse(JSON.parse(shown.out))
      .trials.map(({ trial }) => trial);
    const expected = view.trials
      .filter(({ metrics, params }) => Number(params["rate"]) > middle && Object.keys(metrics).length > 0)
      .toSorted((a, b) => Number(b.params["rate"]) - Number(a.params["rate"]))
      .map(({ trial }) => trial);
    assert.deepEqual(ids, expected);
    assert.ok(ids.length > 1);
    const exported = await ok(
      "sweep",
      "export",
      "s1",
      "--out",
      "-",
      "--format",
      "jsonl",
      ...where.slice(0, 4),
    );
    const lines = exported.trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => trialSchema.parse(JSON.parse(line)).trial).toSorted(),
      expected.toSorted(),
    );
    assert.match(await ok("sweep", "ls", "--where", "name=out-again"), /s1 +out-again/);
    assert.match(await ok("sweep", "ls", "--where", "trials>1000"), /none of \d+ sweeps? is as asked for/);
    assert.match(await ok("agents", "--where", "slots=2", "--sort", "-free_gib"), /present/);
    const one = await run("agents", LiveMesh.home, "--where", "slots=2");
    assert.deepEqual([one.code, one.out], [2, ""]);
    assert.match(one.err, /--where and --sort are for the list of agents/);
    for (const list of [["model", "ls"], ["dataset", "ls"], ["agents"]]) {
      const none = await run(...list, "--where", "nothing=1");
      assert.equal(none.code, 1);
      assert.match(none.err, /has "nothing"; known: /);
      assert.equal((await run(...list, "--where", "nothing")).code, 2);
    }
  });

  test("EXPORT-4: a trial answered from the record has the history of the one that trained", async () => {
    const file = mesh.cli.write(
      "again.yaml",
      noopSweep({ name: "again", trials: 3, epochs: 4, milliseconds: 0, seed: 1 }),
    );
    await ok("sweep", "run", file);
    await ok("sweep", "run", file);
    const again = await mesh.sweep("s3");
    assert.ok(again.trials.every(({ reusedFrom }) => reusedFrom !== null));
    const rows = (await ok("sweep", "export", "s3", "--format", "jsonl", "--out", "-")).trimEnd().split("\n");
    for (const [index, row] of rows.entries()) {
      const { history } = trialSchema.parse(JSON.parse(row));
      assert.equal(history.state, "whole");
      assert.deepEqual(
        history.points.map(({ epoch }) => epoch),
        [1, 2, 3, 4],
      );
      assert.match(row, new RegExp(`"source_trial":"${again.trials[index]?.reusedFrom}"`));
    }
  });
});
