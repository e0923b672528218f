/**
 * What makes a folder an MLflow model: MLmodel with its flavours and signature, and what it is to be installed with. Read by
 * `mlflow.pyfunc.load_model` and `mlflow.onnx.load_model`; no MLflow is needed to write it.
 */
import type { VersionName } from "../model/served-model.ts";
import type { Example } from "./example.ts";
import { opset } from "./onnx/onnx-file.ts";
import type { DescribedColumn, TransformDescription } from "./transform-description.ts";

/** Whose format it is written in; later ones read it. */
const mlflowVersion = "2.22.0";
const pythonVersion = "3.11";
/** As pip takes them; the first two are what the programs need. */
export const mlflowPackages = ["numpy>=1.24", "onnxruntime>=1.17", "pandas>=1.5", "mlflow>=2.20"] as const;

export interface MlflowSource {
  readonly name: VersionName;
  readonly transform: TransformDescription;
  /** When the version was registered, ms since the Unix epoch; null where that is not known. */
  readonly at: number | null;
}

export function mlflowFiles(source: MlflowSource): ReadonlyMap<string, string> {
  const lines = (list: readonly string[]) => `${list.join("\n")}\n`;
  return new Map([
    ["MLmodel", mlModel(source)],
    ["requirements.txt", lines(mlflowPackages)],
    [
      "conda.yaml",
      lines([
        "name: exported-model",
        "channels:",
        "- conda-forge",
        "dependencies:",
        `- python=${pythonVersion}`,
        "- pip",
        "- pip:",
        ...mlflowPackages.map((one) => `  - ${quoted(one)}`),
      ]),
    ],
    [
      "python_env.yaml",
      lines([
        `python: ${quoted(pythonVersion)}`,
        "build_dependencies:",
        "- pip",
        "dependencies:",
        "- -r requirements.txt",
      ]),
    ],
  ]);
}

/** The example's rows as MLflow keeps one: a data frame, split. */
export function mlflowExample({ inputs }: Example, { columns }: TransformDescription): string {
  const names = columns.map(({ name }) => name);
  const data = inputs.map((row) => names.map((name) => row[name] ?? null));
  return `${JSON.stringify({ columns: names, data })}\n`;
}

function mlModel({ name, transform, at }: MlflowSource): string {
  const { columns, labels } = transform;
  const inputs = columns.map((column) => ({
    type: mlflowType(column),
    name: column.name,
    required: false,
  }));
  const outputs =
    labels === null
      ? [{ type: "double", name: "prediction" }]
      : [
          { type: "string", name: "prediction" },
          ...labels.map((label) => ({ type: "double", name: `probability.${label}` })),
        ];
  const registered = at === null ? [] : [`utc_time_created: ${quoted(utcTime(at))}`];
  return [
    "flavors:",
    "  onnx:",
    "    code: null",
    "    data: model.onnx",
    `    onnx_version: ${quoted("1.17.0")}`,
    "    providers:",
    "    - CPUExecutionProvider",
    "  python_function:",
    "    code: code",
    "    env:",
    "      conda: conda.yaml",
    "      virtualenv: python_env.yaml",
    "    loader_module: predict",
    `    python_version: ${quoted(`${pythonVersion}.0`)}`,
    `mlflow_version: ${mlflowVersion}`,
    "metadata:",
    `  model: ${quoted(name.model)}`,
    `  version: ${quoted(String(name.version))}`,
    `  artifact: ${quoted(name.digest)}`,
    `  onnx_opset: ${opset}`,
    "saved_input_example_info:",
    `  artifact_path: ${exampleFile}`,
    "  pandas_orient: split",
    "  type: dataframe",
    "signature:",
    `  inputs: ${quoted(asciiJson(inputs))}`,
    `  outputs: ${quoted(asciiJson(outputs))}`,
    "  params: null",
    ...registered,
    "",
  ].join("\n");
}

/** Yes or no, and dates, come as such or as text: MLflow has a type for either alone, and one for whatever comes. */
function mlflowType({ kind, type }: DescribedColumn): string {
  if (type === "boolean" || type === "date" || type === "timestamp") return "any";
  if (type === "any" && kind === "category") return "any";
  return kind === "number" ? "double" : "string";
}

export const exampleFile = "input_example.json";

/** A double-quoted scalar: JSON's strings are YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

/** JSON in ASCII alone: YAML folds some line ends of Unicode, and refuses what it cannot print. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function utcTime(at: number): string {
  return new Date(at).toISOString().replace("T", " ").replace("Z", "");
}
