/**
 * What a dataset's rows are like, however it is named: a plain file, a dataset file, a version on record or its Parquet
 * file; with the labels that look wrong. Not how that is shown.
 */
import { resolve } from "node:path";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { profileDeclaration } from "../../data/profile/profile-declaration.ts";
import { profileFile } from "../../data/profile/profile-file.ts";
import { profileVersion } from "../../data/profile/profile-version.ts";
import type { Profile } from "../../data/profile/profile.ts";
import type { LabelErrors } from "../../data/quality/find-label-errors.ts";
import { versionLabelErrors } from "../../data/quality/version-label-errors.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Surroundings } from "../../system/environment.ts";
import { readPageParts } from "../report/chart-library.ts";
import { profilePage } from "../report/dataset/profile-page.ts";
import { writePage, type WrittenPage } from "../report/write-page.ts";
import { engineHere } from "./engine-option.ts";
import { isDatasetFile, openVersion, readDeclared } from "./open-version.ts";

export interface ProfileDatasetOptions {
  /** NAME, NAME@VERSION, a dataset file, or a file of rows. */
  readonly dataset: string;
  /** Who asks the mesh, where it is asked. */
  readonly as?: string | undefined;
  /** Whether labels that are likely wrong are looked for. */
  readonly labelErrors: boolean;
  /** Of a plain file: its columns of texts and of labels. */
  readonly text?: string | undefined;
  readonly label?: string | undefined;
}

export interface ProfiledDataset {
  readonly profile: Profile;
  /** Null for a table, and where it was not asked for. */
  readonly errors: LabelErrors | null;
  /** Of a version, what its build left out; null for a plain file. */
  readonly manifest: Manifest | null;
}

const suspectsListed = 100;

export async function profileDataset(
  { as, dataset, label, labelErrors, text }: ProfileDatasetOptions,
  surroundings: Surroundings,
): Promise<Outcome<ProfiledDataset>> {
  const isPlain = /\.(?:csv|tsv|jsonl|ndjson)$/iu.test(dataset) || text !== undefined || label !== undefined;
  if (isPlain) {
    const found = await profileFile({ path: dataset, text, label }, engineHere);
    return found.ok ? accept({ profile: found.value, errors: null, manifest: null }) : found;
  }
  const opened = await openVersion(dataset, surroundings, as);
  if (!opened.ok) return opened;
  const { digest, path } = opened.value;
  const profiled = isDatasetFile(dataset)
    ? await profileDeclared(dataset, surroundings)
    : await profileBuilt(path, digest);
  if (!profiled.ok || !labelErrors || profiled.value.profile.text === null) return profiled;
  surroundings.say("looking for labels that are likely wrong");
  const errors = await versionLabelErrors(path, { ...engineHere, most: suspectsListed });
  return errors.ok ? accept({ ...profiled.value, errors: errors.value }) : errors;
}

/** With the rows that the build leaves out of training, since a held-out split has their text. */
async function profileDeclared(
  file: string,
  { environment }: Surroundings,
): Promise<Outcome<ProfiledDataset>> {
  const declared = await readDeclared(file, environment);
  if (!declared.ok) return declared;
  const found = await profileDeclaration(declared.value.declaration, engineHere);
  return found.ok ? accept({ profile: found.value, errors: null, manifest: null }) : found;
}

async function profileBuilt(path: string, digest: string): Promise<Outcome<ProfiledDataset>> {
  const manifest = await readManifest(path);
  if (!manifest.ok) return manifest;
  const found = await profileVersion(path, digest, engineHere);
  return found.ok ? accept({ profile: found.value, errors: null, manifest: manifest.value }) : found;
}

export function writeProfilePage(file: string, { errors, profile }: ProfiledDataset): Outcome<WrittenPage> {
  return writePage(resolve(file), profilePage(profile, errors, readPageParts()), "--html");
}
