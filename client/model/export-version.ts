/**
 * A version of a model as a folder for others: its bytes and its data set's own transformation brought here, then written by
 * `serving/export`. What a program made is put there as the program left it: nobody here knows what is in it.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { artifactFolder, openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import type { Digest } from "../../protocol/id.ts";
import { isProgramTask } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { ModelFormat } from "../../serving/export/model-format.ts";
import { exportModel } from "../../serving/export/export-model.ts";
import type { Surroundings } from "../../system/environment.ts";

import { bringArtifact, placeArtifact, type Progress } from "../artifact/bring-artifact.ts";
import { fetchBytes } from "../artifact/fetch-bytes.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { fetchVersion } from "../dataset/build-on-agent.ts";
import { resolveModel } from "./open-model.ts";

export interface ExportOptions {
  readonly folder: string;
  /** Null: as it is, which only models of programs are. */
  readonly format: ModelFormat | null;
  readonly force: boolean;
  readonly progress: Progress;
}

export interface ExportedVersion {
  /** `name@version`. */
  readonly model: string;
  readonly folder: string;
  readonly format: ModelFormat | "as it is";
  readonly files: number;
  readonly bytes: number;
}

/** `reference` as `resolveModel` takes it. */
export async function exportVersion(
  connected: Connected,
  reference: string,
  options: ExportOptions,
  surroundings: Surroundings,
): Promise<Outcome<ExportedVersion>> {
  const found = await resolveModel(connected.client, reference, surroundings.say);
  if (!found.ok) return found;
  const wanted = { model: found.value.model, version: found.value.version };
  const lineage = await connected.client.query("lineage", wanted);
  if (!lineage.ok) return lineage;
  const { model, version } = lineage.value;
  const name = `${model}@${version.version}`;
  if (isProgramTask(version.task)) return asItIs(connected, name, version.artifact, options, surroundings);
  if (options.format === null)
    return refuse(
      "invalid",
      `${name} is of task ${version.task}; say with --format what it is to be written as`,
    );
  return builtIn(connected, lineage.value, { ...options, format: options.format }, surroundings);
}

async function builtIn(
  connected: Connected,
  lineage: LineageView,
  { folder, force, format }: ExportOptions & { readonly format: ModelFormat },
  { environment, say }: Surroundings,
): Promise<Outcome<ExportedVersion>> {
  const { model, version } = lineage;
  const title = `${model}@${version.version}`;
  const bytes = await fetchBytes(connected, version.artifact);
  if (!bytes.ok) return refuse(bytes.refusal.code, `${title} cannot be exported: ${bytes.refusal.message}`);
  const { dataset } = version;
  const held = dataset === null ? null : await fetchVersion(connected, dataset.digest, environment, say);
  if (held !== null && !held.ok)
    return refuse(
      held.refusal.code,
      `${title} cannot be exported without the transformation of its data set ${dataset?.name ?? ""}: ${held.refusal.message}`,
    );
  const name = { model, version: version.version, digest: version.artifact };
  const manifest = held?.value.manifest ?? null;
  const made = await exportModel({
    name,
    bytes: bytes.value,
    manifest,
    lineage,
    example: version.example,
    format,
    folder,
    force,
  });
  if (!made.ok) return made;
  const { files } = made.value;
  const sum = files.reduce((total, file) => total + file.bytes, 0);
  return accept({ model: title, folder, format, files: files.length, bytes: sum });
}

async function asItIs(
  mesh: Connected,
  name: string,
  artifact: Digest,
  { folder, format, progress }: ExportOptions,
  { say }: Surroundings,
): Promise<Outcome<ExportedVersion>> {
  if (format !== null)
    return refuse(
      "invalid",
      `${name} is what a program made, and only the program knows how it answers; leave out --format, and it is copied as it is`,
    );
  if (existsSync(folder))
    return refuse(
      "conflict",
      `${folder} is there already; --to names another place for what the program made`,
    );
  const home = join(mesh.home.path, artifactFolder);
  const store = openArtifactStore({ folder: home, clock: systemClock, quotaBytes: null });
  if (!store.ok) return store;
  try {
    const held = await bringArtifact({ store: store.value, mesh, named: [] }, artifact, say, progress);
    if (!held.ok) return held;
    try {
      const placed = await placeArtifact(held.value, folder);
      if (!placed.ok) return placed;
      const { bytes } = held.value;
      return accept({ model: name, folder, format: "as it is", files: placed.value.files, bytes });
    } finally {
      held.value.release();
    }
  } finally {
    await store.value.close();
  }
}
