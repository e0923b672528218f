/**
 * MODEL-RUN-1. An ONNX file in a folder, opened to answer: what it says of itself is read first, so that whatever cannot be served is refused by
 * its name, and then it is the engine's, in a process of its own. Nothing of the folder is run.
 */
import { existsSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { isInsidePath } from "../../protocol/inside-path.ts";
import { namedList } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { VersionName } from "../model/served-model.ts";
import { elementsOf, type NamedTensor, type TensorDescription } from "../model/tensor.ts";
import { elementBytes } from "../protocol/tensor-bytes.ts";
import type { EngineLimits } from "../engine/engine-process.ts";
import { datatypeFor } from "./element-type.ts";
import type { EnginePort } from "./engine-message.ts";
import { OnnxEngine, type EnginePorts } from "./onnx-engine.ts";
import { OnnxModel } from "./onnx-model.ts";
import { rowFormOf, rowOutputOf } from "./onnx-rows.ts";
import { readOnnx, type OnnxFacts } from "./read-onnx.ts";
import { withoutZipMaps } from "./without-zip-map.ts";

export interface OnnxOptions {
  /** What the program left; whoever opens it keeps it there until the model is disposed, and lets it be written to. */
  readonly folder: string;
  /** Path of the model within it, with slashes. */
  readonly file: string;
  readonly name: VersionName;
  /** Names of the columns of a row, where something beside the model says them. */
  readonly columns: readonly string[] | null;
  /** Of runtimes that trialmesh has brought in; the usual one where it is left out. */
  readonly runtimeFolder?: string;
  readonly limits?: EngineLimits;
  /** Called once, when the model is disposed. */
  readonly onDispose?: () => void;
}

const fileBytesMax = 2_048 * bytesPerMiB;
/** Said in `metadata_props` by whoever wants columns to have names. */
const featureNames = "feature_names";

export async function openOnnx(options: OnnxOptions): Promise<Outcome<OnnxModel>> {
  const { file, name } = options;
  const wrong = (why: string) =>
    refuse("conflict", `${name.model}@${name.version}: ${file} cannot be served: ${why}`);
  const facts = await factsOf(options);
  if (!facts.ok) return wrong(facts.refusal.message);
  const path = await servedPath(options, facts.value);
  const { limits, runtimeFolder } = options;
  const opened = await OnnxEngine.open({
    path,
    ...(limits === undefined ? {} : { limits }),
    ...(runtimeFolder === undefined ? {} : { runtimeFolder }),
  });
  if (!opened.ok) return opened.refusal.code === "invalid" ? wrong(opened.refusal.message) : opened;
  const { engine, ports } = opened.value;
  const described = describePorts(ports, facts.value);
  if (!described.ok) {
    engine.close();
    return wrong(described.refusal.message);
  }
  const model = modelOf(options, facts.value, engine, described.value);
  const example = await model.tensors.run(exampleOf(described.value.inputs), []);
  // An example of zeros may be one that the model does not take; an engine that it ends is not for others.
  if (!example.ok && example.refusal.code === "unavailable") {
    engine.close();
    return wrong(`it fails at an example: ${example.refusal.message}`);
  }
  return accept(
    example.ok
      ? modelOf(options, facts.value, engine, withShapes(described.value, example.value), example.value)
      : model,
  );
}

async function factsOf({ file, folder }: OnnxOptions): Promise<Outcome<OnnxFacts>> {
  const path = join(folder, file);
  const { size } = statSync(path);
  if (size > fileBytesMax)
    return refuse(
      "invalid",
      `it has more than ${fileBytesMax / bytesPerMiB} MiB; keep its weights in a file beside it`,
    );
  const facts = readOnnx(await readFile(path));
  if (!facts.ok) return facts;
  const { external, foreign } = facts.value;
  if (foreign.length > 0)
    return refuse(
      "invalid",
      `it uses operators that are not ONNX's own: ${namedList(foreign)}; export it without them, or declare a \`serve:\` command`,
    );
  const outside = external.find((one) => !isInsidePath(one));
  if (outside !== undefined)
    return refuse(
      "invalid",
      `its weights lie in ${JSON.stringify(outside.slice(0, 100))}, outside the folder; keep them beside the model`,
    );
  const missing = external.find((one) => !existsSync(join(folder, dirname(file), one)));
  return missing === undefined
    ? facts
    : refuse(
        "invalid",
        `its weights lie in ${missing}, and the folder has no such file; keep it beside the model`,
      );
}

/** A classifier that gives maps is written anew beside itself, where its weights still are. */
async function servedPath({ file, folder }: OnnxOptions, { classes, zipMaps }: OnnxFacts): Promise<string> {
  const path = join(folder, file);
  if (zipMaps.length === 0) return path;
  const tensors = join(dirname(path), `.${basename(path)}.tensors`);
  await writeFile(tensors, withoutZipMaps(await readFile(path), zipMaps, classes?.length ?? null));
  return tensors;
}

interface Described {
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
}

function describePorts(ports: EnginePorts, { zipMaps }: OnnxFacts): Outcome<Described> {
  const named = (what: string, list: readonly EnginePort[]): Outcome<TensorDescription[]> => {
    const described: TensorDescription[] = [];
    for (const { name, shape, type } of list) {
      const datatype = datatypeFor(type);
      if (type === null)
        return refuse(
          "invalid",
          `its ${what} ${name} is no tensor but a list or a map; ${zipMaps.length === 0 ? "convert it with options={'zipmap': False}, or " : ""}export it with tensors alone`,
        );
      if (datatype === null)
        return refuse(
          "invalid",
          `its ${what} ${name} is of ${type}, which is not served; cast it to float32 in the model`,
        );
      described.push({ name, datatype, shape });
    }
    return accept(described);
  };
  const inputs = named("input", ports.inputs);
  if (!inputs.ok) return inputs;
  const outputs = named("output", ports.outputs);
  return outputs.ok ? accept({ inputs: inputs.value, outputs: outputs.value }) : outputs;
}

/** Zeros and empty texts, with one for every length that is free. */
function exampleOf(inputs: readonly TensorDescription[]): readonly NamedTensor[] {
  return inputs.map(({ datatype, name, shape: free }) => {
    const shape = free.map((length) => (length === -1 ? 1 : length));
    const fill = datatype === "BYTES" ? "" : 0;
    const values = Array.from({ length: elementsOf(shape) }, () => fill);
    return { name, datatype, shape, data: elementBytes(datatype, values) };
  });
}

/** An output of which the graph does not say how long it is in each direction has as many directions as in the example. */
function withShapes({ inputs, outputs }: Described, example: readonly NamedTensor[]): Described {
  return {
    inputs,
    outputs: outputs.map((output) => {
      const made = example.find(({ name }) => name === output.name);
      return output.shape.length === 0 && made !== undefined
        ? { ...output, shape: made.shape.map(() => -1) }
        : output;
    }),
  };
}

function modelOf(
  { columns, name, onDispose = () => undefined }: OnnxOptions,
  { classes, metadata }: OnnxFacts,
  engine: OnnxEngine,
  { inputs, outputs }: Described,
  example: readonly NamedTensor[] = [],
): OnnxModel {
  return new OnnxModel(name, {
    engine,
    inputs,
    outputs,
    form: rowFormOf(inputs, columns ?? namesIn(metadata.get(featureNames))),
    output: rowOutputOf(outputs, classes, example),
    onDispose,
  });
}

/** A list of JSON, or names with commas between. */
function namesIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((one) => typeof one === "string")) return value;
  } catch {
    // It is no JSON.
  }
  return text.split(",").map((one) => one.trim());
}
