/**
 * A model that a script made, on a real mesh: trained by scikit-learn in a sweep, registered, served, replaced and rolled back. pip brings
 * scikit-learn and ONNX's tools in, npm the runtime; where they cannot be had, that is said.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import { broughtPython, pythonIn } from "../support/brought-folder.ts";
import { CliMesh, type CliProcess } from "../support/cli-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { onnxRuntime } from "../support/tiny-onnx.ts";
import { until } from "../support/until.ts";

const packages = ["scikit-learn==1.9.1", "skl2onnx", "onnx", "onnxruntime", "pandas"];
const canVenv = spawnSync("python3", ["-c", "import venv"]).status === 0;
const python = canVenv
  ? broughtPython("serve-program-2", packages)
  : { ok: false as const, why: "no python3 with venv on the path" };
const runtime = onnxRuntime;
const skip = skipWithoutNats === false ? [python, runtime].find(({ ok }) => !ok) : undefined;
const why = skipWithoutNats === false ? (skip?.ok === false ? skip.why : false) : skipWithoutNats;

/** Leaves its probabilities as a list of maps, as skl2onnx does where nobody tells it otherwise. */
const script = `import argparse, os
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from skl2onnx import to_onnx
parser = argparse.ArgumentParser()
parser.add_argument("--features", type=int)
features = parser.parse_args().features
x, y = load_iris(return_X_y=True)
x = x.astype(np.float32)
kept = x.copy()
kept[:, features:] = 0
names = np.array(["setosa", "versicolor", "virginica"])
model = LogisticRegression(max_iter=500).fit(kept, names[y])
os.makedirs("out", exist_ok=True)
with open("out/model.onnx", "wb") as file:
    file.write(to_onnx(model, x[:1]).SerializeToString())
print(f"accuracy={model.score(kept, names[y]):.6f}", flush=True)
`;
const sweep = (features: number) => `name: iris-${features}
command: [python, train.py, "\${args}"]
files: [train.py]
output: out
register: {model: iris, alias: champion}
objective: {metric: accuracy, keep: max}
search: {method: grid, trials: 1}
parameters: {features: [${features}]}
`;
/** What Python's own runtime says of rows. */
const askPython = `import json, sys
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
label, maps = session.run(None, {"X": np.array(json.loads(sys.argv[2]), dtype=np.float32)})
print(json.dumps([list(one.values()) for one in maps]))
`;
const rows = [
  [5.1, 3.5, 1.4, 0.2],
  [6.2, 2.8, 4.8, 1.8],
  [7.7, 3, 6.1, 2.3],
];
const inferSchema = z.object({
  model_version: z.string(),
  parameters: z.looseObject({ answer: z.string() }),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.string(),
      shape: z.array(z.number()),
      data: z.array(z.union([z.number(), z.string()])),
    }),
  ),
});

describe("MODEL-RUN-2: a script's ONNX model is served as Python's runtime answers it", { skip: why }, () => {
  const mesh = new CliMesh();
  let serving: CliProcess;
  let url = "";

  before(async () => {
    assert.ok(python.ok && runtime.ok);
    mesh.ofHome.set("one", { TRIALMESH_PYTHON: pythonIn(python.home), TRIALMESH_RUNTIME: runtime.home });
    const up = mesh.start("one", "up", "--port", "0", "--name", "one", "--slots", "1", "--programs", "own");
    await up.saidLine(/mesh mesh is up/);
    mesh.write("train.py", script);
    await train(1);
    serving = mesh.start("one", "serve", "iris@champion", "--listen", "127.0.0.1:0");
    url = await serving.saidLine(/serving at (\S+)/);
  });
  after(() => mesh.close());

  async function train(features: number): Promise<void> {
    const { code, err, out } = await mesh.runProcess(
      "one",
      "sweep",
      "run",
      mesh.write(`iris-${features}.yaml`, sweep(features)),
    );
    assert.equal(code, 0, `${out}${err}`);
    assert.match(out, /registered: iris@/);
  }

  async function infer() {
    const answer = await fetch(`${url}/v2/models/iris/infer`, {
      method: "POST",
      body: JSON.stringify({ inputs: [{ name: "X", datatype: "FP32", shape: [3, 4], data: rows }] }),
    });
    assert.equal(answer.status, 200, await answer.clone().text());
    return inferSchema.parse(await answer.json());
  }

  async function sameAsPython(version: number): Promise<void> {
    assert.ok(python.ok);
    const folder = join(mesh.folder, `iris-${version}`);
    if (!existsSync(folder)) {
      const exported = await mesh.run("one", "model", "export", `iris@${version}`, "--to", folder);
      assert.equal(exported.code, 0, exported.err);
    }
    const told = spawnSync(
      pythonIn(python.home),
      ["-c", askPython, join(folder, "model.onnx"), JSON.stringify(rows)],
      { encoding: "utf8" },
    );
    const wanted = z.array(z.array(z.number())).parse(JSON.parse(told.stdout)).flat();
    const { outputs, model_version: given } = await infer();
    assert.equal(given, String(version));
    const [label, probabilities] = outputs;
    assert.deepEqual(label?.data.length, rows.length);
    assert.deepEqual(probabilities?.shape, [3, 3]);
    wanted.forEach((one, at) =>
      assert.ok(Math.abs(Number(probabilities?.data[at]) - one) <= 1e-5, `${at}: ${one}`),
    );
    const plain = await fetch(`${url}/invocations`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ inputs: rows }),
    });
    const { predictions } = z
      .object({
        predictions: z.array(
          z.object({ label: z.string(), probabilities: z.record(z.string(), z.number()) }),
        ),
      })
      .parse(await plain.json());
    assert.deepEqual(
      predictions.map((one) => one.label),
      label?.data,
    );
    predictions
      .flatMap((one) => Object.values(one.probabilities))
      .forEach((one, at) => assert.ok(Math.abs(one - (wanted[at] ?? 0)) <= 1e-5));
  }

  const serves = (version: number) =>
    until(`version ${version}`, async (note) => {
      const { model_version: given } = await infer();
      note(given);
      return given === String(version) ? true : null;
    });

  test("trained, served, swapped for a better version and rolled back", async () => {
    await sameAsPython(1);
    await train(4);
    await serves(2);
    await sameAsPython(2);
    const { code, err } = await mesh.run("one", "model", "rollback", "iris", "champion");
    assert.equal(code, 0, err);
    await serves(1);
    await sameAsPython(1);
  });

  test("what it takes is shown, its answers lead back, and a file of rows is answered", async () => {
    const shown = await mesh.run("one", "model", "show", "iris@1");
    assert.match(shown.out, /takes\s+X_0 \(number\), X_1/);
    assert.match(shown.out, /gives\s+label, one of 3 labels: setosa, versicolor, virginica/);
    assert.match(shown.out, /tensors\s+X FP32 \[-1, 4\]/);
    const { parameters } = await infer();
    const lineage = await mesh.run("one", "model", "lineage", parameters.answer);
    assert.equal(lineage.code, 0, lineage.err);
    assert.match(lineage.out, /iris/);
    const file = mesh.write("rows.csv", `a,b,c,d\n${rows.map((row) => row.join(",")).join("\n")}\nx,1,2,3\n`);
    const out = join(mesh.folder, "answered.csv");
    const predicted = await mesh.runProcess("one", "predict", "iris@2", "--file", file, "--out", out);
    assert.equal(predicted.code, 1, predicted.err);
    assert.match(predicted.err, /line 5, column X_0, "x": it is no number/);
    const [head, first] = readFileSync(out, "utf8").split("\n");
    assert.equal(head, "a,b,c,d,prediction,probability.setosa,probability.versicolor,probability.virginica");
    assert.match(first ?? "", /^5\.1,3\.5,1\.4,0\.2,setosa,0\.9/);
  });

  test("a deployment of the mesh answers with it too, on an agent that has the runtime", async () => {
    const { code, err } = await mesh.runProcess("one", "deploy", "flowers", "iris@2");
    assert.equal(code, 0, err);
    const gateway = mesh.start("one", "gateway", "--listen", "127.0.0.1:0");
    const address = await gateway.saidLine(/(http:\/\/127\.0\.0\.1:\d+)/);
    const body = JSON.stringify({ inputs: [{ name: "X", datatype: "FP32", shape: [3, 4], data: rows }] });
    const answer = await until("an answer of the deployment", async (note) => {
      const asked = await fetch(`${address}/v2/models/flowers/infer`, { method: "POST", body }).catch(
        () => null,
      );
      const text = (await asked?.text()) ?? "nobody listens";
      note(text);
      return asked?.status === 200 ? text : null;
    });
    const { outputs } = inferSchema.parse(JSON.parse(answer));
    assert.deepEqual(
      outputs.map(({ name }) => name),
      ["output_label", "output_probability"],
    );
    const own = await infer();
    assert.deepEqual(outputs[0]?.shape, own.outputs[0]?.shape);
    assert.equal((await mesh.run("one", "deploy", "stop", "flowers")).code, 0);
  });
});
