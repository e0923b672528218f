/**
 * A registered version from its checkpoint and, where there is one, the manifest of the dataset version that it was trained
 * on: loaded, with the dataset's own transformation before it. Fetches nothing.
 */
import type { Manifest } from "../../data/manifest/manifest.ts";
import { labelColumn } from "../../data/declaration/declaration.ts";
import { namesOf } from "../../data/manifest/feature.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { loadModel } from "../../training/catalog/load-model.ts";
import { decodeCheckpoint, type CheckpointMeta } from "../../training/task/checkpoint.ts";
import type { TablePredictor, TextPredictor } from "../../training/task/task.ts";
import { bareTransform } from "../transform/bare-transform.ts";
import { isBlankText } from "../transform/transformed.ts";
import { openTransform } from "../transform/open-transform.ts";
import { describeUnfit, type Transform, type TransformedRows } from "../transform/transform.ts";
import { signatureOf } from "./model-signature.ts";
import type { Answers, InputRows, ServedModel, Signature, VersionName } from "./served-model.ts";

export interface ServedModelOptions {
  /** Of the checkpoint. */
  readonly bytes: Uint8Array;
  /** Null where it is not known what the model was trained on: it then takes what its checkpoint names. */
  readonly manifest: Manifest | null;
  readonly name: VersionName;
}

type RowPredictor = TextPredictor | TablePredictor;

/** A served model with its parts, for who answers row by row or explains an answer. */
export interface OpenedModel extends ServedModel {
  readonly meta: CheckpointMeta;
  /** Of the dataset version that it was trained on; null where that is not known. */
  readonly manifest: Manifest | null;
  readonly predictor: RowPredictor;
  readonly transform: Transform;
  /** Of rows that are transformed; what stands at the places of unfit rows means nothing. */
  predict(rows: TransformedRows): Answers;
}

export async function openServedModel(options: ServedModelOptions): Promise<Outcome<OpenedModel>> {
  const { bytes, manifest, name } = options;
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const { meta } = decoded.value;
  const loaded = await loadModel(bytes);
  if (!loaded.ok) return loaded;
  const predictor = loaded.value;
  if (predictor.kind === "none")
    return refuse("invalid", `${name.model}@${name.version} is of task ${meta.task}, which predicts nothing`);
  const transform =
    manifest === null ? accept(bareTransform(predictor)) : await fitting(predictor, manifest, name);
  if (!transform.ok) {
    predictor.dispose();
    return transform;
  }
  const target = manifest === null ? "label" : labelColumn(manifest.declaration);
  const signature = signatureOf(transform.value, predictor, manifest, target);
  return accept(new LoadedModel(name, { meta, manifest, predictor, signature, transform: transform.value }));
}

/** The transformation, if what it gives is what the model was trained on. */
async function fitting(
  predictor: RowPredictor,
  manifest: Manifest,
  { model, version }: VersionName,
): Promise<Outcome<Transform>> {
  const wrong = (what: string) =>
    refuse(
      "conflict",
      `${model}@${version} was not trained on the dataset version that its record names: ${what}; train it again`,
    );
  const names = (manifest.features ?? []).flatMap(namesOf);
  if (predictor.kind !== manifest.declaration.form.kind) return wrong(`it reads a ${predictor.kind}`);
  if (predictor.kind === "table" && names.join("\0") !== predictor.features.join("\0"))
    return wrong("its features have other names");
  if (predictor.labels !== null && predictor.labels.join("\0") !== (manifest.labels ?? []).join("\0"))
    return wrong("its labels have other names");
  return openTransform(manifest);
}

class LoadedModel implements OpenedModel {
  readonly model: string;
  readonly version: number;
  readonly digest: string;
  readonly task: string;
  readonly algorithm: string;
  readonly signature: Signature;
  readonly meta: CheckpointMeta;
  readonly manifest: Manifest | null;
  readonly predictor: RowPredictor;
  readonly transform: Transform;
  readonly answerTexts: ServedModel["answerTexts"];

  constructor(
    name: VersionName,
    parts: Pick<OpenedModel, "manifest" | "meta" | "predictor" | "signature" | "transform">,
  ) {
    const { manifest, meta, predictor, signature, transform } = parts;
    this.model = name.model;
    this.version = name.version;
    this.digest = name.digest;
    this.task = meta.task;
    this.algorithm = meta.model;
    this.signature = signature;
    this.meta = meta;
    this.manifest = manifest;
    this.predictor = predictor;
    this.transform = transform;
    const { ofTexts } = transform;
    this.answerTexts =
      predictor.kind === "text" && ofTexts !== null
        ? (texts) => {
            const transformed = ofTexts(texts);
            return transformed.some(isBlankText) ? null : predictor.probabilities(transformed);
          }
        : null;
  }

  answer(rows: InputRows): Outcome<Answers> | Promise<Outcome<Answers>> {
    const transformed = this.transform.apply(rows);
    return transformed instanceof Promise
      ? transformed.then((settled) => this.#answer(settled))
      : this.#answer(transformed);
  }

  predict(rows: TransformedRows): Answers {
    const { predictor } = this;
    if (predictor.kind === "text" && rows.kind === "text")
      return { kind: "labels", probabilities: predictor.probabilities(rows.texts).slice() };
    if (predictor.kind !== "table" || rows.kind !== "table")
      throw new Error(`the ${predictor.kind} predictor was given a ${rows.kind}`);
    // A predictor may write over what it gave before.
    const given = predictor.predict(rows.features).slice();
    return predictor.labels === null
      ? { kind: "values", values: given }
      : { kind: "labels", probabilities: given };
  }

  dispose(): void {
    this.transform.dispose();
    this.predictor.dispose();
  }

  #answer(transformed: Outcome<TransformedRows>): Outcome<Answers> {
    if (!transformed.ok) return transformed;
    const [unfit] = transformed.value.unfit;
    if (unfit !== undefined)
      return refuse("invalid", describeUnfit(unfit), unfit.column === null ? [] : [unfit.column]);
    return accept(this.predict(transformed.value));
  }
}
