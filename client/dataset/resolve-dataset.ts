/**
 * From what a sweep file asks for to the version it means: on record in the mesh, or built from its declaration. Builds
 * nothing that this mesh or this machine has built before.
 */
import { declarationOf } from "../../data/declaration/shorthand.ts";
import { recipeOf } from "../../data/recipe/recipe.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { DatasetRef } from "../../protocol/dataset.ts";
import type { DatasetVersionView } from "../../protocol/dataset-view.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { WantedDataset } from "../../spec/sweep/read-dataset.ts";
import { buildHere, type LocalVersion } from "../../data/version/local-version.ts";
import type { Environment } from "../../system/environment.ts";

export interface ResolvedDataset {
  readonly ref: DatasetRef;
  readonly kind: "text" | "table";
  /** Null where a number is to be predicted. */
  readonly labels: readonly string[] | null;
  /** Where it was built here and the mesh may lack it; null where it is on record. */
  readonly local: LocalVersion | null;
  /** Of a version on record. */
  readonly version: number | null;
}

export async function resolveDataset(
  client: MeshClient | null,
  wanted: WantedDataset,
  environment: Environment,
  say: (line: string) => void,
): Promise<Outcome<ResolvedDataset>> {
  if (wanted.kind === "named") return onRecord(client, wanted);
  if (wanted.kind === "file" && client !== null) {
    const known = await builtBefore(client, wanted);
    if (!known.ok) return known;
    if (known.value !== null) return accept(recorded(known.value));
  }
  const declaration = wanted.kind === "inline" ? declarationOf(wanted.given) : wanted.declaration;
  const built = await buildHere(declaration, environment, say);
  if (!built.ok) return built;
  const { bytes, digest, manifest } = built.value;
  const { labels, name, rows } = manifest;
  const ref = { name, digest, bytes, rows };
  return accept({ ref, kind: manifest.declaration.form.kind, labels, local: built.value, version: null });
}

/** The version that this declaration's recipe gave before in this mesh. */
async function builtBefore(
  client: MeshClient,
  { declaration, name }: Extract<WantedDataset, { kind: "file" }>,
): Promise<Outcome<DatasetVersionView | null>> {
  const view = await client.query("dataset", { dataset: name });
  if (!view.ok) return view.refusal.code === "unknown" ? accept(null) : view;
  const recipe = await recipeOf(declaration);
  if (!recipe.ok) return recipe;
  return accept(view.value.versions.find((version) => version.recipe === recipe.value.key) ?? null);
}

async function onRecord(
  client: MeshClient | null,
  { name, version }: Extract<WantedDataset, { kind: "named" }>,
): Promise<Outcome<ResolvedDataset>> {
  if (client === null)
    return refuse(
      "unavailable",
      `dataset ${name} is on record in a mesh, and there is no mesh to ask for it`,
    );
  const found = await findVersion(client, name, version);
  return found.ok ? accept(recorded(found.value)) : found;
}

/** A version on record; the newest where none is named. */
export async function findVersion(
  client: MeshClient,
  name: string,
  version: number | null,
): Promise<Outcome<DatasetVersionView>> {
  const view = await client.query("dataset", { dataset: name });
  if (!view.ok) return view;
  const { versions } = view.value;
  const found = version === null ? versions.at(-1) : versions.find((each) => each.version === version);
  if (found !== undefined) return accept(found);
  const whole = await client.query("dataset", { dataset: name, removed: true });
  const gone = whole.ok ? whole.value.versions.find((each) => each.version === version)?.removed : undefined;
  if (gone !== undefined) {
    const message = `${name}@${version} was removed by ${gone.by}; \`trialmesh dataset restore ${name}@${version}\` brings it back`;
    return refuse("unknown", message);
  }
  const known = versions.map((each) => String(each.version));
  return refuse(
    "unknown",
    `dataset ${name} has no version ${version}; ${suggestion(String(version), known)}`,
  );
}

function recorded(found: DatasetVersionView): ResolvedDataset {
  const { bytes, dataset: name, digest, kind, labels, rows, version } = found;
  return { ref: { name, digest, bytes, rows }, kind, labels, local: null, version };
}
