/** What a version was trained on, in the sketches that are kept of what it is asked: rows of the training split, as they came. */
import { tmpdir } from "node:os";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { cameSample, textColumn, type CameSample } from "../../data/profile/came-sample.ts";
import type { Profile } from "../../data/profile/profile.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { knownCategories } from "../../serving/profile/profiled-column.ts";
import { profileOf } from "../../serving/profile/serving-profile.ts";
import { ServingScan, type ScannedSignature } from "../../serving/profile/serving-scan.ts";
import { cameRow } from "./came-row.ts";
import type { RegisteredModel } from "./registered-model.ts";
import type { Reference } from "../serve/profile-keeper.ts";

/** Drawn of more: a share is then known to a hundredth. */
const rowsMost = 10_000;
/** Between two looks at who else waits. */
const rowsAtOnce = 200;
const engine = { workDir: tmpdir(), threads: 1, memoryMiB: 512 } as const;

/** Null where the data is not to be had. */
export async function referenceOf(model: RegisteredModel): Promise<Reference | null> {
  const { datasetPath, manifest, record } = model;
  if (datasetPath === null || manifest === null) return null;
  const profile = await trainingReference(datasetPath, manifest, model.signature);
  return profile.ok ? { name: record.dataset?.name ?? manifest.name, profile: profile.value } : null;
}

/** `path` and `manifest`: of the data set's version. Only the columns that it keeps as they came. */
export async function trainingReference(
  path: string,
  manifest: Manifest,
  signature: ScannedSignature,
): Promise<Outcome<Profile>> {
  const sample = await cameSample(path, manifest, { rows: rowsMost, split: "train" }, engine);
  if (!sample.ok) return sample;
  const scan = new ServingScan(signature, knownCategories(manifest));
  const { count, target } = sample.value;
  for (let row = 0; row < count; row++) {
    if (row % rowsAtOnce === rowsAtOnce - 1) await nextTurn();
    const values = cameRow(signature.inputs, sample.value, row);
    scan.add((input) => values[input], target[row] ?? null, null);
  }
  const profile = await profileOf(manifest.name, scan.rows, scan.scans, () => nextTurn());
  const kept = keptColumns(scan, sample.value);
  return accept({ ...profile, columns: profile.columns.filter(({ name }) => kept.has(name)) });
}

/** Of what the data does not have there is nothing to compare. */
function keptColumns(
  { columns: { answer, inputs } }: ServingScan,
  { columns }: CameSample,
): ReadonlySet<string> {
  const only = inputs.length === 1;
  const known = inputs.filter(({ name }) => columns.has(name) || (only && columns.has(textColumn)));
  return new Set([...known.flatMap((input) => input.columns), answer]);
}
