/**
 * Proves that a registered version can really serve before an alias is moved to it: fetches its
 * bytes, checks their digest, loads them and has them answer an example: its own, where one is recorded.
 */
import { decodeBundle, type Bundle } from "../../agent/program/bundle.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import type { Predictor } from "../../training/task/task.ts";
import { namedList, plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { RecordedExample } from "../../protocol/version-fact.ts";
import type { ResolutionView } from "../../protocol/view.ts";
import { folderFormatOf } from "../../serving/model/folder-format.ts";
import type { VersionName } from "../../serving/model/served-model.ts";
import { describeTensor } from "../../serving/protocol/fit-tensors.ts";
import { ownExampleOf, proveServed } from "../../serving/model/prove-served.ts";
import type { Surroundings } from "../../system/environment.ts";
import { fetchBytes } from "../artifact/fetch-bytes.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { openOutput } from "../../agent/serving/open-output.ts";

const example = "two days, three hours";

export interface CheckedVersion {
  /** What the model made of the example. */
  readonly answer: string;
}

/** Loads the version and has it answer an example; refused where it cannot serve, with the reason. */
export type CheckVersion = (version: ResolutionView) => Promise<Outcome<CheckedVersion>>;

export async function checkVersion(
  connected: Connected,
  shown: ResolutionView,
  { environment }: Pick<Surroundings, "environment">,
): Promise<Outcome<CheckedVersion>> {
  const { artifact, model, version } = shown;
  const what = `${model}@${version}`;
  const lineage = await connected.client.query("lineage", { model, version });
  const own = lineage.ok ? lineage.value.version.example : undefined;
  if (own !== undefined) return checkExample(connected, what, own, environment);
  const bytes = await fetchBytes(connected, artifact);
  if (!bytes.ok) return refuse(bytes.refusal.code, `${what} cannot be used: ${bytes.refusal.message}`);
  const bundle = decodeBundle(bytes.value);
  if (bundle.ok) return checkOutput(bytes.value, bundle.value, { model, version, digest: artifact });
  const loaded = await loadModel(bytes.value);
  if (!loaded.ok) return refuse(loaded.refusal.code, `${what} cannot be used: ${loaded.refusal.message}`);
  const predictor = loaded.value;
  try {
    const answer = answerOf(predictor);
    return answer === null
      ? refuse("conflict", `${what} cannot be used: it gives no answer to an example`)
      : accept({ answer });
  } finally {
    predictor.dispose();
  }
}

/** As it was answered when it was recorded, with the data's own transformation before it. */
async function checkExample(
  connected: Connected,
  what: string,
  example: RecordedExample,
  environment: Surroundings["environment"],
): Promise<Outcome<CheckedVersion>> {
  const { openModel } = await import("./open-model.ts");
  const opened = await openModel(connected, what, { environment, say: () => undefined });
  if (!opened.ok) return refuse(opened.refusal.code, `${what} cannot be used: ${opened.refusal.message}`);
  const { labels } = opened.value.signature;
  try {
    const fault = await proveServed(opened.value);
    if (fault !== null) return refuse("conflict", `${what} cannot be used: ${fault}`);
    if (ownExampleOf(opened.value) === undefined) return accept({ answer: "it loads, without its data" });
  } finally {
    opened.value.dispose();
  }
  const [first] = example.answer;
  const given = Object.values(example.row).filter((value) => value !== null);
  const asked = given.length === 1 ? JSON.stringify(given[0]) : "its recorded row";
  const value = first?.value ?? 0;
  const answer =
    labels === null ? value.toPrecision(4) : `${labels[first?.at ?? 0] ?? ""} (${value.toFixed(3)})`;
  return accept({ answer: `${asked} -> ${answer}, as it was recorded` });
}

/**
 * What a program left: it is whole, its digest says so, and there is something. An ONNX model has to load where there is a runtime for it; what other
 * files mean is the program's to say.
 */
async function checkOutput(
  bytes: Uint8Array,
  { files }: Bundle,
  name: VersionName,
): Promise<Outcome<CheckedVersion>> {
  const what = `${name.model}@${name.version}`;
  const [first] = files;
  if (first === undefined)
    return refuse("conflict", `${what} cannot be used: its program left no file in its output folder`);
  if (folderFormatOf(files).ok) {
    const opened = await openOutput(bytes, name, process.env);
    if (!opened.ok && opened.refusal.code !== "unavailable") return opened;
    if (opened.ok) {
      const { signature, tensors } = opened.value;
      opened.value.dispose();
      const takes = tensors?.inputs.map(describeTensor) ?? signature.inputs.map((column) => column.name);
      return accept({ answer: `it loads, and takes ${namedList(takes)}` });
    }
  }
  const names = namedList(files.map(({ path }) => path));
  return accept({ answer: `it holds ${plural(files.length, "file")} of its program: ${names}` });
}

/** What the model makes of an example, in words; null where that is no answer. */
function answerOf(predictor: Predictor): string | null {
  switch (predictor.kind) {
    case "none":
      return "it loads";
    case "text": {
      const best = predictor.predict([example])[0]?.[0];
      if (best === undefined || !Number.isFinite(best.probability)) return null;
      return `"${example}" -> ${best.label} (${best.probability.toFixed(3)})`;
    }
    case "table": {
      const given = predictor.predict(new Float32Array(predictor.features.length));
      if (given.length === 0 || !given.every(Number.isFinite)) return null;
      const { labels } = predictor;
      if (labels === null) return `a row of zeros -> ${(given[0] ?? 0).toPrecision(4)}`;
      const best = given.indexOf(Math.max(...given));
      return `a row of zeros -> ${labels[best] ?? ""} (${(given[best] ?? 0).toFixed(3)})`;
    }
  }
}
