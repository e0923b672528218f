/** What is known of an ONNX file, and of a folder, before any engine sees it; and what is said of those that are not served. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { folderFormatOf } from "../../serving/model/folder-format.ts";
import { loadFault, runFault } from "../../serving/onnx/engine-fault.ts";
import { readOnnx } from "../../serving/onnx/read-onnx.ts";
import { withoutZipMaps } from "../../serving/onnx/without-zip-map.ts";
import {
  externalTensor,
  identity,
  intsAttribute,
  onnxTypes,
  textsAttribute,
  tinyOnnx,
} from "../support/tiny-onnx.ts";

const { FP32 } = onnxTypes;
const x = { name: "x", type: FP32, shape: ["rows", 2] };
const y = { name: "y", type: FP32, shape: ["rows", 2] };

/** As skl2onnx leaves a classifier. */
const zipped = tinyOnnx({
  inputs: [x],
  outputs: [{ name: "maps", map: true }],
  domains: ["ai.onnx.ml"],
  nodes: [
    { op: "Identity", inputs: ["x"], outputs: ["probabilities"] },
    {
      op: "ZipMap",
      domain: "ai.onnx.ml",
      inputs: ["probabilities"],
      outputs: ["maps"],
      attributes: [intsAttribute("classlabels_int64s", [3, -1])],
    },
  ],
});

function factsOf(bytes: Uint8Array) {
  const facts = readOnnx(bytes);
  assert.ok(facts.ok, facts.ok ? "" : facts.refusal.message);
  return facts.value;
}

function file(path: string, content: string | Uint8Array = "") {
  return { path, content: typeof content === "string" ? Buffer.from(content) : content };
}

describe("MODEL-RUN-1: what a graph says of itself is read before an engine is given it", () => {
  test("its operators, the files of its weights, its classes, its metadata", () => {
    const facts = factsOf(
      tinyOnnx({
        inputs: [x],
        outputs: [y],
        nodes: [
          { op: "Foo", domain: "my.ops", inputs: ["x"], outputs: ["z"] },
          {
            op: "Add",
            inputs: ["z", "w"],
            outputs: ["y"],
            attributes: [textsAttribute("classlabels_strings", ["a", "b"])],
          },
        ],
        initializers: [externalTensor("w", 2, "../w.bin")],
        metadata: { feature_names: "a,b" },
      }),
    );
    assert.deepEqual(facts.foreign, ["my.ops:Foo"]);
    assert.deepEqual(facts.external, ["../w.bin"]);
    assert.deepEqual(facts.classes, ["a", "b"]);
    assert.deepEqual([...facts.metadata], [["feature_names", "a,b"]]);
  });

  test("classes of a list of maps, below zero too; and without the maps it has a tensor in their place and nothing else changed", () => {
    const facts = factsOf(zipped);
    assert.deepEqual(facts.classes, ["3", "-1"]);
    assert.deepEqual(facts.zipMaps, [{ input: "probabilities", output: "maps" }]);
    const plain = Buffer.concat(withoutZipMaps(zipped, facts.zipMaps, 2));
    assert.deepEqual(factsOf(plain).zipMaps, []);
    const untouched = identity(FP32, ["rows"]);
    assert.deepEqual(Buffer.concat(withoutZipMaps(untouched, [], null)), untouched);
  });

  test("damage of any kind is a sentence or a graph, never an exception", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(zipped, identity(FP32, [1, 2])),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
        (whole, changes, cut) => {
          const bytes = Buffer.from(whole.subarray(0, cut % (whole.length + 1)));
          for (const [at, value] of changes) if (bytes.length > 0) bytes[at % bytes.length] = value;
          const facts = readOnnx(bytes);
          if (facts.ok) Buffer.concat(withoutZipMaps(bytes, facts.value.zipMaps, 2));
          else assert.match(facts.refusal.message, /damaged, or no ONNX model/);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("graphs nested without end are damage, and no overflow", () => {
    let graph = Buffer.alloc(0);
    const field = (number: number, bytes: Buffer) => {
      const length: number[] = [];
      let rest = bytes.length;
      for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80);
      return Buffer.concat([Buffer.from([number * 8 + 2, ...length, rest]), bytes]);
    };
    for (let depth = 0; depth < 5_000; depth++) graph = field(1, field(5, field(6, graph)));
    const facts = readOnnx(field(7, graph));
    assert.match(facts.ok ? "" : facts.refusal.message, /nested too deep/);
  });

  test("what an engine says goes out as a sentence of ours, without its paths", () => {
    const words = [
      'Load model from /tmp/m.onnx failed:This is an invalid model. In Node, ("", Frob, "", -1) : , Error No Op registered for Frob with domain_version of 17',
      "Load model from /tmp/m.onnx failed:Fatal error: my.ops:Foo(-1) is not a registered function/op",
      "/onnxruntime_src/core/graph/model_load_utils.h:46 void ValidateOpsetForDomain ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions",
      "/onnxruntime_src/core/graph/model.cc:202 Unsupported model IR version: 99, max supported IR version: 13",
      "External data path validation failed for initializer: w.",
      "Load model from /tmp/m.onnx failed:Protobuf parsing failed.",
      "std::bad_alloc",
      "/onnxruntime_src/x/string_normalizer.cc:235 Failed to construct locale with name:en_US.UTF-8:locale::facet::_S_create_c_locale name not valid",
      "anything else at /tmp/x",
    ];
    const wanted = [
      /operator Frob/,
      /operator my\.ops:Foo/,
      /opset/,
      /version 99.*up to 13/,
      /weights is missing/,
      /damaged/,
      /memory/,
      /the locale en_US\.UTF-8, which this machine/,
      /does not add up/,
    ];
    words.forEach((one, at) => {
      assert.match(loadFault(one), wanted[at] ?? /never/);
      for (const said of [loadFault(one), runFault(one)]) assert.doesNotMatch(said, /\/tmp|_src|::|\.cc/);
    });
  });
});

describe("MODEL-RUN-4: a folder is served as what its files are, and refused by their names", () => {
  const graph = identity(FP32, [1]);
  const mlmodel = (data: string, more = "") =>
    `flavors:\n  onnx:\n    data: ${data}\n  python_function:\n    loader_module: mlflow.onnx\n${more}`;

  test("a graph, wherever it lies; of several the one that is called model.onnx; MLflow's by its description", () => {
    const cases: readonly (readonly [
      readonly ReturnType<typeof file>[],
      string,
      readonly string[] | null,
    ])[] = [
      [[file("a/b.onnx", graph), file("notes.pkl")], "a/b.onnx", null],
      [[file("other.onnx", graph), file("sub/model.onnx", graph)], "sub/model.onnx", null],
      [
        [file("MLmodel", mlmodel("net.onnx")), file("net.onnx", graph), file("model.onnx", graph)],
        "net.onnx",
        null,
      ],
      [
        [
          file(
            "best/MLmodel",
            mlmodel(
              "model.onnx",
              `signature:\n  inputs: '[{"type":"double","name":"width"},{"type":"double","name":"height"}]'\n`,
            ),
          ),
          file("best/model.onnx", graph),
        ],
        "best/model.onnx",
        ["width", "height"],
      ],
    ];
    for (const [files, wanted, columns] of cases) {
      const format = folderFormatOf(files);
      assert.ok(format.ok, format.ok ? "" : format.refusal.message);
      assert.deepEqual(format.value, { kind: "onnx", file: wanted, columns });
    }
  });

  test("MODEL-RUN-6: a folder of our own export, whole, wherever it lies; one that lacks a file is weights alone", () => {
    const own = (place: string) =>
      ["transform.json", "graph.json", "model.safetensors", "predict.py"].map((one) =>
        file(`${place}${one}`),
      );
    for (const place of ["", "best/"]) {
      const format = folderFormatOf(own(place));
      assert.deepEqual(format.ok && format.value, { kind: "exported", place });
    }
    const format = folderFormatOf(own("").filter(({ path }) => path !== "graph.json"));
    assert.match(format.ok ? "" : format.refusal.message, /model\.safetensors holds weights/);
  });

  test("what would run code, or is not known, is named with what to do instead", () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ["model.joblib", /model\.joblib runs code.*skl2onnx/],
      ["deep/model.pkl", /deep\/model\.pkl runs code.*skl2onnx/],
      ["net.PT", /net\.PT is torch's.*torch\.onnx\.export/],
      ["pytorch_model.bin", /torch\.onnx\.export/],
      ["net.pth", /torch\.onnx\.export/],
      ["net.keras", /Keras.*tf2onnx/],
      ["net.h5", /Keras.*tf2onnx/],
      ["saved/saved_model.pb", /TensorFlow's.*tf2onnx/],
      ["booster.ubj", /onnxmltools/],
      ["weights.safetensors", /weights and not how/],
      ["readme.txt", /no model of a format that is served \(config\.json, readme\.txt\)/],
    ];
    for (const [path, sentence] of cases) {
      const format = folderFormatOf([file("config.json", "{}"), file(path)]);
      assert.ok(!format.ok);
      assert.match(format.refusal.message, sentence);
      assert.match(format.refusal.message, /serve:/);
    }
  });

  test("an MLmodel of another flavour, one that names what is not there or leads out, several graphs without a name", () => {
    const cases: readonly (readonly [readonly ReturnType<typeof file>[], RegExp])[] = [
      [
        [file("MLmodel", "flavors:\n  sklearn:\n    pickled_model: model.pkl\n"), file("data.txt")],
        /flavour sklearn/,
      ],
      [[file("MLmodel", mlmodel("gone.onnx"))], /no such file/],
      [[file("MLmodel", mlmodel("../../etc/x.onnx"))], /no such file/],
      [[file("MLmodel", mlmodel("/etc/x.onnx"))], /no such file/],
      [[file("MLmodel", "flavors: [\n")], /no description/],
      [[file("MLmodel", "a: &a [1]\nflavors: {onnx: {data: *a}}")], /no description/],
      [[file("a.onnx", graph), file("b.onnx", graph)], /2 ONNX models \(a\.onnx, b\.onnx\)/],
    ];
    for (const [files, sentence] of cases) {
      const format = folderFormatOf(files);
      assert.ok(!format.ok, JSON.stringify(format));
      assert.match(format.refusal.message, sentence);
    }
  });
});
