/** How two datasets, however they are named, or splits of them differ. What counts as drift is `data/drift`. */
import { resolve } from "node:path";
import { diffDatasets, type DiffInput } from "../../data/drift/diff-datasets.ts";
import type { DatasetDiff } from "../../data/drift/diff.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Surroundings } from "../../system/environment.ts";
import { readPageParts } from "../report/chart-library.ts";
import { diffPage } from "../report/dataset/diff-page.ts";
import { writePage, type WrittenPage } from "../report/write-page.ts";
import { engineHere } from "./engine-option.ts";
import { openVersion } from "./open-version.ts";

/** NAME, NAME@VERSION, a dataset file or a version's Parquet file; without a split, all of it. */
export interface DiffSide {
  readonly dataset: string;
  readonly split?: DiffInput["split"] | undefined;
}

/** `a` is the reference. */
export async function diffVersions(
  a: DiffSide,
  b: DiffSide,
  surroundings: Surroundings,
  as?: string,
): Promise<Outcome<DatasetDiff>> {
  const first = await openVersion(a.dataset, surroundings, as);
  if (!first.ok) return first;
  const second = await openVersion(b.dataset, surroundings, as);
  if (!second.ok) return second;
  return diffDatasets(
    { path: first.value.path, digest: first.value.digest, split: a.split },
    { path: second.value.path, digest: second.value.digest, split: b.split },
    engineHere,
  );
}

export function writeDiffPage(file: string, diff: DatasetDiff): Outcome<WrittenPage> {
  return writePage(resolve(file), diffPage(diff, readPageParts()), "--html");
}
