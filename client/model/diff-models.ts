/** Two versions of models, however they are named, beside each other; labels from the record, else from what the version itself says. */
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { VersionView } from "../../protocol/view.ts";
import { fetchBytes } from "../artifact/fetch-bytes.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { compareVersions, type ComparedVersion, type VersionDiff } from "./compare-versions.ts";
import type { ModelReference } from "./model-reference.ts";

export async function diffModels(
  mesh: Connected,
  from: ModelReference,
  to: ModelReference,
): Promise<Outcome<VersionDiff>> {
  const one = await comparedVersion(mesh, from);
  if (!one.ok) return one;
  const other = await comparedVersion(mesh, to);
  return other.ok ? accept(compareVersions(one.value, other.value)) : other;
}

async function comparedVersion(mesh: Connected, wanted: ModelReference): Promise<Outcome<ComparedVersion>> {
  const lineage = await mesh.client.query("lineage", wanted);
  if (!lineage.ok) return lineage;
  return accept({ lineage: lineage.value, labels: await labelsOf(mesh, lineage.value.version) });
}

/** Null where neither the record nor the bytes say them: a difference without them is a difference all the same. */
async function labelsOf(
  mesh: Connected,
  { artifact, dataset }: VersionView,
): Promise<readonly string[] | null> {
  if (dataset !== null) {
    const record = await mesh.client.query("dataset", { dataset: dataset.name, removed: true });
    const version = record.ok
      ? record.value.versions.find(({ digest }) => digest === dataset.digest)
      : undefined;
    if (version !== undefined) return version.labels ?? [];
  }
  const bytes = await fetchBytes(mesh, artifact);
  const checkpoint = bytes.ok ? decodeCheckpoint(bytes.value) : bytes;
  if (!checkpoint.ok) return null;
  const { extra, labels } = checkpoint.value.meta;
  return extra["target"] === "number" ? [] : labels;
}
