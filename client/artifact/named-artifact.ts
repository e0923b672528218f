/** Artifacts that the mesh's record names, by their names: versions of datasets and models, aliases. Not where their bytes are. */
import type { MeshClient } from "../../protocol/client.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";

export interface NamedArtifact {
  readonly digest: Digest;
  readonly bytes: number;
  /** `reviews@2`, `sentiment@7`, `sentiment@champion`. */
  readonly name: string;
  readonly of: "dataset" | "model";
}

export async function namedArtifacts(client: MeshClient): Promise<Outcome<readonly NamedArtifact[]>> {
  const [datasets, models] = await Promise.all([client.query("datasets", {}), client.query("models", {})]);
  if (!datasets.ok) return datasets;
  if (!models.ok) return models;
  const named: NamedArtifact[] = [];
  for (const { dataset } of datasets.value.datasets) {
    const view = await client.query("dataset", { dataset });
    if (!view.ok) return view;
    for (const { bytes, digest, version } of view.value.versions)
      named.push({ digest, bytes, name: `${dataset}@${version}`, of: "dataset" });
  }
  for (const { model } of models.value.models) {
    const view = await client.query("model", { model });
    if (!view.ok) return view;
    const { aliases, versions } = view.value;
    for (const { artifact, bytes, version } of versions) {
      const names = [
        version,
        ...aliases.filter((alias) => alias.version === version).map(({ alias }) => alias),
      ];
      for (const name of names)
        named.push({ digest: artifact, bytes, name: `${model}@${name}`, of: "model" });
    }
  }
  return accept(named);
}
