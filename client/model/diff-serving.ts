/** How far what a served version was asked, and answered, lies from a data set: by its serving profile, for its rows are not kept. */
import { readFile } from "node:fs/promises";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import type { ColumnDrift } from "../../data/drift/column-drift.ts";
import type { DatasetDiff, DiffSide } from "../../data/drift/diff.ts";
import { profileDrift } from "../../data/drift/profile-drift.ts";
import { driftVerdicts } from "../../data/drift/verdict.ts";
import type { Profile } from "../../data/profile/profile.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import {
  servingProfileSchema,
  wholePart,
  type ServingProfile,
} from "../../serving/profile/serving-profile.ts";
import type { Surroundings } from "../../system/environment.ts";
import { trainingReference } from "./training-reference.ts";
import { openVersion } from "../dataset/open-version.ts";

export interface ServingDiff {
  readonly format: "trialmesh-serving-diff";
  readonly version: 1;
  /** Rows of its training split, of many a sample. */
  readonly a: DiffSide;
  /** What was served: rows that were looked at, of those that were answered. */
  readonly b: DiffSide & { readonly seen: number; readonly since: number; readonly until: number };
  readonly columns: readonly ColumnDrift[];
  readonly labels: DatasetDiff["labels"];
  readonly drifted: boolean;
  readonly verdicts: DatasetDiff["verdicts"];
}

const answerMs = 30_000;

/** `serving`: the address of a profile, as `http://127.0.0.1:8080/profile/reviews`, or a file that has one. */
export async function diffServing(
  {
    as,
    dataset,
    key,
    serving,
  }: {
    readonly dataset: string;
    readonly serving: string;
    /** Of the server. */
    readonly key: string | undefined;
    readonly as: string | undefined;
  },
  surroundings: Surroundings,
): Promise<Outcome<ServingDiff>> {
  const served = await readServing(serving, key);
  if (!served.ok) return served;
  const opened = await openVersion(dataset, surroundings, as);
  if (!opened.ok) return opened;
  const { digest, path, title } = opened.value;
  const manifest = await readManifest(path);
  if (!manifest.ok) return manifest;
  const reference = await trainingReference(path, manifest.value, served.value);
  if (!reference.ok) return reference;
  const { profile, seen, since, until } = await wholePart(served.value, () => Promise.resolve());
  const columns = [...profileDrift(reference.value, profile)];
  if (columns.length === 0) {
    const name = `${served.value.model}@${served.value.modelVersion}`;
    return refuse(
      "invalid",
      `${title} has no column of those that ${name} is asked about; compare it with the data it was trained on`,
    );
  }
  const side = { split: null, splits: [], digest: null };
  return accept({
    ...{ format: "trialmesh-serving-diff", version: 1, columns },
    a: { ...side, name: title, digest, split: "train", rows: reference.value.rows },
    b: { ...side, name: profile.name, rows: profile.rows, seen, since, until },
    labels: labelRows(served.value, reference.value, profile),
    drifted: columns.some(({ drifted }) => drifted),
    verdicts: driftVerdicts({ columns, text: null }),
  });
}

async function readServing(serving: string, key: string | undefined): Promise<Outcome<ServingProfile>> {
  const text = /^https?:\/\//u.test(serving) ? await askServer(serving, key) : await readProfile(serving);
  if (!text.ok) return text;
  let json: unknown;
  try {
    json = JSON.parse(text.value);
  } catch {
    return refuse(
      "invalid",
      `${serving} is no serving profile: it is not JSON; a server gives one at /profile/NAME`,
    );
  }
  const parsed = parseOutside(servingProfileSchema, json, serving);
  return parsed.ok
    ? parsed
    : refuse(
        "invalid",
        `${serving} is no serving profile; a server gives one at /profile/NAME (${parsed.refusal.message})`,
      );
}

async function readProfile(file: string): Promise<Outcome<string>> {
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? refuse("unknown", `there is no file ${file} that can be read`) : accept(text);
}

async function askServer(url: string, key: string | undefined): Promise<Outcome<string>> {
  try {
    const answer = await fetch(url, {
      signal: AbortSignal.timeout(answerMs),
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
    const text = await answer.text();
    if (answer.ok) return accept(text);
    return refuse(
      answer.status === 404 ? "unknown" : "unavailable",
      `${url} answers ${answer.status}: ${saidBy(text)}`,
    );
  } catch (fault) {
    return refuse("unavailable", `${url} does not answer: ${errorSentence(fault)}`);
  }
}

const saidMax = 300;

function saidBy(text: string): string {
  const said = /^\{"error":"(.*)"\}$/su.exec(text)?.[1] ?? text;
  return said.slice(0, saidMax);
}

function labelRows({ labels, target }: ServingProfile, a: Profile, b: Profile): DatasetDiff["labels"] {
  if (labels === null) return [];
  const rowsOf = (profile: Profile) => {
    const column = profile.sketches.columns[target] ?? profile.sketches.columns[`${target} (answer)`];
    return new Map(column?.frequent.items.map(([value, rows]) => [String(value), rows]));
  };
  const [inA, inB] = [rowsOf(a), rowsOf(b)];
  return labels.map((label) => ({ label, a: inA.get(label) ?? 0, b: inB.get(label) ?? 0 }));
}
