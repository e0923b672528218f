/**
 * The profile of whatever a person names: a version, a declaration, a plain file, a profile that was made elsewhere; or of
 * several of these as the parts of one set, each profiled by itself and then merged. It prints nothing.
 */
import { resolve } from "node:path";
import * as z from "zod";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import { mergeParts } from "../../data/profile/merge-profile.ts";
import { profileDeclaration } from "../../data/profile/profile-declaration.ts";
import { profileFile } from "../../data/profile/profile-file.ts";
import { profileVersion } from "../../data/profile/profile-version.ts";
import { profileSchema, type Profile } from "../../data/profile/profile.ts";
import type { LabelErrors } from "../../data/quality/find-label-errors.ts";
import { versionLabelErrors } from "../../data/quality/version-label-errors.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { readFileText } from "../../spec/file/read-file-text.ts";
import type { Surroundings } from "../../system/environment.ts";
import { readPageParts } from "../report/chart-library.ts";
import { profilePage } from "../report/dataset/profile-page.ts";
import { writePage, type WrittenPage } from "../report/write-page.ts";
import { engineHere } from "./engine-option.ts";
import { isDatasetFile, openVersion, readDeclared } from "./open-version.ts";

export interface ProfileRequest {
  /** Names, versions, files; more than one are parts of one set. */
  readonly parts: readonly [string, ...string[]];
  /** Columns of plain files to look into as text and label. */
  readonly text?: string | undefined;
  readonly label?: string | undefined;
  /** Whether to look for labels that are likely wrong, which takes all rows of one version. */
  readonly labelErrors: boolean;
  /** The user to ask the mesh as. */
  readonly as?: string | undefined;
}

export interface Profiled {
  readonly profile: Profile;
  /** Null for a table, for several parts, and where it was not asked for. */
  readonly errors: LabelErrors | null;
  /** Of one version, what its build left out; null for anything else. */
  readonly manifest: Manifest | null;
}

const suspectsListed = 100;

export async function profileDataset(
  request: ProfileRequest,
  surroundings: Surroundings,
): Promise<Outcome<Profiled>> {
  const [first, ...rest] = request.parts;
  if (rest.length === 0) return profilePart(first, request, surroundings);
  const asPart = { ...request, labelErrors: false };
  const head = await profilePart(first, asPart, surroundings);
  if (!head.ok) return head;
  const profiles: [Profile, ...Profile[]] = [head.value.profile];
  for (const part of rest) {
    const next = await profilePart(part, asPart, surroundings);
    if (!next.ok) return next;
    profiles.push(next.value.profile);
  }
  const twice = twiceGiven(request.parts, profiles);
  if (twice !== null)
    return refuse("invalid", `${twice} is given twice, and its rows would count twice; name each part once`);
  const merged = mergeParts(profiles);
  if (!merged.ok) return merged;
  surroundings.say(
    `merged from ${profiles.length} profiles: repeats across them are estimated, and conflicts and leaks between them are not seen`,
  );
  return accept({ profile: merged.value, errors: null, manifest: null });
}

function twiceGiven(parts: readonly string[], profiles: readonly Profile[]): string | null {
  const known = new Set<string>();
  for (const [at, part] of parts.entries()) {
    const one = profiles[at]?.digest ?? resolve(part);
    if (known.has(one)) return part;
    known.add(one);
  }
  return null;
}

async function profilePart(
  dataset: string,
  { as, label, labelErrors, text }: ProfileRequest,
  surroundings: Surroundings,
): Promise<Outcome<Profiled>> {
  if (/\.json$/iu.test(dataset)) return readProfile(dataset);
  if (/\.(?:csv|tsv|jsonl|ndjson)$/iu.test(dataset) || text !== undefined || label !== undefined) {
    const found = await profileFile({ path: dataset, text, label }, engineHere);
    return found.ok ? accept({ profile: found.value, errors: null, manifest: null }) : found;
  }
  const opened = await openVersion(dataset, surroundings, as);
  if (!opened.ok) return opened;
  const { digest, path } = opened.value;
  const profiled = isDatasetFile(dataset)
    ? await profileDeclared(dataset, surroundings)
    : await profileOpened(path, digest);
  if (!profiled.ok || !labelErrors || profiled.value.profile.text === null) return profiled;
  surroundings.say("looking for labels that are likely wrong");
  const errors = await versionLabelErrors(path, { ...engineHere, most: suspectsListed });
  return errors.ok ? accept({ ...profiled.value, errors: errors.value }) : errors;
}

/** With the rows that the build leaves out of training, since a held-out split has their text. */
async function profileDeclared(file: string, { environment }: Surroundings): Promise<Outcome<Profiled>> {
  const declared = await readDeclared(file, environment);
  if (!declared.ok) return declared;
  const found = await profileDeclaration(declared.value.declaration, engineHere);
  return found.ok ? accept({ profile: found.value, errors: null, manifest: null }) : found;
}

async function profileOpened(path: string, digest: string | null): Promise<Outcome<Profiled>> {
  const manifest = await readManifest(path);
  if (!manifest.ok) return manifest;
  const found = await profileVersion(path, digest, engineHere);
  return found.ok ? accept({ profile: found.value, errors: null, manifest: manifest.value }) : found;
}

/** What `dataset profile --json` printed. */
const printedSchema = z.object({ profile: profileSchema });

/** A profile made before, on this machine or another. */
async function readProfile(file: string): Promise<Outcome<Profiled>> {
  const advice = "give what `trialmesh dataset profile --json` printed";
  const text = await readFileText(file, advice);
  if (!text.ok) return text;
  try {
    const { profile } = printedSchema.parse(JSON.parse(text.value));
    return accept({ profile, errors: null, manifest: null });
  } catch (error) {
    return refuse("invalid", `${file} is no profile (${errorSentence(error)}); ${advice}`);
  }
}

export function writeProfilePage(file: string, { errors, profile }: Profiled): Outcome<WrittenPage> {
  return writePage(resolve(file), profilePage(profile, errors, readPageParts()), "--html");
}
