/**
 * Programs on a whole mesh: a Python script swept over agents whose owners allow it, killed with its agent and gone on from
 * its checkpoint folder elsewhere; with scikit-learn and PyTorch where TRIALMESH_PYTHON has them.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findInterpreter } from "../../agent/program/interpreter.ts";
import type { TrialView } from "../../protocol/view.ts";
import { LiveMesh } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";

const python = findInterpreter(process.env);
const has = (module: string) => spawnSync(python, ["-c", `import ${module}`]).status === 0;
const skipPython = has("json") ? false : "no Python on the path";

/**
 * Goes on where it was, as scripts do: nothing in it knows of trialmesh but a name of the environment. With a long pause it
 * stands still after three epochs, until it is killed.
 */
const countScript = `
import json, os, sys, time
folder = os.environ["TRIALMESH_CHECKPOINT_DIR"]
state = os.path.join(folder, "state.json")
params = dict(word.lstrip("-").split("=", 1) for word in sys.argv[1:])
rate, epochs, pause = float(params["rate"]), int(params["epochs"]), float(params["pause"])
done = json.load(open(state))["done"] if os.path.exists(state) else 0
print("goes on from", done, flush=True)
for epoch in range(done + 1, epochs + 1):
    time.sleep(600 if epoch == 4 and done == 0 and pause > 0.1 else pause)
    with open(state + ".part", "w") as file:
        json.dump({"done": epoch}, file)
    os.replace(state + ".part", state)
    print(f"score={1 - abs(rate - 0.5) - 1 / (1 + epoch):.4f}", flush=True)
`;

const learnScript = `
import argparse, os, joblib
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float)
options = parser.parse_args()
x, y = load_digits(return_X_y=True)
path = os.path.join(os.environ["TRIALMESH_CHECKPOINT_DIR"], "model.joblib")
model = joblib.load(path) if os.path.exists(path) else SGDClassifier(alpha=options.alpha, random_state=0)
for epoch in range(4):
    model.partial_fit(x[:1200] / 16, y[:1200], classes=range(10))
    joblib.dump(model, path)
    print(f"accuracy={model.score(x[1200:] / 16, y[1200:])}", flush=True)
`;

const torchScript = `
import argparse, os, time, torch
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--stand", type=int, default=0)
options = parser.parse_args()
torch.manual_seed(0)
x = torch.randn(256, 8); y = (x[:, :1] > 0).float()
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=options.lr)
path = os.path.join(os.environ["TRIALMESH_CHECKPOINT_DIR"], "model.pt")
done = 0
if os.path.exists(path):
    saved = torch.load(path)
    model.load_state_dict(saved["model"]); done = saved["done"]
print("goes on from", done, flush=True)
for epoch in range(done, 5):
    if options.stand and done == 0 and epoch == 3:
        time.sleep(600)
    optimizer.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y)
    loss.backward(); optimizer.step()
    torch.save({"model": model.state_dict(), "done": epoch + 1}, path + ".part"); os.replace(path + ".part", path)
    print(f"loss={loss.item():.5f}", flush=True)
`;

describe("programs on a mesh", { skip: skipPython || skipWithoutNats }, () => {
  const mesh = new LiveMesh();

  const sweepOf = (name: string, script: string, text: string): string => {
    const folder = join(mesh.cli.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.py"), script);
    writeFileSync(
      join(folder, "sweep.yaml"),
      `name: ${name}\ncommand: ["\${interpreter}", train.py, "\${args}"]\n${text}`,
    );
    return join(folder, "sweep.yaml");
  };
  const submit = async (file: string) => {
    const { out } = await mesh.ok(LiveMesh.home, "sweep", "run", file, "--detach");
    return out.trim();
  };

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2");
  });
  after(() => mesh.close());

  test("PROG-20: a script is swept with rungs: its trials stop there, and go on from what they kept", async () => {
    const file = sweepOf(
      "rungs",
      countScript,
      `objective: { metric: score, keep: max }
search: { method: random, trials: 4, seed: 1 }
stopping: { policy: asha, min: 2, max: 4, eta: 2 }
parameters: { rate: { distribution: uniform, min: 0, max: 1 }, epochs: 4, pause: 0.02 }
`,
    );
    const { code, err, out } = await mesh.cli.run(LiveMesh.home, "sweep", "run", file);
    assert.equal(code, 0, err);
    assert.match(err, /program: 1 file of .*rungs, .* sent to the mesh/);
    assert.match(out, /score/);
    const view = await mesh.sweep("s1");
    assert.ok(
      view.trials.every(({ state }) => state === "completed" || state === "stopped"),
      JSON.stringify(view.failures),
    );
    const longest = view.trials.find(({ resource }) => resource === 4);
    assert.ok(longest !== undefined && longest.rungs.length === 2);
    const logs = await mesh.client.query("logs", { trial: longest.trial, limit: 100 });
    // A busy machine may let it run past its rung before it is stopped: it goes on from what it kept then.
    assert.ok(
      logs.ok && logs.value.lines.some(({ line }) => /^goes on from [2-4]$/.test(line)),
      JSON.stringify(logs),
    );
  });

  test("PROG-21: an agent joined by invitation runs no programs until its owner says so, and says why", async () => {
    await mesh.joinAgent("two", "--slots", "1");
    const file = sweepOf(
      "elsewhere",
      countScript,
      `objective: { metric: score }
search: { method: random, trials: 1, seed: 1 }
parameters: { rate: 0.5, epochs: 1, pause: 0 }
needs: { agents: { only: [two] } }
`,
    );
    const sentence = await mesh.cli.run(LiveMesh.home, "sweep", "run", file, "--detach");
    assert.equal(sentence.code, 1);
    assert.match(sentence.err, /leave to run programs: its owner runs no programs from others/);
  });

  const killed = [
    [
      "counts",
      null,
      countScript,
      "objective: { metric: score, keep: max }\nparameters: { rate: 0.4, epochs: 5, pause: 0.2 }",
    ],
    [
      "torch-killed",
      "torch",
      torchScript,
      "objective: { metric: loss, goal: minimize }\nparameters: { lr: 0.5, stand: 1 }",
    ],
  ] as const;
  for (const [name, module, script, text] of killed) {
    test(
      `PROG-22: kill -9 of the agent in the middle of ${name}: another agent goes on from the checkpoint folder`,
      { skip: module !== null && !has(module) && `no ${module} for ${python}` },
      async () => {
        const doomed = `${name.slice(0, 6)}-agent`;
        const agent = await mesh.joinAgent(doomed, "--slots", "1", "--programs", "any");
        const needs = `needs: { agents: { only: [one, ${doomed}] } }`;
        const file = sweepOf(name, script, `${text}\nsearch: { method: random, trials: 1 }\n${needs}\n`);
        const cordon = (on: boolean) => mesh.client.command("agent-cordon", { agent: "one", cordon: on });
        await cordon(true);
        const sweep = await submit(file);
        const hasKept = (trial: TrialView) => trial.artifact !== null && trial.state === "running";
        await mesh.trialThat(sweep, "a kept checkpoint", hasKept);
        await cordon(false);
        await agent.end("SIGKILL");
        const view = await mesh.ended(sweep);
        const [trial] = view.trials;
        assert.ok(trial !== undefined);
        assert.equal(trial.state, "completed", JSON.stringify(view.failures));
        assert.deepEqual(
          trial.attempts.map((attempt) => attempt.agent),
          [doomed, "one"],
        );
        const logs = await mesh.client.query("logs", { trial: trial.trial, limit: 200 });
        assert.ok(logs.ok);
        const starts = logs.value.lines.flatMap(({ line }) => /^goes on from (\d+)$/.exec(line)?.[1] ?? []);
        assert.equal(starts[0], "0");
        assert.ok(Number(starts[1]) > 0, JSON.stringify(starts));
      },
    );
  }

  for (const [name, module, script, text] of [
    [
      "learn",
      "sklearn",
      learnScript,
      "objective: { metric: accuracy, keep: max }\nparameters: { alpha: [0.0001, 0.01] }",
    ],
    [
      "torch",
      "torch",
      torchScript,
      "objective: { metric: loss, goal: minimize, keep: min }\nparameters: { lr: [0.1, 0.5] }",
    ],
  ] as const) {
    test(
      `PROG-23: a script with ${module} is swept as it is`,
      { skip: !has(module) && `no ${module} for ${python}` },
      async () => {
        const file = sweepOf(name, script, `${text}\nsearch: { method: grid, trials: 2 }\n`);
        const sweep = await submit(file);
        const view = await mesh.ended(sweep);
        assert.deepEqual(
          view.trials.map(({ state }) => state),
          ["completed", "completed"],
          JSON.stringify(view.failures),
        );
        assert.ok((view.summary.best?.value ?? NaN) > 0);
      },
    );
  }
});
