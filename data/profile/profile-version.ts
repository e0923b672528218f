/** The profile of a dataset version: text, label and splits as its manifest says, rows named by file and line of the sources. */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { placeColumns } from "../version/write-version.ts";
import { namesOf, type FrozenFeature } from "../manifest/feature.ts";
import { readManifest } from "../manifest/read-manifest.ts";
import type { Profile } from "./profile.ts";
import { scanOptions, withEngine, type ProfileOptions } from "./profile-file.ts";
import { profileRows } from "./profile-rows.ts";

/** `digest`: SHA-256 of the file, where the caller knows it. */
export async function profileVersion(
  path: string,
  digest: string | null,
  options: ProfileOptions,
): Promise<Outcome<Profile>> {
  const read = await readManifest(path);
  if (!read.ok) return read;
  const manifest = read.value;
  const { form } = manifest.declaration;
  const label = form.kind === "text" ? "label" : manifest.labels === null ? null : form.target;
  // What the label's numbers are like says nothing; its balance does.
  const left = new Set([...placeColumns.map(({ name }) => name), label]);
  return withEngine(options, path, async (engine) => {
    const profile = await profileRows(
      engine,
      {
        name: manifest.name,
        digest,
        path,
        files: manifest.sources.map(({ name }) => name),
        columns: manifest.columns.filter(({ name }) => !left.has(name)),
        split: "split",
        file: "file",
        line: "line",
        text: form.kind === "text" ? "text" : null,
        label,
        labelNames: manifest.labels,
        trimmedLabels: manifest.trimmedLabels ?? 0,
      },
      scanOptions(options),
    );
    // It is there for values that come later, and has none where every category is known.
    const rest = new Set((manifest.features ?? []).flatMap(restOf));
    const findings = profile.findings.filter(
      ({ kind, subject }) => kind !== "constant" || !rest.has(subject),
    );
    return accept({ ...profile, findings });
  });
}

/** The column that stands for every value but the known ones. */
function restOf(feature: FrozenFeature): readonly string[] {
  return feature.kind === "categories" ? namesOf(feature).slice(-1) : [];
}
