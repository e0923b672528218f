/** What a program's reports make of its trial, and what MLflow's calls say of it. */
import assert from "node:assert/strict";
import test from "node:test";
import { LeaseSegment, readSegmentNote } from "../../agent/program/lease-segment.ts";
import { MlflowRuns } from "../../agent/program/mlflow-call.ts";
import type { MlflowFact } from "../../agent/program/mlflow-fact.ts";

const program = {
  objectives: [
    { metric: "acc", keep: "max" as const },
    { metric: "loss", keep: "last" as const },
  ],
  fullLength: 9,
};

test("SEG-1: the first objective's reports are its length; of each objective the value that is to be kept", () => {
  const segment = new LeaseSegment(program, 3, null);
  assert.equal(segment.whyNoResult(), "it reported nothing; print a line such as acc=0.5");
  assert.equal(segment.take({ metric: "acc", value: 0.7 }, "output"), true);
  assert.equal(segment.take({ metric: "loss", value: 2 }, "output"), false);
  segment.take({ metric: "acc", value: 0.5 }, "output");
  segment.take({ metric: "acc", value: Number.NaN }, "output");
  segment.take({ metric: "loss", value: 1 }, "output");
  assert.deepEqual([segment.reports, segment.resource, segment.isThere], [3, 2, true]);
  assert.deepEqual(segment.metrics(), { acc: 0.7, loss: 1 });
  assert.equal(segment.whyNoResult(), null);
});

test("SEG-2: what is both printed and logged counts once, by the way it came first", () => {
  const segment = new LeaseSegment(program, 3, null);
  segment.take({ metric: "acc", value: 0.1 }, "http");
  segment.take({ metric: "acc", value: 0.1 }, "output");
  segment.take({ metric: "acc", value: 0.2 }, "http");
  assert.equal(segment.reports, 2);
});

test("SEG-3: the next segment goes on from the note; at its full length, or with a length of its own, nothing stops it", () => {
  const first = new LeaseSegment(program, 1, null);
  first.take({ metric: "acc", value: 0.9 }, "output");
  const note = readSegmentNote(JSON.parse(JSON.stringify(first.note(false))));
  assert.ok(note !== null);
  const second = new LeaseSegment(program, 9, note);
  second.take({ metric: "acc", value: 0.4 }, "output");
  assert.deepEqual([second.reports, second.metrics()["acc"], second.endedBefore], [2, 0.9, false]);
  for (let report = 0; report < 20; report++) second.take({ metric: "acc", value: 0.4 }, "output");
  assert.deepEqual([second.isThere, second.resource], [false, 8], "the last segment ends by itself");
  const own = new LeaseSegment({ ...program, fullLength: null }, 1, null);
  own.take({ metric: "acc", value: 1 }, "output");
  assert.deepEqual([own.isThere, own.resource], [false, 0]);
  assert.equal(readSegmentNote({ kind: "something else" }), null);
});

test("SEG-4: of ever new metrics so many are kept, and their objectives always", () => {
  const segment = new LeaseSegment(program, 3, null);
  segment.take({ metric: "x".repeat(100_000), value: 1 }, "output");
  for (let n = 0; n < 5_000; n++) segment.take({ metric: `layer.${n}`, value: n }, "output");
  assert.equal(segment.take({ metric: "acc", value: 0.5 }, "output"), true);
  segment.take({ metric: "layer.3", value: 33 }, "output");
  const metrics = segment.metrics();
  assert.deepEqual([metrics["acc"], metrics["layer.3"]], [0.5, 33]);
  assert.ok(Object.keys(metrics).length <= 502 && JSON.stringify(metrics).length < 200_000);
});

function mlflowRuns(at: number, objectives: readonly string[] = ["acc"]): MlflowRuns {
  return new MlflowRuns({
    id: "0".repeat(32),
    name: "s1-1",
    artifactFolder: "file:///artifacts",
    now: () => at,
    objectives,
  });
}

test("MLFLOW-1: the client's calls for a run give its metrics with steps, its parameters and its tags", () => {
  const run = mlflowRuns(1_000);
  const facts: MlflowFact[] = [];
  const call = (path: string, body: unknown) => {
    const answer = run.call("POST", path, body);
    facts.push(...answer.facts);
    return answer;
  };
  assert.deepEqual(call("experiments/get-by-name", { experiment_name: "digits" }).status, 200);
  const created = call("runs/create", {
    experiment_id: "0",
    start_time: 1_764_000_000_000,
    run_name: "wise-owl-7",
    tags: [
      { key: "mlflow.user", value: "ada" },
      { key: "stage", value: "dev" },
    ],
  });
  assert.match(JSON.stringify(created.body), /"run_id":"0{32}".*"status":"RUNNING"/);
  const id = { run_id: "0".repeat(32) };
  call("runs/log-metric", { ...id, key: "acc", value: 0.5, timestamp: "1764000000000", step: "3" });
  call("runs/log-metric", { ...id, key: "loss", value: "NaN", timestamp: 1, step: 4 });
  call("runs/log-parameter", { ...id, key: "lr", value: "0.1" });
  call("runs/log-parameter", { ...id, key: "lr", value: "0.1" });
  call("runs/set-tag", { ...id, key: "note", value: "second try" });
  call("runs/log-batch", {
    ...id,
    metrics: [{ key: "training_score", value: 1, timestamp: 1, step: 0 }],
    params: [{ key: "alpha", value: "0.01" }],
    tags: [{ key: "estimator_name", value: "SGDClassifier" }],
  });
  assert.deepEqual(facts, [
    { kind: "tag", name: "stage", value: "dev" },
    { kind: "metric", name: "acc", value: 0.5, step: 3 },
    { kind: "metric", name: "loss", value: Number.NaN, step: 4 },
    { kind: "param", name: "lr", value: "0.1" },
    { kind: "tag", name: "note", value: "second try" },
    { kind: "param", name: "alpha", value: "0.01" },
    { kind: "tag", name: "estimator_name", value: "SGDClassifier" },
    { kind: "metric", name: "training_score", value: 1, step: 0 },
  ]);
  call("runs/update", { ...id, status: "FINISHED", end_time: 2 });
  const got = JSON.stringify(call("runs/get", id).body);
  assert.match(got, /"status":"FINISHED"/);
  assert.match(got, /"key":"acc","value":0\.5,"step":3/);
});

test("MLFLOW-2: a call that does not parse, or that there is not, is answered in MLflow's own words", () => {
  const run = mlflowRuns(0);
  const wrong = run.call("POST", "runs/log-metric", { key: "acc", value: "high" });
  assert.deepEqual([wrong.status, wrong.facts], [400, []]);
  assert.match(JSON.stringify(wrong.body), /INVALID_PARAMETER_VALUE/);
  assert.match(JSON.stringify(run.call("POST", "model-versions/create", {}).body), /ENDPOINT_NOT_FOUND/);
});

test("MLFLOW-3: what only asks may be asked with GET; whatever says something is posted, and no step is beyond counting", () => {
  const run = mlflowRuns(0);
  assert.equal(run.call("GET", "runs/get", {}).status, 200);
  const tagged = run.call("GET", "runs/set-tag", { key: "note", value: "by a link" });
  assert.deepEqual([tagged.status, tagged.facts], [405, []]);
  for (const step of ["9".repeat(400), 1e300, "99999999999999999999"]) {
    const far = run.call("POST", "runs/log-metric", { key: "acc", value: 1, step });
    assert.deepEqual([far.status, far.facts], [400, []]);
  }
});

test("MLFLOW-4: of ever new names and endless values so much is kept", () => {
  const run = mlflowRuns(0);
  for (let n = 0; n < 3_000; n++) {
    run.call("POST", "runs/set-tag", { key: `tag ${n}`, value: "x".repeat(n === 0 ? 900_000 : 3) });
    run.call("POST", "runs/log-metric", { key: `metric ${n}`, value: n });
  }
  assert.ok(JSON.stringify(run.call("GET", "runs/get", {}).body).length < 400_000);
});
