/**
 * A W&B sweep file and its script, both as W&B's users write them, on a whole mesh and without one: W&B's real package, neither
 * account nor network. What each call of wandb's means is tried in `wandb-script.test.ts`.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { newestWandb, wandbPython } from "../support/wandb-python.ts";

const { python, skip } = wandbPython(newestWandb);

/** Better by its parameter alone, and longer than anybody waits for. */
const script = `
import time, wandb

def main():
    run = wandb.init(project="demo", config={"epochs": 8, "gain": 0.5})
    config = run.config
    for epoch in range(config.epochs):
        wandb.log({"train/loss": 1 / (epoch + 1)}, step=epoch)
        wandb.log({"val/acc": config.gain * (1 - 0.5 ** (epoch + 1))}, step=epoch)
        time.sleep(0.4)

main()
`;

const sweepFile = `
program: train.py
method: grid
metric: { name: val/acc, goal: maximize }
early_terminate: { type: hyperband, min_iter: 2, max_iter: 8, s: 2, eta: 2 }
parameters:
  gain: { values: [0.2, 0.4, 0.6, 0.8] }
`;

describe("WLOG-1: a W&B sweep with an unmodified script", { skip: skip || skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  let file = "";

  before(async () => {
    process.env["TRIALMESH_PYTHON"] = python;
    const folder = join(mesh.cli.folder, "study");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.py"), script);
    file = join(folder, "sweep.yaml");
    writeFileSync(file, sweepFile);
    await mesh.up("--port", "0", "--slots", "2");
  });
  after(() => mesh.close());

  test("on a mesh: its trials are judged by what they log, and their metrics are shown", async () => {
    const { code, err } = await mesh.cli.run(LiveMesh.home, "sweep", "run", file);
    assert.equal(code, 0, err);
    const { trials } = await mesh.sweep("s1");
    const seen = JSON.stringify(trials.map(({ params, resource, state }) => [params, resource, state]));
    assert.ok(
      trials.every(({ state }) => state === "completed" || state === "stopped"),
      seen,
    );
    assert.ok(
      trials.some(({ resource }) => resource === 8),
      seen,
    );
    const worst = trials.find(({ params }) => params["gain"] === 0.2);
    assert.ok(worst !== undefined && worst.resource < 8 && worst.state === "stopped", seen);
    const shown = await mesh.ok(LiveMesh.home, "sweep", "show", "s1");
    assert.match(shown.out, /maximize val\/acc/);
    const best = trials.find(({ resource }) => resource === 8);
    const trial = await mesh.ok(LiveMesh.home, "trial", "show", best?.trial ?? "");
    assert.match(trial.out, /metrics\s+train\/loss 0\.125, val\/acc 0\.[0-9]+/);
  });

  test("without a mesh: the same, on this machine alone", async () => {
    const { code, err, out } = await mesh.cli.run(LiveMesh.home, "sweep", "local", file);
    assert.equal(code, 0, err);
    assert.match(out, /best: trial 4 with val\/acc 0\.79/);
    assert.match(out, /stopped +0\.\d+ .*gain=0\.2/);
  });
});
