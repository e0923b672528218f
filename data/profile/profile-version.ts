/**
 * The profile of a dataset version: text, label and splits as its manifest says, rows named by file and line of the sources. Of
 * a table it is of the data as it came, with what the plan made of each column beside it.
 */
import { join } from "node:path";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id, lit } from "../engine/sql.ts";
import { placeColumns } from "../version/write-version.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { becomes, cameColumns } from "../manifest/raw-column.ts";
import { readManifest } from "../manifest/read-manifest.ts";
import type { Profile } from "./profile.ts";
import { scanOptions, withEngine, type ProfileOptions } from "./profile-file.ts";
import { profileRows, type RowsToProfile } from "./profile-rows.ts";

/** `digest`: SHA-256 of the file, where the caller knows it. */
export async function profileVersion(
  path: string,
  digest: string | null,
  options: ProfileOptions,
): Promise<Outcome<Profile>> {
  const read = await readManifest(path);
  if (!read.ok) return read;
  const manifest = read.value;
  return withEngine(options, path, async (engine, folder) => {
    const shared = {
      name: manifest.name,
      digest,
      files: manifest.sources.map(({ name }) => name),
      labelNames: manifest.labels,
      trimmedLabels: manifest.trimmedLabels ?? 0,
    };
    const table: RowsToProfile =
      manifest.declaration.form.kind === "text"
        ? { ...shared, path, ...ownPlace, columns: textColumns(manifest), text: "text", label: "label" }
        : { ...shared, ...(await cameTable(engine, manifest, path, join(folder, "came.parquet"))) };
    const profile = await profileRows(engine, table, scanOptions(options));
    return accept({ ...profile, columns: withBecomes(profile.columns, manifest) });
  });
}

const ownPlace = { split: "split", file: "file", line: "line" } as const;
/** A column of the data may be called as those are. */
const copiedPlace = { split: "__split", file: "__file", line: "__line" } as const;

/** What the label's numbers are like says nothing; its balance does. */
function textColumns({ columns }: Manifest): RowsToProfile["columns"] {
  const left = new Set([...placeColumns.map(({ name }) => name), "label"]);
  return columns.filter(({ name }) => !left.has(name));
}

/** The label's number. */
const labelNumber = "__label";

async function cameTable(
  engine: Engine,
  manifest: Manifest,
  path: string,
  copy: string,
): Promise<Omit<RowsToProfile, "name" | "digest" | "files" | "labelNames" | "trimmedLabels">> {
  const { form } = manifest.declaration;
  const target = form.kind === "text" ? form.label : form.target;
  const columns = cameColumns(manifest);
  const place = placeColumns.map(({ name, sql }) => `${id(name)} AS ${sql}`);
  const made = columns.map(({ name, sql }) => `${sql} AS ${id(name)}`);
  const label = manifest.labels === null ? [] : [`${id(target)} AS ${labelNumber}`];
  await engine.run(
    `COPY (SELECT ${[...place, ...made, ...label].join(", ")} FROM read_parquet(${lit(path)})) TO ${lit(copy)} (FORMAT parquet)`,
  );
  return {
    ...copiedPlace,
    path: copy,
    columns: columns.map(({ name, type }) => ({ name, type })),
    text: null,
    label: manifest.labels === null ? null : labelNumber,
    labelTitle: target,
  };
}

function withBecomes(columns: Profile["columns"], { features }: Manifest): Profile["columns"] {
  const byName = new Map((features ?? []).map((feature) => [feature.column, feature]));
  return columns.map((column) => {
    const feature = byName.get(column.name);
    return feature === undefined ? column : { ...column, becomes: becomes(feature, column.type) };
  });
}
