/**
 * MODEL-RUN-4. What a folder that a program left can be served as, by the names of its files and by nothing that would run code: an ONNX graph, alone
 * or as MLflow keeps it. Whatever else is there is refused by its name, with what to do instead.
 */
import { parse } from "yaml";
import * as z from "zod";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { listOf, longText, manyEntriesMax, recordOf, anyValue, sentenceText } from "../../protocol/bound.ts";
import { isInsidePath } from "../../protocol/inside-path.ts";
import { namedList } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

export interface FolderFile {
  /** With slashes. */
  readonly path: string;
  readonly content: Uint8Array;
}

export type FolderFormat = OnnxFolder | ExportedFolder;

export interface OnnxFolder {
  readonly kind: "onnx";
  /** Of the graph, within the folder. */
  readonly file: string;
  /** Names of a row's columns, where an MLmodel says them. */
  readonly columns: readonly string[] | null;
}

/** As `model export` writes safetensors. */
export interface ExportedFolder {
  readonly kind: "exported";
  /** Within the folder, with a slash at its end; empty where it is the folder. */
  readonly place: string;
}

const exportedFiles = ["transform.json", "graph.json", "model.safetensors"] as const;
const mlmodelBytesMax = bytesPerMiB;
const mlmodelSchema = z.object({
  flavors: recordOf(sentenceText, anyValue),
  signature: z.object({ inputs: longText.optional() }).nullish(),
});
const onnxFlavorSchema = z.object({ data: sentenceText });
const namedInputsSchema = listOf(z.object({ name: sentenceText }), manyEntriesMax);

const declare = "or declare a `serve:` command in the sweep's file";
const pickled = `runs code when it is opened; have the program convert it with skl2onnx.to_onnx and save model.onnx, ${declare}`;
const torch = `is torch's, which runs code when it is opened; have the program call torch.onnx.export and save model.onnx, ${declare}`;
const keras = `is Keras's, which may run code when it is opened; have the program convert it with tf2onnx and save model.onnx, ${declare}`;
const boosted = `is a model of a library of its own; have the program convert it with onnxmltools and save model.onnx, ${declare}`;

/** By the end of a name, in lower case; what to say of it. */
const refusedEnds: readonly (readonly [string, string])[] = [
  [
    "saved_model.pb",
    `is TensorFlow's; have the program convert it with tf2onnx and save model.onnx, ${declare}`,
  ],
  ...[".joblib", ".pkl", ".pickle", ".dill", ".sav", ".cloudpickle", ".skops"].map(
    (end) => [end, pickled] as const,
  ),
  ...[".pt", ".pth", ".ckpt", ".bin", ".ptl"].map((end) => [end, torch] as const),
  ...[".keras", ".h5", ".hdf5"].map((end) => [end, keras] as const),
  ...[".tflite", ".ubj", ".xgb", ".cbm", ".lgb"].map((end) => [end, boosted] as const),
  [
    ".safetensors",
    `holds weights and not how they are computed with; have the program save model.onnx, ${declare}`,
  ],
];

export function folderFormatOf(files: readonly FolderFile[]): Outcome<FolderFormat> {
  const shallow = files.toSorted((a, b) => depthOf(a) - depthOf(b) || (a.path < b.path ? -1 : 1));
  const flavors: string[] = [];
  for (const file of shallow.filter(({ path }) => nameOf(path) === "MLmodel")) {
    const read = readMlmodel(file, files);
    if (!read.ok) return read;
    if (read.value.kind === "onnx") return accept(read.value);
    flavors.push(`${file.path}, of flavour ${read.value.flavors}`);
  }
  const exported = shallow.find(({ path }) => nameOf(path) === exportedFiles[0]);
  const place = exported?.path.slice(0, -exportedFiles[0].length);
  if (place !== undefined && exportedFiles.every((name) => files.some(({ path }) => path === place + name)))
    return accept({ kind: "exported", place });
  const graphs = shallow.filter(({ path }) => path.toLowerCase().endsWith(".onnx"));
  const named = graphs.filter(({ path }) => nameOf(path).toLowerCase() === "model.onnx");
  const [only] = named.length > 0 ? named : graphs;
  if (only !== undefined && (named.length === 1 || graphs.length === 1))
    return accept({ kind: "onnx", file: only.path, columns: null });
  if (only !== undefined)
    return refuse(
      "conflict",
      `it holds ${graphs.length} ONNX models (${namedList(graphs.map(({ path }) => path))}); the one to serve is to be called model.onnx`,
    );
  for (const [end, why] of refusedEnds) {
    const found = shallow.find(({ path }) => path.toLowerCase().endsWith(end));
    if (found !== undefined) return refuse("conflict", `${found.path} ${why}`);
  }
  const [flavor] = flavors;
  return refuse(
    "conflict",
    flavor === undefined
      ? `it holds no model of a format that is served (${namedList(files.map(({ path }) => path))}); have the program save model.onnx, ${declare}`
      : `it holds ${flavor}; only MLflow's flavour onnx is served without running code: have the program call mlflow.onnx.save_model, ${declare}`,
  );
}

type Mlmodel = OnnxFolder | { readonly kind: "other"; readonly flavors: string };

function readMlmodel({ content, path }: FolderFile, files: readonly FolderFile[]): Outcome<Mlmodel> {
  const wrong = (why: string) => refuse("conflict", `${path} ${why}`);
  if (content.length > mlmodelBytesMax) return wrong("is too large for a description of an MLflow model");
  const parsed = mlmodelSchema.safeParse(yamlOf(content));
  if (!parsed.success) return wrong("is no description of an MLflow model");
  const { flavors, signature } = parsed.data;
  if (!Object.hasOwn(flavors, "onnx"))
    return accept({ kind: "other", flavors: namedList(Object.keys(flavors)) });
  const flavor = onnxFlavorSchema.safeParse(flavors["onnx"]);
  if (!flavor.success) return wrong("does not say in `data` which file its ONNX model is");
  const { data } = flavor.data;
  const file = path.slice(0, path.length - nameOf(path).length) + data;
  if (!isInsidePath(data) || !files.some((one) => one.path === file))
    return wrong(
      `names ${JSON.stringify(data.slice(0, 100))} as its ONNX model, and the folder has no such file`,
    );
  return accept({ kind: "onnx", file, columns: columnsIn(signature?.inputs) });
}

/** MLflow keeps its signature as JSON in a text; columns have names, tensors have none that are a row's. */
function columnsIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  try {
    const parsed = namedInputsSchema.safeParse(JSON.parse(text));
    return parsed.success && parsed.data.length > 0 ? parsed.data.map(({ name }) => name) : null;
  } catch {
    return null;
  }
}

function yamlOf(content: Uint8Array): unknown {
  try {
    // An alias may stand for as much as it likes: none is needed here.
    const value: unknown = parse(new TextDecoder().decode(content), { maxAliasCount: 0, logLevel: "silent" });
    return value;
  } catch {
    return null;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function depthOf({ path }: FolderFile): number {
  return path.split("/").length;
}
