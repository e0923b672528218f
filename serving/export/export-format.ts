/** The formats a model is exported in: what each writes beside the transform, the card and the example, which all have. */
import { packageVersion } from "../../training/version/code-version.ts";
import { safetensors } from "../../training/tensor/safetensors.ts";
import type { VersionName } from "../model/served-model.ts";
import type { TensorGraph } from "./graph/tensor-graph.ts";
import type { FormatText } from "./model-card.ts";
import type { ModelFormat } from "./model-format.ts";
import { onnxFile, opset } from "./onnx/onnx-file.ts";

/** Bytes of a file, in pieces. */
export type Pieces = readonly Uint8Array[];

export interface FormatFiles {
  readonly text: FormatText;
  readonly files: ReadonlyMap<string, Pieces>;
  /** Programs of the folder `program`, by the names they get. */
  readonly programs: Readonly<Record<string, string>>;
}

export interface FormatSource {
  readonly graph: TensorGraph;
  readonly name: VersionName;
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
    programs: {
      ...sharedPrograms,
      "model.mjs": "safetensors-model.mjs",
      "graph.mjs": "graph.mjs",
      "predict_model.py": "safetensors_model.py",
    },
  };
}

function onnxFormat({ graph, name }: FormatSource): FormatFiles {
  return {
    text: {
      title: `ONNX (operations of version ${opset})`,
      files: [["model.onnx", "graph and weights"]],
      python: ["numpy", "onnxruntime"],
      node: ["onnxruntime-node"],
      pythonProgram: "predict.py",
      own: [],
    },
    files: new Map([["model.onnx", onnxOf({ graph, name })]]),
    programs: { ...sharedPrograms, "model.mjs": "onnx-model.mjs", "predict_model.py": "onnx_model.py" },
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

export function graphJson({ inputs, nodes, output, scalars }: TensorGraph): Uint8Array {
  const graph = { inputs, scalars: Object.fromEntries(scalars), nodes, output };
  return new TextEncoder().encode(`${JSON.stringify(graph)}\n`);
}
