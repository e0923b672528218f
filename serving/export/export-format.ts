/** The formats a model is exported in: what each writes beside the transform, the card and the example, which all have. */
import { packageVersion } from "../../training/version/code-version.ts";
import { safetensors } from "../../training/tensor/safetensors.ts";
import type { VersionName } from "../model/served-model.ts";
import type { TensorGraph } from "./graph/tensor-graph.ts";
import type { FormatText } from "./model-card.ts";
import type { ModelFormat } from "./model-format.ts";
import type { Example } from "./example.ts";
import { exampleFile, mlflowExample, mlflowFiles, mlflowPackages } from "./mlflow-file.ts";
import { tfjsModel, weightsFile } from "./tfjs-file.ts";
import type { TransformDescription } from "./transform-description.ts";
import { onnxFile, opset } from "./onnx/onnx-file.ts";

/** Bytes of a file, in pieces. */
export type Pieces = readonly Uint8Array[];

export interface FormatFiles {
  readonly text: FormatText;
  readonly files: ReadonlyMap<string, Pieces>;
  /** Programs of the folder `program`, by the names they get. */
  readonly programs: Readonly<Record<string, string>>;
  /** What is made of the example once that is there. */
  readonly ofExample?: (example: Example) => ReadonlyMap<string, Pieces>;
}

export interface FormatSource {
  readonly graph: TensorGraph;
  readonly name: VersionName;
  readonly transform: TransformDescription;
  /** When the version was registered, ms since the Unix epoch; null where that is not known. */
  readonly at: number | null;
}

const sharedPrograms = {
  "predict.mjs": "predict.mjs",
  "transform.mjs": "transform.mjs",
  "predict.py": "predict.py",
  "predict_transform.py": "transform.py",
} as const;

const formats: Readonly<Record<ModelFormat, (source: FormatSource) => FormatFiles>> = {
  safetensors: safetensorsFormat,
  onnx: onnxFormat,
  tfjs: tfjsFormat,
  mlflow: mlflowFormat,
};

/** By their names in a folder of safetensors. */
export const safetensorsPrograms: Readonly<Record<string, string>> = {
  ...sharedPrograms,
  "model.mjs": "safetensors-model.mjs",
  "graph.mjs": "graph.mjs",
  "predict_graph.py": "graph.py",
  "predict_model.py": "safetensors_model.py",
};

export function formatFiles(format: ModelFormat, source: FormatSource): FormatFiles {
  return formats[format](source);
}

function safetensorsFormat({ graph, name }: FormatSource): FormatFiles {
  const metadata = { model: name.model, version: String(name.version), artifact: name.digest };
  return {
    text: {
      title: "safetensors",
      files: [
        ["model.safetensors", "the weights"],
        ["graph.json", "what is done with them: ONNX's operations, one after the other"],
      ],
      python: ["numpy", "safetensors"],
      node: [],
      pythonProgram: "predict.py",
      own: [],
    },
    files: new Map([
      ["model.safetensors", safetensors(metadata, graph.weights)],
      ["graph.json", [graphJson(graph)]],
    ]),
    programs: safetensorsPrograms,
  };
}

function onnxFormat(source: FormatSource): FormatFiles {
  return {
    text: {
      title: `ONNX (operations of version ${opset})`,
      files: [["model.onnx", "graph and weights"]],
      python: ["numpy", "onnxruntime"],
      node: ["onnxruntime-node"],
      pythonProgram: "predict.py",
      own: [],
    },
    files: new Map([["model.onnx", onnxOf(source)]]),
    programs: { ...sharedPrograms, "model.mjs": "onnx-model.mjs", "predict_model.py": "onnx_model.py" },
  };
}

function tfjsFormat({ graph }: FormatSource): FormatFiles {
  const { json, weights } = tfjsModel(graph, `trialmesh ${packageVersion}`);
  return {
    text: {
      title: "a graph model of TensorFlow.js",
      files: [
        ["model.json", "the graph, for `loadGraphModel`"],
        [weightsFile, "the weights"],
        ["graph.json", "the same graph in ONNX's words, for the Python program"],
      ],
      python: ["numpy"],
      node: ["@tensorflow/tfjs-core", "@tensorflow/tfjs-converter", "@tensorflow/tfjs-backend-cpu"],
      pythonProgram: "predict.py",
      own: [],
    },
    files: new Map([
      ["model.json", [Buffer.from(json)]],
      [weightsFile, weights],
      ["graph.json", [graphJson(graph)]],
    ]),
    programs: {
      ...sharedPrograms,
      "model.mjs": "tfjs-model.mjs",
      "predict_graph.py": "graph.py",
      "predict_model.py": "tfjs_model.py",
    },
  };
}

function mlflowFormat(source: FormatSource): FormatFiles {
  const files = [...mlflowFiles(source)].map(([file, text]) => [file, [Buffer.from(text)]] as const);
  return {
    text: {
      title: "an MLflow model",
      files: [
        ["MLmodel", "flavours `python_function` and `onnx`, and the signature"],
        ["model.onnx", "graph and weights"],
        ["requirements.txt, conda.yaml, python_env.yaml", "what MLflow installs it with"],
        [exampleFile, "the example's rows as MLflow keeps them"],
      ],
      python: mlflowPackages.map((one) => `"${one}"`),
      node: ["onnxruntime-node"],
      pythonProgram: "code/predict.py",
      own: [
        "",
        "In Python, with the folder as it lies or logged to a tracking server:",
        "",
        "```python",
        "import mlflow, pandas",
        'model = mlflow.pyfunc.load_model("this-folder")',
        "model.predict(pandas.DataFrame([...]))  # prediction, and probability.LABEL for each label",
        "```",
      ],
    },
    files: new Map([["model.onnx", onnxOf(source)], ...files]),
    programs: {
      "predict.mjs": "predict.mjs",
      "transform.mjs": "transform.mjs",
      "model.mjs": "onnx-model.mjs",
      "code/predict.py": "predict.py",
      "code/predict_transform.py": "transform.py",
      "code/predict_model.py": "onnx_model.py",
    },
    ofExample: (example) => new Map([[exampleFile, [Buffer.from(mlflowExample(example, source.transform))]]]),
  };
}

function onnxOf({ graph, name }: FormatSource): Pieces {
  return onnxFile(graph, {
    name: name.model,
    producerVersion: packageVersion,
    description: `${name.model}, version ${name.version}; transform.json says how rows become its inputs.`,
    metadata: { model: name.model, version: String(name.version), artifact: name.digest },
  });
}

function graphJson({ inputs, nodes, output, scalars }: TensorGraph): Uint8Array {
  const graph = { inputs, scalars: Object.fromEntries(scalars), nodes, output };
  return new TextEncoder().encode(`${JSON.stringify(graph)}\n`);
}
