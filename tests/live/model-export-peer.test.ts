/**
 * Exported folders in the runtimes that they are for, brought in by pip and npm: the same answers as the model itself, for rows of
 * every kind. Where a runtime cannot be had, that is said.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { projectFolder } from "../../training/version/code-version.ts";
import { modelFormats } from "../../serving/export/model-format.ts";
import { bringBy, broughtFolder } from "../support/brought-folder.ts";
import { assertAlike, exportedFolder, printedAnswers, type Row } from "../support/exported-folder.ts";
import { mixedRows, mixedTable, servedNumbers } from "../support/mixed-table.ts";
import { ownAnswers } from "../support/own-answer.ts";
import { tableRows, textRows } from "../support/export-row.ts";
import { portableCases } from "../support/portable-case.ts";
import { pythonPeer } from "../support/python-peer.ts";
import { caseName, modelCases, trainedModel } from "../support/model-case.ts";

const packages = [
  "numpy==2.4.6",
  "onnx==1.23.2",
  "onnxruntime==1.32.0",
  "safetensors==0.8.0",
  "mlflow-skinny==3.17.2",
  "pandas==3.1.1",
];
const canVenv = spawnSync("python3", ["-c", "import venv"]).status === 0;
const peer = canVenv
  ? pythonPeer("model-export-2", packages)
  : { ok: false as const, why: "no python3 with venv on the path" };
const home = mkdtempSync(join(tmpdir(), "trialmesh-export-peer-"));
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

/** Answers of the folder's `predict.py` to rows in a file. */
const askScript = `import json, sys
sys.path.insert(0, sys.argv[1])
import predict
with open(sys.argv[2], encoding="utf-8") as file:
    rows = json.load(file)
print(json.dumps(predict.Predictor().answer(rows).astype("float64").ravel().tolist()))
`;

/** Answers of MLflow's model to the same rows as a data frame, and whether its own example can be answered. */
const askMlflow = `import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    frame = pandas.DataFrame(json.load(file))
answers = model.predict(frame)
numbers = answers if len(answers.columns) == 1 else answers.drop(columns="prediction")
assert len(model.predict(model.input_example)) > 0
mlflow.onnx.load_model(sys.argv[1])
print(json.dumps(numbers.to_numpy(dtype="float64").ravel().tolist()))
`;

const checkOnnx = `import onnx, sys
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
`;

/** What the described steps of many data sets make of rows, by the program for Python. */
const stepScript = `import json, sys
sys.path.insert(0, sys.argv[1])
import transform
answers = []
with open(sys.argv[2], encoding="utf-8") as file:
    cases = json.load(file)
for case in cases:
    reader = transform.Transform.__new__(transform.Transform)
    reader.plan = plan = case["plan"]
    rows = [transform.apply_steps(reader.read(row), plan["steps"], plan["entities"]) for row in case["rows"]]
    if "text" in plan:
        answers.append([transform.text_of(row, plan["text"]["column"], at) for at, row in enumerate(rows)])
    else:
        answers.append(transform.features(rows, plan["features"]).astype("float64").ravel().tolist())
print(json.dumps(answers))
`;

function numbersIn(printed: string): readonly number[] {
  return z.array(z.number()).parse(JSON.parse(printed.trim().split("\n").at(-1) ?? ""));
}

/** Models that MLflow is asked for. */
const asMlflow: readonly string[] = ["fasttext", "gru"];

/** A rerun asks the same rows. */
const seed = 61;

function rowsFor(columns: readonly string[] | null): readonly Row[] {
  const arbitrary = columns === null ? textRows : tableRows(columns);
  return fc.sample<readonly Row[]>(arbitrary, { numRuns: 60, seed }).flat();
}

const runtimeNode = broughtFolder("onnxruntime-node-1.30.0", "onnxruntime-node", (draft) =>
  bringBy("npm", ["install", "--prefix", draft, "--ignore-scripts", "--no-audit", "onnxruntime-node@1.30.0"]),
);

/** A zero has no sign in a file of rows. */
const unsigned = (one: string | number) => (typeof one === "number" ? one + 0 : one);

describe(
  "MODEL-2: ONNX Runtime for Node answers as the model itself does",
  { skip: runtimeNode.ok ? false : runtimeNode.why },
  () => {
    for (const one of modelCases) {
      test(caseName(one), async () => {
        assert.ok(runtimeNode.ok);
        const model = await trainedModel(one);
        const { predictor } = model;
        const rows = rowsFor(predictor.kind === "table" ? predictor.features : null);
        const folder = await exportedFolder(model.bytes, "onnx");
        const answers = printedAnswers(folder, join(runtimeNode.home, "node_modules"), rows);
        assertAlike(answers, ownAnswers(model, rows, folder), folder, "onnxruntime-node");
      });
    }
  },
);

describe(
  "MODEL-2: the runtimes of pip answer as the model itself does",
  { skip: peer.ok ? false : peer.why },
  () => {
    test("MODEL-5: the described steps give what the data set's own transformation gives", async () => {
      assert.ok(peer.ok);
      const cases = await portableCases(40, 12);
      const file = join(home, "cases.json");
      writeFileSync(file, JSON.stringify(cases));
      const printed = peer.run(stepScript, join(projectFolder, "serving", "export", "program"), file);
      const answers = z.array(z.array(z.union([z.string(), z.number()]))).parse(JSON.parse(printed));
      assert.equal(answers.length, cases.length);
      for (const [at, { plan, wanted }] of cases.entries()) {
        const own = "texts" in wanted ? wanted.texts : wanted.features;
        assert.deepEqual(answers[at]?.map(unsigned), own.map(unsigned), JSON.stringify(plan.steps));
      }
    });

    for (const isNumber of [false, true])
      test(`columns of every kind, from words and dates on${isNumber ? ", to a number" : ""}`, async () => {
        assert.ok(peer.ok);
        const { bytes, model, version } = await mixedTable(isNumber);
        const rows = mixedRows(120, seed);
        const own = await servedNumbers(model, rows);
        const file = join(home, "mixed.json");
        writeFileSync(file, JSON.stringify(rows));
        for (const format of modelFormats) {
          const folder = await exportedFolder(bytes, format, version.manifest);
          const code = format === "mlflow" ? join(folder, "code") : folder;
          assertAlike(numbersIn(peer.run(askScript, code, file)), own, folder, format);
          if (format === "mlflow")
            assertAlike(numbersIn(peer.run(askMlflow, folder, file)), own, folder, "as MLflow's model");
          if (format !== "onnx") continue;
          peer.run(checkOnnx, join(folder, "model.onnx"));
          assert.ok(runtimeNode.ok, runtimeNode.ok ? "" : runtimeNode.why);
          const answers = printedAnswers(folder, join(runtimeNode.home, "node_modules"), rows);
          assertAlike(answers, own, folder, "onnxruntime-node");
        }
      });

    for (const one of modelCases) {
      test(caseName(one), async () => {
        assert.ok(peer.ok);
        const model = await trainedModel(one);
        const { predictor } = model;
        const rows = rowsFor(predictor.kind === "table" ? predictor.features : null);
        const file = join(home, "rows.json");
        writeFileSync(file, JSON.stringify(rows));
        // MLflow's model is ONNX's with its programs, and MLflow takes seconds to start: two of them are asked for all.
        const formats = asMlflow.includes(one.model)
          ? modelFormats
          : modelFormats.filter((format) => format !== "mlflow");
        for (const format of formats) {
          const folder = await exportedFolder(model.bytes, format);
          const own = ownAnswers(model, rows, folder);
          const script = format === "mlflow" ? askMlflow : askScript;
          assertAlike(numbersIn(peer.run(script, folder, file)), own, folder, format);
          if (format === "onnx") peer.run(checkOnnx, join(folder, "model.onnx"));
        }
      });
    }
  },
);
