/**
 * scikit-learn's models of many kinds, as skl2onnx writes them without being told anything, asked by rows and by tensors: what Python's own runtime
 * says of the same rows is what they answer.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as z from "zod";
import type { Value } from "../../protocol/value.ts";
import type { NamedTensor } from "../../serving/model/tensor.ts";
import { openOnnx } from "../../serving/onnx/open-onnx.ts";
import { elementsJson } from "../../serving/protocol/tensor-bytes.ts";
import { broughtPython, pythonIn } from "../support/brought-folder.ts";
import { onnxRuntime } from "../support/tiny-onnx.ts";

const packages = ["scikit-learn==1.9.1", "skl2onnx", "onnx", "onnxruntime", "pandas"];
const canVenv = spawnSync("python3", ["-c", "import venv"]).status === 0;
const python = canVenv
  ? broughtPython("serve-program-2", packages)
  : { ok: false as const, why: "no python3 with venv on the path" };
const missing = [python, onnxRuntime].find(({ ok }) => !ok);
const skip = missing?.ok === false ? missing.why : false;
const home = mkdtempSync(join(tmpdir(), "trialmesh-sklearn-"));
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** Writes models, and beside each its columns' values and what its outputs are for them. */
const script = `import json, os, sys
import numpy as np, onnxruntime
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
folder = sys.argv[1]
x, y = load_iris(return_X_y=True)
x = x.astype(np.float32)
words = np.array(["setosa", "versicolor", "virginica"])[y]
dx, dy = load_diabetes(return_X_y=True)
dx = dx.astype(np.float32)
texts = np.array(["red apple", "green apple", "blue sea", "deep sea water", "apple pie", "sea salt"] * 5)
about = np.array(["food", "food", "sea", "sea", "food", "sea"] * 5)
few = np.array([0, 20, 60, 80, 110, 149])
def keep(name, model, types, feeds, options=None):
    with open(os.path.join(folder, name + ".onnx"), "wb") as file:
        file.write(to_onnx(model, initial_types=types, target_opset={"": 17, "ai.onnx.ml": 3}, options=options).SerializeToString())
    session = onnxruntime.InferenceSession(os.path.join(folder, name + ".onnx"))
    outputs = {}
    for output, made in zip(session.get_outputs(), session.run(None, feeds)):
        outputs[output.name] = [list(one.values()) for one in made] if isinstance(made, list) else np.asarray(made).tolist()
    columns = [feed[:, at].tolist() for feed in feeds.values() for at in range(feed.shape[1])]
    with open(os.path.join(folder, name + ".json"), "w") as file:
        json.dump({"columns": columns, "outputs": outputs}, file)
table = lambda width: [("X", FloatTensorType([None, width]))]
for model in [LogisticRegression(max_iter=500), RandomForestClassifier(12), GradientBoostingClassifier(n_estimators=8), GaussianNB(), KNeighborsClassifier(),
              MLPClassifier(max_iter=300), DecisionTreeClassifier(), SVC(probability=True), make_pipeline(StandardScaler(), LogisticRegression())]:
    for labels, kind in ((y, "numbers"), (words, "words")):
        keep(type(model).__name__ + "-" + kind, model.fit(x, labels), table(4), {"X": x[few]})
keep("SVC-scores", SVC().fit(x, words), table(4), {"X": x[few]})
keep("two-classes", LogisticRegression().fit(x[:100], y[:100] * 2 - 1), table(4), {"X": x[few[:4]]})
for model in [LinearRegression(), RandomForestRegressor(10), MLPRegressor(max_iter=200)]:
    keep(type(model).__name__, model.fit(dx, dy), table(10), {"X": dx[few]})
keep("two-targets", LinearRegression().fit(dx, np.stack([dy, -dy], axis=1)), table(10), {"X": dx[few]})
keep("doubles", LinearRegression().fit(dx, dy), [("X", DoubleTensorType([None, 10]))], {"X": dx[few].astype(np.float64)})
keep("texts", make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, about), [("text", StringTensorType([None, 1]))],
     {"text": texts[:6].reshape(-1, 1).astype(object)}, {TfidfVectorizer: {"locale": "C"}})
import pandas
frame = pandas.DataFrame({"size": x[:, 0], "kind": np.where(x[:, 1] > 3, "wide", "narrow"), "depth": x[:, 2]})
mixed = make_pipeline(ColumnTransformer([("n", StandardScaler(), ["size", "depth"]), ("k", OneHotEncoder(), ["kind"])]), LogisticRegression(max_iter=500))
keep("mixed-columns", mixed.fit(frame, words), [("size", FloatTensorType([None, 1])), ("kind", StringTensorType([None, 1])), ("depth", FloatTensorType([None, 1]))],
     {name: frame[[name]].iloc[few].to_numpy(dtype=np.float32 if name != "kind" else object) for name in frame})
print(json.dumps(sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".onnx"))))
`;
const cell = z.union([z.string(), z.number()]);
const keptSchema = z.object({
  columns: z.array(z.array(cell)),
  outputs: z.record(z.string(), z.array(z.union([cell, z.array(cell)]))),
});
/** What rows of each are answered with. */
const kinds: Readonly<Record<string, string>> = { "SVC-scores": "tensors", "two-targets": "tensors" };
const numbers = ["LinearRegression", "RandomForestRegressor", "MLPRegressor", "doubles"];

describe("MODEL-RUN-2: scikit-learn's models answer as they do in Python", { skip }, () => {
  let names: readonly string[] = [];

  before(() => {
    assert.ok(python.ok);
    const told = spawnSync(pythonIn(python.home), ["-W", "ignore", "-c", script, home], { encoding: "utf8" });
    assert.equal(told.status, 0, told.stderr);
    names = z.array(z.string()).parse(JSON.parse(told.stdout.trim().split("\n").at(-1) ?? ""));
  });

  function same(tensor: NamedTensor, wanted: readonly (string | number)[], what: string): void {
    const made = (elementsJson(tensor) ?? []).map((one): unknown => JSON.parse(one));
    assert.equal(made.length, wanted.length, what);
    wanted.forEach((one, at) => {
      if (typeof one === "string") assert.equal(made[at], one, what);
      else
        assert.ok(
          Math.abs(Number(made[at]) - one) <= 1e-5 * Math.max(1, Math.abs(one)),
          `${what} ${at}: ${one}`,
        );
    });
  }

  test("by tensors and by rows, every model that was written", async () => {
    assert.ok(onnxRuntime.ok && names.length > 20);
    for (const name of names) {
      const kept = keptSchema.parse(JSON.parse(readFileSync(join(home, `${name}.json`), "utf8")));
      const version = { model: name, version: 1, digest: "0".repeat(64) };
      const opened = await openOnnx({
        folder: home,
        file: `${name}.onnx`,
        name: version,
        columns: null,
        runtimeFolder: onnxRuntime.home,
      });
      assert.ok(opened.ok, opened.ok ? "" : opened.refusal.message);
      const { signature, tensors } = opened.value;
      const count = kept.columns[0]?.length ?? 0;
      const columns = new Map<string, readonly Value[]>(
        signature.inputs.map((input, at) => [input.name, kept.columns[at] ?? []]),
      );
      const made = await tensors.run(tensors.ofRows({ count, columns }), []);
      assert.ok(made.ok, `${name}: ${made.ok ? "" : made.refusal.message}`);
      for (const tensor of made.value)
        same(tensor, (kept.outputs[tensor.name] ?? []).flat(), `${name}.${tensor.name}`);
      const kind = kinds[name] ?? (numbers.includes(name) ? "values" : "labels");
      assert.equal(tensors.rowAnswers, kind, name);
      const answered = kind === "tensors" ? null : await opened.value.answer({ count, columns });
      if (answered !== null) {
        assert.ok(answered.ok, name);
        const given = answered.value.kind === "labels" ? answered.value.probabilities : answered.value.values;
        const wanted = Object.values(kept.outputs).at(-1)?.flat() ?? [];
        given.forEach((one, at) =>
          assert.ok(Math.abs(one - Number(wanted[at])) <= 1e-5 * Math.max(1, Math.abs(one)), `${name} ${at}`),
        );
      }
      opened.value.dispose();
    }
  });
});
