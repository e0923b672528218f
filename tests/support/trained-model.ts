/** A model trained for a few epochs on a dataset version of the test, and opened as a registered one would be. */
import assert from "node:assert/strict";
import { readVersion } from "../../data/manifest/read-version.ts";
import type { BuiltVersion } from "../../data/version/build-dataset.ts";
import type { Params } from "../../protocol/value.ts";
import { openServedModel, type OpenedModel } from "../../serving/model/open-served-model.ts";
import { findModel } from "../../training/catalog/model-catalog.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { resolveParams } from "../../training/task/parameter.ts";

const epochs = 3;

/** Of a model that the sparse backend runs. */
export async function trainedBytes(
  version: BuiltVersion,
  task: string,
  model: string,
  params: Params = {},
): Promise<Uint8Array> {
  const dataset = await readVersion(version.path);
  assert.ok(dataset.ok);
  const found = findModel(task, model);
  assert.ok(found.ok);
  const resolved = resolveParams(found.value, params);
  assert.ok(resolved.ok);
  const options = { params: resolved.value, seed: 1, dataset: dataset.value, backend: sparseBackend };
  const made = found.value.create(options);
  assert.ok(made.ok, made.ok ? "" : made.refusal.message);
  for (let epoch = 0; epoch < epochs; epoch++) await made.value.trainEpoch();
  return made.value.save();
}

export async function openTrained(
  version: BuiltVersion,
  task: string,
  model: string,
  params: Params = {},
): Promise<OpenedModel> {
  return openBytes(version, await trainedBytes(version, task, model, params));
}

/** `isKnown`: whether it is known what the model was trained on. */
export async function openBytes(
  version: BuiltVersion,
  bytes: Uint8Array,
  isKnown = true,
): Promise<OpenedModel> {
  const name = { model: "mood", version: 3, digest: "0".repeat(64) };
  const manifest = isKnown ? version.manifest : null;
  const model = await openServedModel({ bytes, manifest, name });
  assert.ok(model.ok, model.ok ? "" : model.refusal.message);
  return model.value;
}
