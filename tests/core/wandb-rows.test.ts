/** What a script's calls of wandb make of its trial, from rows as its hook writes them. The hook itself is tried in `live`. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import test, { after } from "node:test";
import * as fc from "fast-check";
import { LocalTrial } from "../../client/local/local-trial.ts";
import { LeaseSegment } from "../../agent/program/lease-segment.ts";
import { MetricSummary } from "../../agent/program/metric-summary.ts";
import { pyyamlText } from "../../agent/program/pyyaml-text.ts";
import { RowTail } from "../../agent/program/row-tail.ts";
import { makeWandbPlace, type WandbPlace } from "../../agent/program/wandb-place.ts";
import { readWandbRow, type WandbRow } from "../../agent/program/wandb-row.ts";
import { WandbRuns, type WandbFact } from "../../agent/program/wandb-runs.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-rows-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

type Log = Extract<WandbRow, { kind: "log" }>;

function log(numbers: Record<string, number>, more: Partial<Log> = {}): Log {
  return { kind: "log", run: "a", step: null, commit: null, numbers, others: {}, ...more };
}

const start = (run: string, more: object = {}): WandbRow => ({
  kind: "start",
  run,
  name: "s1-1",
  mode: "on",
  rank: 0,
  version: "0",
  ...more,
});

/** What a trial whose objective is `score` makes of the facts. */
function trialOf(facts: readonly WandbFact[]) {
  const objectives = [{ metric: "score", keep: "last" as const }];
  const segment = new LeaseSegment({ objectives, fullLength: 1_000 }, 1_000, null);
  for (const fact of facts) {
    if (fact.kind !== "step") continue;
    for (const report of fact.amended) segment.amend(report, "wandb");
    for (const report of fact.reports) segment.take(report, "wandb");
  }
  return { reports: segment.reports, metrics: segment.metrics() };
}

const call = fc.record({
  step: fc.option(fc.integer({ min: 0, max: 4 }), { nil: null }),
  commit: fc.option(fc.boolean(), { nil: null }),
  numbers: fc.dictionary(fc.constantFrom("score", "loss", "a.b"), fc.double({ noNaN: true }), { maxKeys: 3 }),
  /** A look at the file falls between this call and the next. */
  looked: fc.boolean(),
});

test("WLOG-2: however calls fall on steps and looks between them, each step with the objective is one report", () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
      const runs = new WandbRuns("s1-1");
      const facts = calls.flatMap(({ looked, ...given }) => [
        ...runs.hear(log(given.numbers, given)),
        ...(looked ? runs.tell() : []),
      ]);
      // The same calls cut into steps, by wandb's rule.
      const steps: Record<string, number>[] = [{}];
      let at = 0;
      for (const { commit, numbers, step } of calls) {
        if (step !== null && step !== at) {
          at = step;
          steps.push({});
        }
        Object.assign(steps.at(-1) ?? {}, numbers);
        if (commit === true || (step === null && commit === null)) {
          at++;
          steps.push({});
        }
      }
      const { metrics, reports } = trialOf([...facts, ...runs.tell()]);
      assert.equal(reports, steps.filter((step) => "score" in step).length);
      assert.deepEqual(metrics, Object.assign({}, ...steps));
    }),
  );
});

test("WLOG-2: a figure the script sets is a report where it logs no such metric, else the last value", () => {
  const set = (score: number): WandbRow => ({ kind: "summary", run: "a", numbers: { score }, others: {} });
  const alone = new WandbRuns("s1-1");
  assert.equal(trialOf([...alone.hear(set(1)), ...alone.hear(set(2))]).reports, 2);
  const logged = new WandbRuns("s1-1");
  const facts = [
    ...logged.hear(log({ score: 1 })),
    ...logged.hear(log({ score: 3 })),
    ...logged.hear(set(9)),
  ];
  assert.deepEqual(trialOf(facts), { reports: 2, metrics: { score: 9 } });
});

test("WLOG-2: define_metric gives the figures that wandb's summary has", () => {
  const figure: Record<string, (values: readonly number[]) => number> = {
    min: (values) => Math.min(...values),
    max: (values) => Math.max(...values),
    first: (values) => values[0] ?? NaN,
    last: (values) => values.at(-1) ?? NaN,
  };
  const values = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.constantFrom("a/*", "a/b"), (given, name) => {
      const summary = new MetricSummary();
      summary.define({ name, ways: [...Object.keys(figure), "none", "best", "mean"], goal: "maximize" });
      const last = new Map<string, number>();
      for (const value of given)
        for (const report of summary.take({ metric: "a/b", value })) last.set(report.metric, report.value);
      for (const [way, of] of Object.entries(figure)) assert.equal(last.get(`a/b.${way}`), of(given));
      assert.equal(last.get("a/b.best"), Math.max(...given));
      assert.equal(last.has("a/b.none"), false);
      assert.deepEqual(summary.take({ metric: "other", value: 1 }), []);
      assert.deepEqual(summary.take({ metric: "a/b", value: NaN }), []);
    }),
  );
});

test("WLOG-3: a run beside the trial's own never counts as it; one after its end goes on with it", () => {
  const runs = new WandbRuns("s1-1");
  const rows: WandbRow[] = [
    start("r1", { rank: 1 }),
    start("a"),
    start("b", { name: "fold-1" }),
    start("c"),
    start("d", { name: "fold-1" }),
    ...["r1", "a", "b", "c", "d"].map((run, index) => log({ score: index }, { run })),
    { kind: "finish", run: "a" },
    start("e"),
    log({ score: 7 }, { run: "e" }),
    log({ score: 8 }, { run: "b" }),
  ];
  assert.deepEqual(trialOf(rows.flatMap((row) => runs.hear(row))), {
    reports: 2,
    metrics: { "rank-1/score": 0, score: 7, "fold-1/score": 8, "run-4/score": 3, "fold-1-2/score": 4 },
  });
});

test("WLOG-3: of ever new runs so many are heard, and that is said once", () => {
  const runs = new WandbRuns("s1-1");
  const facts = Array.from({ length: 3_000 }, (_, index) => runs.hear(start(`x${index}`))).flat();
  assert.equal(facts.length, 1);
  assert.equal(runs.hear(log({ score: 1 }, { run: "x2999" })).length, 0);
});

test("WLOG-5: what is logged to wandb counts in place of what was printed of the same metric", () => {
  const takes = fc.array(fc.tuple(fc.constantFrom("output" as const, "wandb" as const), fc.integer()));
  fc.assert(
    fc.property(takes, (given) => {
      const objectives = [{ metric: "score", goal: "maximize" as const, keep: "max" as const }];
      const segment = new LeaseSegment({ objectives, fullLength: null }, 1, null);
      const trial = new LocalTrial(1, {}, objectives);
      for (const [source, value] of given) {
        segment.take({ metric: "score", value }, source);
        trial.take({ metric: "score", value }, source);
      }
      const logged = given.filter(([source]) => source === "wandb");
      const counted = (logged.length > 0 ? logged : given).map(([, value]) => value);
      assert.equal(segment.reports, counted.length);
      assert.equal(trial.resource, counted.length);
      const best = counted.length === 0 ? undefined : Math.max(...counted);
      assert.equal(segment.metrics()["score"], best);
      assert.equal(trial.values()?.[0], best);
    }),
  );
});

test("WLOG-5: what a segment before has kept stays, whichever way counts on this one", () => {
  const objectives = [{ metric: "score", keep: "max" as const }];
  const note = new LeaseSegment({ objectives, fullLength: 9 }, 2, null);
  note.take({ metric: "score", value: 5 }, "wandb");
  note.take({ metric: "score", value: 4 }, "wandb");
  const next = new LeaseSegment({ objectives, fullLength: 9 }, 9, note.note(false));
  next.take({ metric: "score", value: 99 }, "output");
  next.take({ metric: "score", value: 3 }, "wandb");
  assert.deepEqual([next.reports, next.metrics()["score"]], [3, 5]);
});

test("WLOG-6: a line that is no row of the hook's is none, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"kind":"log","run":"a",${json}`),
      ),
      (line) => {
        const row = readWandbRow(line);
        if (row !== null) new WandbRuns("s1-1").hear(row);
      },
    ),
  );
  const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`n${index}`, index]));
  const row = readWandbRow(JSON.stringify(log({ ...wide, ["x".repeat(9_999)]: 1 })));
  assert.ok(row?.kind === "log" && Object.keys(row.numbers).length === 500);
  assert.equal(
    readWandbRow('{"kind":"log","run":"a","step":null,"commit":null,"numbers":{"a":"1"},"others":{}}'),
    null,
  );
  const words = '{"kind":"summary","run":"a","numbers":{"a":"NaN","b":"-Infinity"},"others":{}}';
  assert.deepEqual(readWandbRow(words), { ...JSON.parse(words), numbers: { a: NaN, b: -Infinity } });
});

test("WLOG-6: lines come whole however they are written; one without end is passed over, and said once", async () => {
  const lines = ["a", "", "ä".repeat(70_000), "x".repeat(300_000), "b", "y".repeat(400_000), "c", "no end"];
  const heard: string[] = [];
  const lost: string[] = [];
  const path = join(folder, "rows");
  let quiet = 0;
  const tail = new RowTail({
    path,
    onLine: (line) => heard.push(line),
    onQuiet: () => quiet++,
    onLoss: (sentence) => lost.push(sentence),
  });
  const bytes = Buffer.from(lines.join("\n"));
  for (let at = 0; at < bytes.length; at += 77_777) appendFileSync(path, bytes.subarray(at, at + 77_777));
  await tail.settle();
  tail.close();
  assert.deepEqual(heard, ["a", "ä".repeat(70_000), "b", "c"]);
  assert.equal(lost.length, 1);
  assert.match(lost[0] ?? "", /256 KiB/);
  assert.throws(() => new RowTail({ path, onLine: () => 0, onQuiet: () => 0, onLoss: () => 0 }), /EEXIST/);
  assert.equal(quiet, 0);
});

function place(environment: Record<string, string>): { given: Record<string, string>; place: WandbPlace } {
  const one = { folder: join(folder, "place"), sweep: "s1", trial: "s1-3", metrics: ["score"], environment };
  const sweep = { command: [], program: null, nested: ["optim"], spelling: { n: { "0": "1.0" } } };
  return { place: one, given: makeWandbPlace(one, sweep, { lr: 1e-7, "optim.name": "a\u0085😀", n: 0 }) };
}

test("WLOG-7: wandb is alone and within the trial's folder, unless the program's own variables ask for more", () => {
  const alone = place({ PYTHONPATH: "lib", WANDB_DIR: "/mine", WANDB_API_KEY: "" });
  assert.equal(alone.given["WANDB_MODE"], "offline");
  assert.equal(alone.given["WANDB_SWEEP_ID"], "s1");
  assert.equal(alone.given["WANDB_DIR"], undefined, "its own stays");
  assert.equal(alone.given["PYTHONPATH"], `${join(alone.place.folder, "hook")}${delimiter}lib`);
  for (const name of ["WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR"])
    assert.ok(existsSync(alone.given[name] ?? "") && alone.given[name]?.startsWith(alone.place.folder), name);
  for (const environment of [{ WANDB_API_KEY: "k" }, { WANDB_MODE: "online" }, { WANDB_MODE: "shared" }]) {
    const { given } = place(environment);
    assert.deepEqual(
      Object.keys(given).filter((name) => name.startsWith("WANDB_")),
      ["WANDB_SWEEP_PARAM_PATH"],
    );
  }
  for (const mode of ["offline", "dryrun", "disabled"])
    assert.equal(place({ WANDB_MODE: mode, WANDB_API_KEY: "k" }).given["WANDB_SWEEP_ID"], "s1");
});

test("WLOG-1: parameters are written as W&B's own agent hands them over, in what PyYAML reads", () => {
  const { given } = place({});
  assert.equal(
    readFileSync(given["WANDB_SWEEP_PARAM_PATH"] ?? "", "utf8"),
    '? "lr"\n: {"value": 1.0e-7}\n? "optim"\n: {"value": {"name": "a\\u0085\\U0001f600"}}\n? "n"\n: {"value": 1.0}\n',
  );
  for (const [json, yaml] of [
    ["1e21", "1.0e+21"],
    ["-2.5E-3", "-2.5e-3"],
    ["12345678901234567890", "12345678901234567890"],
    ['{"1e5":["1e5",1e5,true,null]}', '{"1e5": ["1e5",1.0e+5,true,null]}'],
    ['"\\"\\\\\\n\\ud83d"', '"\\"\\\\\\u000a\\ud83d"'],
  ])
    assert.equal(pyyamlText(json ?? ""), yaml);
  writeFileSync(join(folder, "place", "rows.jsonl"), "of before");
  place({});
  assert.ok(!existsSync(join(folder, "place", "rows.jsonl")), "a segment begins with no rows");
});
