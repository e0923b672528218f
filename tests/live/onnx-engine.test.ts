/** ONNX graphs in ONNX Runtime itself, written by hand: every type and shape, classifiers, what is wrong with one, and an engine that is killed. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { elementsOf } from "../../serving/model/tensor.ts";
import type { Datatype } from "../../serving/model/tensor-datatype.ts";
import { openOnnx, type OnnxOptions } from "../../serving/onnx/open-onnx.ts";
import type { OnnxModel } from "../../serving/onnx/onnx-model.ts";
import { proveOnnx } from "../../serving/onnx/prove-onnx.ts";
import { elementBytes } from "../../serving/protocol/tensor-bytes.ts";
import { processesUnder } from "../support/process-tree.ts";
import {
  externalTensor,
  floatsTensor,
  identity,
  intsAttribute,
  onnxRuntime,
  onnxTypes,
  textsAttribute,
  tinyOnnx,
} from "../support/tiny-onnx.ts";
import { until } from "../support/until.ts";

const home = mkdtempSync(join(tmpdir(), "trialmesh-onnx-test-"));
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
const name = { model: "graph", version: 3, digest: "0".repeat(64) };
let folders = 0;

function open(files: Readonly<Record<string, Uint8Array>>, more: Partial<OnnxOptions> = {}) {
  assert.ok(onnxRuntime.ok);
  const folder = mkdtempSync(join(home, `model-${folders++}-`));
  for (const [path, bytes] of Object.entries(files)) writeFileSync(join(folder, path), bytes);
  return openOnnx({
    folder,
    file: "model.onnx",
    name,
    columns: null,
    runtimeFolder: onnxRuntime.home,
    ...more,
  });
}

async function opened(bytes: Uint8Array, more: Partial<OnnxOptions> = {}): Promise<OnnxModel> {
  const model = await open({ "model.onnx": bytes }, more);
  assert.ok(model.ok, model.ok ? "" : model.refusal.message);
  return model.value;
}

async function refusalOf(
  files: Readonly<Record<string, Uint8Array>>,
  more: Partial<OnnxOptions> = {},
): Promise<string> {
  const model = await open(files, more);
  if (model.ok) model.value.dispose();
  assert.ok(!model.ok, "it was opened");
  assert.doesNotMatch(model.refusal.message, /\/tmp|onnxruntime_src|::|\n/);
  return model.refusal.message;
}

const { FP32, INT64 } = onnxTypes;
const x = { name: "x", type: FP32, shape: ["rows", 2] };
const y = { name: "y", type: FP32, shape: ["rows", 2] };
const learning = ["ai.onnx.ml"];

/** Softmax of its two columns, as a list of maps. */
function classifier(classes: Buffer): Buffer {
  const maps = {
    op: "ZipMap",
    domain: "ai.onnx.ml",
    inputs: ["p"],
    outputs: ["maps"],
    attributes: [classes],
  };
  return tinyOnnx({
    inputs: [x],
    outputs: [{ name: "maps", map: true }],
    domains: learning,
    nodes: [{ op: "Softmax", inputs: ["x"], outputs: ["p"] }, maps],
  });
}

describe(
  "MODEL-RUN-2: a graph answers tensors and rows",
  { skip: onnxRuntime.ok ? false : onnxRuntime.why },
  () => {
    const fills: Readonly<Record<Datatype, readonly (number | string | boolean)[]>> = {
      ...{
        BOOL: [true, false],
        BYTES: ["ä", "", "two words"],
        FP32: [0.5, -2.25, 1e30],
        FP64: [0.1, -1e300],
      },
      ...{ UINT8: [0, 255], UINT16: [65_535, 1], UINT32: [4_294_967_295, 2], UINT64: [2 ** 53 - 1, 0] },
      ...{ INT8: [-128, 127], INT16: [-32_768, 5], INT32: [-(2 ** 31), 7], INT64: [-(2 ** 53) + 1, 9] },
    };

    for (const [datatype, type] of Object.entries(onnxTypes))
      test(`${datatype} of every shape comes back as it went in`, async () => {
        const known = Object.keys(fills).find((one): one is Datatype => one === datatype);
        assert.ok(known !== undefined);
        const model = await opened(identity(type, ["a", "b", "c"]));
        assert.deepEqual(model.tensors.inputs, [{ name: "x", datatype, shape: [-1, -1, -1] }]);
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
            fc.nat(5),
            async (shape, start) => {
              const list = fills[known];
              const values = Array.from(
                { length: elementsOf(shape) },
                (_, at) => list[(at + start) % list.length],
              );
              const data = elementBytes(known, values);
              // As a request has it: a part of a larger buffer, that begins anywhere.
              const sent =
                data instanceof Uint8Array
                  ? Buffer.concat([Buffer.alloc(start), data]).subarray(start)
                  : data;
              const made = await model.tensors.run(
                [{ name: "x", datatype: known, shape, data: sent }],
                ["y"],
              );
              assert.ok(made.ok, made.ok ? "" : made.refusal.message);
              assert.deepEqual(made.value[0]?.shape, shape);
              const back = made.value[0]?.data ?? [];
              if (back instanceof Uint8Array && data instanceof Uint8Array)
                assert.equal(Buffer.from(back).toString("hex"), Buffer.from(data).toString("hex"));
              else assert.deepEqual(back, data);
            },
          ),
          { numRuns: 12 },
        );
        model.dispose();
      });

    test("a classifier's maps are served as probabilities of its classes, by rows and by tensors", async () => {
      for (const [classes, labels] of [
        [textsAttribute("classlabels_strings", ["no", "yes"]), ["no", "yes"]],
        [intsAttribute("classlabels_int64s", [-1, 1]), ["-1", "1"]],
      ] as const) {
        const model = await opened(classifier(classes));
        assert.deepEqual(model.signature.labels, labels);
        assert.deepEqual(model.tensors.outputs, [{ name: "maps", datatype: "FP32", shape: [-1, 2] }]);
        const answered = await model.answer({
          count: 2,
          columns: new Map([
            ["x_0", [1, 0]],
            ["x_1", [1, 2]],
          ]),
        });
        assert.ok(answered.ok && answered.value.kind === "labels");
        const wanted = [0.5, 0.5, 1 / (1 + Math.exp(2)), 1 / (1 + Math.exp(-2))];
        wanted.forEach((one, at) =>
          assert.ok(
            Math.abs((answered.value.kind === "labels" ? (answered.value.probabilities[at] ?? 0) : 0) - one) <
              1e-6,
          ),
        );
        model.dispose();
      }
    });

    test("scores that are no probabilities, and outputs without classes, are tensors; one number a row is a number", async () => {
      const scores = await opened(
        tinyOnnx({
          inputs: [x],
          outputs: [y],
          domains: learning,
          nodes: [
            { op: "Identity", inputs: ["x"], outputs: ["y"] },
            {
              op: "ZipMap",
              domain: "ai.onnx.ml",
              inputs: ["x"],
              outputs: ["z"],
              attributes: [textsAttribute("classlabels_strings", ["a", "b"])],
            },
          ],
        }),
      );
      assert.equal(scores.tensors.rowAnswers, "tensors");
      scores.dispose();
      const sum = await opened(
        tinyOnnx({
          inputs: [x],
          outputs: [{ name: "sum", type: FP32, shape: ["rows", 1] }],
          nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["sum"] }],
          initializers: [floatsTensor("w", [2, 1], [2, -1])],
          metadata: { feature_names: '["width", "height"]' },
        }),
      );
      assert.deepEqual(
        sum.signature.inputs.map(({ name: column }) => column),
        ["width", "height"],
      );
      const answered = await sum.answer({
        count: 1,
        columns: new Map([
          ["width", [3]],
          ["height", [4]],
        ]),
      });
      assert.ok(answered.ok && answered.value.kind === "values");
      assert.deepEqual([...answered.value.values], [2]);
      sum.dispose();
    });

    test("a graph that takes one row is asked row by row", async () => {
      const model = await opened(identity(FP32, [1, 2]));
      const tensors = model.tensors.ofRows({
        count: 3,
        columns: new Map([
          ["x_0", [1, 2, 3]],
          ["x_1", [4, 5, 6]],
        ]),
      });
      const made = await model.tensors.run(tensors, []);
      assert.ok(made.ok);
      assert.deepEqual(made.value[0]?.shape, [3, 2]);
      assert.deepEqual(made.value[0]?.data, Buffer.from(Float32Array.of(1, 4, 2, 5, 3, 6).buffer));
      model.dispose();
    });

    test("several inputs and outputs, some of which are asked for, in the order that was asked", async () => {
      const model = await opened(
        tinyOnnx({
          inputs: [x, { name: "k", type: INT64, shape: ["rows"] }],
          outputs: [y, { name: "j", type: INT64, shape: ["rows"] }],
          nodes: [
            { op: "Relu", inputs: ["x"], outputs: ["y"] },
            { op: "Neg", inputs: ["k"], outputs: ["j"] },
          ],
        }),
      );
      const rows = model.tensors.ofRows({
        count: 1,
        columns: new Map([
          ["x_0", [-1]],
          ["x_1", [2]],
          ["k", [5]],
        ]),
      });
      const made = await model.tensors.run(rows, ["j", "y"]);
      assert.ok(made.ok);
      assert.deepEqual(
        made.value.map(({ name: output }) => output),
        ["j", "y"],
      );
      assert.equal(
        Buffer.from(made.value[0]?.data instanceof Uint8Array ? made.value[0].data : []).readBigInt64LE(),
        -5n,
      );
      model.dispose();
    });

    test("weights in a file beside it are read, and nowhere else", async () => {
      const graph = (location: string) =>
        tinyOnnx({
          inputs: [x],
          outputs: [y],
          nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
          initializers: [externalTensor("w", 2, location)],
        });
      const weights = Buffer.from(Float32Array.of(10, 20).buffer);
      const model = await open({ "model.onnx": graph("w.bin"), "w.bin": weights });
      assert.ok(model.ok, model.ok ? "" : model.refusal.message);
      const made = await model.value.tensors.run(
        model.value.tensors.ofRows({
          count: 1,
          columns: new Map([
            ["x_0", [1]],
            ["x_1", [2]],
          ]),
        }),
        [],
      );
      assert.deepEqual(made.ok && made.value[0]?.data, new Uint8Array(Float32Array.of(11, 22).buffer));
      model.value.dispose();
      for (const location of ["../w.bin", "/etc/hostname", "a/../../w.bin", "C:\\w.bin"])
        assert.match(
          await refusalOf({ "model.onnx": graph(location), "w.bin": weights }),
          /outside the folder/,
        );
      assert.match(await refusalOf({ "model.onnx": graph("none.bin") }), /no such file/);
      assert.match(
        await refusalOf({ "model.onnx": graph("w.bin"), "w.bin": weights.subarray(0, 3) }),
        /weights|does not add up/,
      );
    });
  },
);

describe(
  "MODEL-RUN-1: what cannot be served is one sentence, and an engine that ends is nobody else's end",
  { skip: onnxRuntime.ok ? false : onnxRuntime.why },
  () => {
    const relu = { inputs: [x], outputs: [y], nodes: [{ op: "Relu", inputs: ["x"], outputs: ["y"] }] };

    test("operators, versions, types and damage that the runtime does not take", async () => {
      const whole = tinyOnnx(relu);
      const cases: readonly (readonly [Uint8Array, RegExp])[] = [
        [tinyOnnx({ ...relu, nodes: [{ op: "Frob", inputs: ["x"], outputs: ["y"] }] }), /operator Frob/],
        [
          tinyOnnx({
            ...relu,
            domains: ["my.ops"],
            nodes: [{ op: "Foo", domain: "my.ops", inputs: ["x"], outputs: ["y"] }],
          }),
          /not ONNX's own: my\.ops:Foo/,
        ],
        [tinyOnnx({ ...relu, opset: 99 }), /opset/],
        [tinyOnnx({ ...relu, ir: 99 }), /version 99/],
        [identity(10, ["rows"]), /float16, which is not served/],
        [
          tinyOnnx({ ...relu, nodes: [{ op: "Relu", inputs: ["nowhere"], outputs: ["y"] }] }),
          /does not add up/,
        ],
        [whole.subarray(0, whole.length - 9), /damaged/],
        [Buffer.from("no model at all"), /damaged/],
        [Buffer.alloc(0), /no graph/],
      ];
      for (const [bytes, sentence] of cases) assert.match(await refusalOf({ "model.onnx": bytes }), sentence);
    });

    test("where the runtime is missing, the command that brings it in is named", async () => {
      const model = await open({ "model.onnx": tinyOnnx(relu) }, { runtimeFolder: home });
      assert.ok(!model.ok);
      assert.equal(model.refusal.code, "unavailable");
      assert.match(model.refusal.message, /`trialmesh runtime install onnx` brings it in/);
      assert.equal((await proveOnnx(home)).works, false);
      assert.ok(onnxRuntime.ok);
      assert.equal((await proveOnnx(onnxRuntime.home)).works, true);
    });

    test("a graph that wants more memory than there is, or answers with too much, says so and goes on", async () => {
      // As many zeros as the row says, squared.
      const greedy = tinyOnnx({
        inputs: [{ name: "n", type: INT64, shape: [1] }],
        outputs: [{ name: "zeros", type: FP32, shape: ["n"] }],
        nodes: [{ op: "ConstantOfShape", inputs: ["n"], outputs: ["zeros"] }],
      });
      const model = await opened(greedy);
      const ask = (count: number) =>
        model.tensors.run(
          [{ name: "n", datatype: "INT64", shape: [1], data: elementBytes("INT64", [count]) }],
          [],
        );
      const endless = await ask(2 ** 50);
      assert.match(endless.ok ? "" : endless.refusal.message, /memory/);
      const large = await ask(2 ** 25);
      assert.match(large.ok ? "" : large.refusal.message, /more than 64 MiB/);
      const few = await ask(3);
      assert.ok(few.ok, few.ok ? "" : few.refusal.message);
      assert.equal(few.value[0]?.data.length, 12);
      model.dispose();
    });

    test("an engine that holds more memory, or takes longer, than it may is ended with a sentence", async () => {
      const tight = { loadMaxMs: 60_000, runMaxMs: 60_000, heldMaxMiB: 1 };
      const found = await until("the limit of memory", async () => {
        const model = await open({ "model.onnx": tinyOnnx(relu) }, { limits: tight });
        if (!model.ok) return model.refusal.message;
        const row = model.value.tensors.ofRows({
          count: 1,
          columns: new Map([
            ["x_0", [1]],
            ["x_1", [2]],
          ]),
        });
        let said: string | null = null;
        while (said === null) {
          const made = await model.value.tensors.run(row, []);
          if (!made.ok) said = made.refusal.message;
        }
        model.value.dispose();
        return said;
      });
      assert.match(found, /took more than 1 MiB of memory and was ended/);
      const late = await refusalOf(
        { "model.onnx": tinyOnnx(relu) },
        { limits: { ...tight, heldMaxMiB: 4_096, loadMaxMs: 1 } },
      );
      assert.match(late, /took longer than 0\.001 s and was ended while it was loaded/);
    });

    test("an engine that is killed from outside is started again; a model that is disposed leaves no process", async () => {
      const before = new Set(processesUnder(process.pid));
      const model = await opened(tinyOnnx(relu));
      const own = () => processesUnder(process.pid).filter((pid) => !before.has(pid));
      const row = model.tensors.ofRows({
        count: 1,
        columns: new Map([
          ["x_0", [1]],
          ["x_1", [2]],
        ]),
      });
      assert.ok((await model.tensors.run(row, [])).ok);
      const [pid] = own();
      assert.ok(pid !== undefined);
      process.kill(pid, "SIGKILL");
      assert.ok((await model.tensors.run(row, [])).ok, "the request after it was not answered");
      // Many at once, and killed in the middle: each is answered, for none of them ends two engines.
      const asked = Promise.all(Array.from({ length: 40 }, () => model.tensors.run(row, [])));
      for (const one of own()) process.kill(one, "SIGKILL");
      for (const made of await asked) assert.ok(made.ok, made.ok ? "" : made.refusal.message);
      model.dispose();
      await until("no process", () => (own().length === 0 ? true : null));
    });
  },
);
