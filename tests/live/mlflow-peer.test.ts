/**
 * A session of MLflow's own client against the endpoint of a trial and against MLflow's own store: it must be told the same. pip brings
 * MLflow and scikit-learn in; where it cannot, that is said.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import * as z from "zod";
import { openReportEndpoint } from "../../agent/program/report-endpoint.ts";
import type { MlflowFact } from "../../agent/program/mlflow-fact.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { venvWith } from "../support/python-home.ts";

const canVenv = spawnSync("python3", ["-c", "import venv"]).status === 0;
const mlflow = canVenv ? venvWith("mlflow", "scikit-learn") : { skip: "no python3 with venv on the path" };
const folder = mkdtempSync(join(tmpdir(), "trialmesh-mlflow-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const filters = [
  "",
  "metrics.score > 0.2",
  "metrics.score >= 0.1 and metrics.score < 0.5",
  "metrics.`only some` >= 0",
  'metrics."fold-0/score" = 0.9',
  "metric.loss <= 0.34",
  "params.depth = '3'",
  "params.fold != '1'",
  'params.kind = "forest"',
  "param.kind LIKE '%or%s_'",
  "tags.stage LIKE 'dev%'",
  "tags.stage ILIKE 'dev%'",
  "tags.stage LIKE 'de_'",
  "tags.stage = 'dev'",
  "tags.`my team` = 'blue o''clock'",
  "tags.\"my team\" LIKE 'blue%'",
  "tags.none != 'a'",
  "attributes.run_name = 'whole'",
  "run_name LIKE 'fold-%'",
  "attributes.status = 'RUNNING'",
  "status = 'FINISHED' AND metrics.score > 0",
  "attributes.start_time > 0",
  "run_id = 'x'",
  "run_id IN ('x', 'y')",
  // What is none.
  "score > 1",
  "metrics.score = 'x'",
  "params.depth = 3",
  "metrics.score >",
  "tags.stage == 'dev'",
  "metrics.score > 0.2 OR params.depth = '3'",
  "nonsense",
];

const toldSchema = z.record(z.string(), z.unknown());

function session(python: string, server: string): Promise<z.infer<typeof toldSchema>> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, [join(projectFolder, "tests", "fixture", "mlflow", "session.py")], {
      cwd: folder,
      env: { ...process.env, MLFLOW_TRACKING_URI: server, FILTERS: JSON.stringify(filters), HOME: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [said, wrong] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (wrong += text));
    child.once("close", () => {
      const told = /^TOLD (.*)$/m.exec(said)?.[1];
      if (told === undefined) reject(new Error(`${said}${wrong}`));
      else resolve(toldSchema.parse(JSON.parse(told)));
    });
  });
}

test(
  "MLFLOW-5: a trial's endpoint tells the client what MLflow's own store tells it",
  { skip: "skip" in mlflow ? mlflow.skip : false },
  async () => {
    assert.ok("python" in mlflow);
    const facts: MlflowFact[] = [];
    const endpoint = await openReportEndpoint({
      trial: "s1-1",
      artifactFolder: join(folder, "artifacts"),
      now: Date.now,
      objectives: ["score"],
      onReports: () => undefined,
      onFact: (fact) => void facts.push(fact),
    });
    try {
      const ours = await session(mlflow.python, endpoint.mlflowUrl);
      const theirs = await session(mlflow.python, `sqlite:///${join(folder, "store.db")}`);
      assert.deepEqual(ours, theirs);
    } finally {
      endpoint.close();
    }
    const metrics = new Map(
      facts.flatMap((fact) => (fact.kind === "metric" ? [[fact.name, fact.value]] : [])),
    );
    // A child is called fold-0, and its score is not the metric of that name.
    assert.equal(metrics.get("fold-0/score"), 0.9);
    assert.equal(metrics.get("score"), 0.5);
    assert.equal(metrics.get("fold-1/score"), 0.25);
    assert.ok(
      [...metrics.keys()].some((name) => name.startsWith("fit/training_")),
      "autolog's metrics arrive",
    );
  },
);
