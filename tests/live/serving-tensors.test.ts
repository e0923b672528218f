/**
 * Models that are asked by tensors, over HTTP: Triton's own client with every type, both ways; many callers at once; a version that is replaced while
 * it computes. ONNX Runtime and the client are brought in by npm and pip; where one cannot be had, that is said.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import * as z from "zod";
import { accept, refuse } from "../../protocol/refusal.ts";
import { openOnnx } from "../../serving/onnx/open-onnx.ts";
import { broughtPython, pythonIn } from "../support/brought-folder.ts";
import { laneFor, ServingPlace } from "../support/serving-place.ts";
import { tensorModel } from "../support/tensor-model.ts";
import { onnxRuntime, onnxTypes, textsAttribute, tinyOnnx } from "../support/tiny-onnx.ts";

const run = promisify(execFile);
const runMs = 120_000;
const triton = broughtPython("tritonclient-2.73.0", ["tritonclient[http]==2.73.0"]);
const home = mkdtempSync(join(tmpdir(), "trialmesh-tensors-"));
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));

async function onnxModel(bytes: Uint8Array) {
  assert.ok(onnxRuntime.ok);
  const folder = mkdtempSync(join(home, "model-"));
  writeFileSync(join(folder, "model.onnx"), bytes);
  const name = { model: "graph", version: 3, digest: "0".repeat(64) };
  const model = await openOnnx({
    folder,
    file: "model.onnx",
    name,
    columns: null,
    runtimeFolder: onnxRuntime.home,
  });
  assert.ok(model.ok, model.ok ? "" : model.refusal.message);
  return model.value;
}

const types = Object.entries(onnxTypes);
/** Gives back a tensor of each type. */
const everyType = tinyOnnx({
  inputs: types.map(([name, type]) => ({ name: `in_${name}`, type, shape: ["rows", 2] })),
  outputs: types.map(([name, type]) => ({ name: `out_${name}`, type, shape: ["rows", 2] })),
  nodes: types.map(([name]) => ({ op: "Identity", inputs: [`in_${name}`], outputs: [`out_${name}`] })),
});
/** Two classes, as scikit-learn's are exported. */
const classifier = tinyOnnx({
  inputs: [{ name: "x", type: onnxTypes.FP32, shape: ["rows", 2] }],
  outputs: [{ name: "maps", map: true }],
  domains: ["ai.onnx.ml"],
  nodes: [
    { op: "Softmax", inputs: ["x"], outputs: ["p"] },
    {
      ...{ op: "ZipMap", domain: "ai.onnx.ml", inputs: ["p"], outputs: ["maps"] },
      attributes: [textsAttribute("classlabels_strings", ["no", "yes"])],
    },
  ],
});

const tritonScript = `
import json, sys
import numpy as np, tritonclient.http as http
kinds = {"BOOL": bool, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64, "INT8": np.int8, "INT16": np.int16,
         "INT32": np.int32, "INT64": np.int64, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_}
client = http.InferenceServerClient(sys.argv[1])
meta = client.get_model_metadata("graph")
assert meta["platform"] == "trialmesh_onnx", meta
assert {one["name"] for one in meta["inputs"]} == {"in_" + kind for kind in kinds}, meta
assert all(one["shape"] == [-1, 2] for one in meta["inputs"] + meta["outputs"]), meta
for binary in (True, False):
    for wanted in (None, True, False):
        sent, values = [], {}
        for kind, dtype in kinds.items():
            if kind == "BYTES": value = np.array([["\\u00e4", ""], ["b c", "d"]], dtype=np.object_)
            elif kind == "BOOL": value = np.array([[True, False], [False, True]])
            elif kind.startswith("FP"): value = np.array([[0.1, -2.5], [1e-20, 3e20]], dtype=dtype)
            # Only in binary is every whole number of 64 bits exact.
            else:
                top = np.iinfo(dtype).max if binary and wanted is not False else min(np.iinfo(dtype).max, 2 ** 53 - 1)
                value = np.array([[top, np.iinfo(dtype).min if binary else 0], [1, 2]], dtype=dtype)
            one = http.InferInput("in_" + kind, [2, 2], kind); one.set_data_from_numpy(value, binary_data=binary)
            sent.append(one); values[kind] = value
        outputs = None if wanted is None else [http.InferRequestedOutput("out_" + kind, binary_data=wanted) for kind in reversed(list(kinds))]
        got = client.infer("graph", sent, outputs=outputs, request_id="q", request_compression_algorithm="gzip" if binary else None)
        assert got.get_response()["model_version"] == "3" and got.get_response()["id"] == "q"
        for kind in kinds:
            back = got.as_numpy("out_" + kind)
            if kind == "BYTES": back = np.array([[w.decode() if isinstance(w, bytes) else w for w in row] for row in back.tolist()], dtype=np.object_)
            assert back.shape == (2, 2) and (back == values[kind]).all(), (binary, wanted, kind, back, values[kind])
refusals = []
for change in (lambda one: one.set_shape([4]), lambda one: setattr(one, "_datatype", "FP64")):
    bad = http.InferInput("in_FP32", [2, 2], "FP32"); bad.set_data_from_numpy(values["FP32"]); change(bad)
    try: client.infer("graph", [bad])
    except Exception as refused: refusals.append(str(refused))
print(json.dumps(refusals))
`;

describe("MODEL-RUN-3: tensors over HTTP", () => {
  test(
    "Triton's client sends and gets every type, in binary and as JSON, to the last bit",
    { skip: onnxRuntime.ok ? (triton.ok ? false : triton.why) : onnxRuntime.why },
    async () => {
      assert.ok(triton.ok);
      const place = await ServingPlace.open({ models: [await onnxModel(everyType)] });
      try {
        const { stdout } = await run(
          pythonIn(triton.home),
          ["-c", tritonScript, place.url.replace("http://", "")],
          { timeout: runMs },
        );
        const refusals = z.array(z.string()).parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
        assert.equal(refusals.length, 2);
        for (const refused of refusals) assert.match(refused, /\[400\].*in_/);
      } finally {
        await place.door.drain(1_000);
      }
    },
  );

  test(
    "a classifier's rows are asked in each protocol, and each row and caller gets its own",
    { skip: onnxRuntime.ok ? false : onnxRuntime.why },
    async () => {
      const place = await ServingPlace.open({ models: [await onnxModel(classifier)] });
      try {
        const callers = Array.from({ length: 40 }, async (_, at) => {
          const rows = Array.from({ length: 1 + (at % 5) }, (__, row) => [at, row * 3]);
          const asked = [
            place.ask("/predict/graph", { rows: rows.map(([a, b]) => ({ x_0: a, x_1: b })) }),
            place.ask("/invocations", { inputs: rows }, { "content-type": "application/json" }),
            place.ask("/v2/models/graph/infer", {
              inputs: [{ name: "x", datatype: "FP32", shape: [rows.length, 2], data: rows }],
            }),
          ] as const;
          const [plain, mlflow, infer] = await Promise.all(asked);
          const wanted = rows.map(([a = 0, b = 0]) => 1 / (1 + Math.exp(a - b)));
          const rowSchema = z.array(
            z.object({
              label: z.string(),
              probability: z.number(),
              probabilities: z.object({ no: z.number(), yes: z.number() }),
            }),
          );
          for (const { json, text } of [plain, mlflow]) {
            const parsed = z.object({ predictions: rowSchema }).safeParse(json);
            assert.ok(parsed.success, text);
            assert.equal(parsed.data.predictions.length, rows.length);
            parsed.data.predictions.forEach(({ probabilities: { yes } }, row) =>
              assert.ok(Math.abs(yes - (wanted[row] ?? 0)) < 1e-6),
            );
          }
          const tensors = z
            .object({ outputs: z.tuple([z.object({ name: z.literal("maps"), data: z.array(z.number()) })]) })
            .parse(infer.json);
          wanted.forEach((yes, row) =>
            assert.ok(Math.abs((tensors.outputs[0].data[2 * row + 1] ?? 0) - yes) < 1e-6),
          );
        });
        await Promise.all(callers);
        const { text } = await place.ask("/metrics");
        assert.match(text, /nv_inference_request_success\{model="graph",version="3"\} 120/);
      } finally {
        await place.door.drain(1_000);
      }
    },
  );

  test(
    "rows of a graph whose outputs are no labels get every output by its name, as torch's scores are",
    { skip: onnxRuntime.ok ? false : onnxRuntime.why },
    async () => {
      const x = { name: "x", type: onnxTypes.FP32, shape: ["rows", 2] };
      const doubled = tinyOnnx({
        inputs: [x],
        outputs: [{ ...x, name: "logits" }],
        nodes: [{ op: "Add", inputs: ["x", "x"], outputs: ["logits"] }],
      });
      const place = await ServingPlace.open({ models: [await onnxModel(doubled)] });
      try {
        const rows = [
          [1, 2],
          [3, 4],
        ];
        const named = rows.map(([a, b]) => ({ x_0: a, x_1: b }));
        const plain = await place.ask("/predict/graph", { rows: named });
        const logits = rows.map((row) => row.map((one) => 2 * one));
        assert.deepEqual(
          z.looseObject({ predictions: z.unknown() }).parse(plain.json).predictions,
          logits.map((one) => ({ logits: one })),
        );
        const split = { columns: ["x_1", "other", "x_0"], data: rows.map(([a, b]) => [b, "-", a]) };
        for (const body of [{ inputs: rows }, { dataframe_records: named }, { dataframe_split: split }]) {
          const { json } = await place.ask("/invocations", body, { "content-type": "application/json" });
          assert.deepEqual(json, { predictions: { logits } });
        }
        const wrong = await place.ask("/predict/graph", { rows: [{ x_0: 1 }] });
        assert.equal(wrong.status, 400);
        assert.match(wrong.text, /x_1/);
      } finally {
        await place.door.drain(1_000);
      }
    },
  );

  test("what takes no rows says so, and MLflow's inputs may be tensors", async () => {
    const image = { name: "image", datatype: "FP32" as const, shape: [-1, 2, 2] };
    const place = await ServingPlace.open({
      models: [tensorModel({ inputs: [image], outputs: [{ ...image, name: "same" }] })],
    });
    try {
      const json = { "content-type": "application/json" };
      const plain = await place.ask("/predict/graph", { rows: [{ image: 1 }] });
      assert.equal(plain.status, 400);
      assert.match(plain.text, /takes tensors, not rows: image FP32 \[-1, 2, 2\]/);
      const whole = [
        [
          [1, 2],
          [3, 4],
        ],
      ];
      for (const inputs of [whole, { image: whole }])
        assert.deepEqual((await place.ask("/invocations", { inputs }, json)).json, {
          predictions: { same: whole },
        });
      const wrong: readonly (readonly [unknown, RegExp])[] = [
        [{ inputs: [[[1, 2], [3]]] }, /data has a list of 1 where 2 should be/],
        [{ inputs: [[1, 2]] }, /shape \[1, 2\]; the model takes image/],
        [{ inputs: 7 }, /shape \[\]|takes image/],
        [{ inputs: {} }, /image\W+ is missing/],
        [{ dataframe_split: { data: [[1]] } }, /send inputs with image/],
        [{ inputs: [[[[[[[[[[1]]]]]]]]]] }, /nested deeper/],
      ];
      for (const [asked, sentence] of wrong) {
        const { status, text } = await place.ask("/invocations", asked, json);
        assert.equal(status, 400, text);
        assert.match(text, sentence);
      }
    } finally {
      await place.door.drain(1_000);
    }
  });

  test("SERVE-7: a version that is replaced while it computes answers what it was asked, and an engine's fault is its own caller's", async () => {
    const x = { name: "x", datatype: "INT64" as const, shape: [-1] };
    const held: (() => void)[] = [];
    let isDisposed = false;
    const old = {
      ...tensorModel({
        inputs: [x],
        outputs: [x],
        run: async (tensors) => {
          await new Promise<void>((resolve) => held.push(resolve));
          return accept(tensors);
        },
      }),
      dispose: () => void (isDisposed = true),
    };
    const place = await ServingPlace.open({ models: [old] });
    const ask = () =>
      place.ask("/v2/models/graph/infer", {
        inputs: [{ name: "x", datatype: "INT64", shape: [1], data: [7] }],
      });
    const first = ask();
    const second = ask();
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const next = {
      ...tensorModel({
        inputs: [x],
        outputs: [x],
        run: () => Promise.resolve(refuse("unavailable", "the model's engine ended over this request")),
      }),
      version: 2,
    };
    const retired = place.table.put("graph@1", laneFor(next));
    assert.equal(isDisposed, false);
    for (const { status } of [await ask()]) assert.equal(status, 503);
    held.shift()?.();
    assert.equal((await first).status, 200);
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    held.shift()?.();
    assert.equal((await second).status, 200);
    await retired;
    assert.equal(isDisposed, true);
    await place.door.drain(1_000);
  });
});
