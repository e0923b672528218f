/**
 * The model or dataset that a command names, or one version of it, whether it is in sight or not. What is done with it is for others to
 * decide; which version serves is said in `resolve-version.ts`.
 */
import type { Digest } from "../../protocol/id.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { RegistryEntry } from "../../protocol/registry-entry.ts";
import type { Sender } from "../state/input.ts";
import type { DatasetRecord, Model, State, Version } from "../state/state.ts";
import { liveVersions } from "./live-version.ts";
import { resolveVersion } from "./resolve-version.ts";

type Labels = Pick<Version, "notes" | "tags">;

/** What removing and restoring ask of a version, of whatever it is one. */
export interface EntryVersion extends Labels, Pick<Version, "removed"> {
  readonly version: number;
  /** Whose sweep registered it, or who added it. */
  readonly owner: string;
  /** What must be there for it to be of use, its own bytes first. */
  readonly digests: readonly [Digest, ...Digest[]];
  readonly bytes: number;
}

export interface Entry {
  readonly of: "dataset" | "model";
  readonly name: string;
  /** Null: all of it. */
  readonly version: number | null;
  /** As people write it: `language-id@3`, `language-id`. */
  readonly text: string;
  readonly labels: Labels;
  /** The one, or all that it has. */
  readonly versions: readonly EntryVersion[];
}

export function findEntry(state: State, { name, of, version }: RegistryEntry): Outcome<Entry> {
  const records = of === "model" ? state.models : state.datasets;
  const record = records.get(name);
  if (record === undefined) {
    const message = `there is no ${of} ${name}; ${suggestion(name, records.keys())}`;
    return refuse("unknown", message, ["name"]);
  }
  const all = "model" in record ? ofModel(record) : ofDataset(record);
  if (version === null) return accept({ of, name, version: null, text: name, labels: record, versions: all });
  const number = "model" in record ? modelVersion(state, name, version) : datasetVersion(record, version);
  if (!number.ok) return number;
  const found = all.find((each) => each.version === number.value);
  if (found === undefined) {
    const known = all.map((each) => each.version).join(", ");
    return refuse("unknown", `${name} has no version ${number.value}; it has ${known}`, ["version"]);
  }
  const text = `${name}@${found.version}`;
  return accept({ of, name, version: found.version, text, labels: found, versions: [found] });
}

/** As `findEntry`, where its sender may change it. A version is one person's; a name is shared by all who have registered under it. */
export function ownEntry(state: State, { role, who }: Sender, wanted: RegistryEntry): Outcome<Entry> {
  const found = findEntry(state, wanted);
  if (!found.ok || role === "owner" || found.value.versions.some(({ owner }) => owner === who)) return found;
  const owners = [...new Set(found.value.versions.map(({ owner }) => owner))];
  return refuse("forbidden", `${found.value.text} belongs to ${owners.join(", ")}`, ["name"]);
}

function ofModel({ versions }: Model): EntryVersion[] {
  return versions.map((of) => ({ ...of, owner: of.requester, digests: [of.artifact] }));
}

function ofDataset({ versions }: DatasetRecord): EntryVersion[] {
  return versions.map((of) => ({ ...of, owner: of.by, digests: [of.digest, of.recipe] }));
}

function modelVersion(state: State, model: string, version: number | string): Outcome<number> {
  if (typeof version === "number") return accept(version);
  const resolved = resolveVersion(state, model, version);
  return resolved.ok ? accept(resolved.value.version) : resolved;
}

function datasetVersion(record: DatasetRecord, version: number | string): Outcome<number> {
  if (typeof version === "number") return accept(version);
  const newest = liveVersions(record).at(-1);
  if (version === "newest" && newest !== undefined) return accept(newest.version);
  const message =
    version === "newest"
      ? `every version of ${record.dataset} is removed`
      : `a version of ${record.dataset} is named by its number, or newest, not "${version}"`;
  return refuse("unknown", message, ["version"]);
}
