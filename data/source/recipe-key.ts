/**
 * What decides the bytes of a version, as one digest: the declaration without its folders, the digests of the sources
 * and the version of the build. A mesh that has built this recipe need not build it again. Builds nothing itself.
 */
import { createHash } from "node:crypto";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { placeless, type Declaration } from "../declaration/declaration.ts";
import type { Source } from "../declaration/source.ts";
import type { TextDataset } from "../row/dataset-rows.ts";
import { languageIdDataset, languageIdName } from "../row/language-id.ts";
import { buildVersion } from "../manifest/manifest.ts";
import { folderDigest } from "./folder-source.ts";
import { digestOf, locateSource } from "./locate-source.ts";

/** Lower-case hexadecimal SHA-256. `digests` in the order of the sources. */
export function recipeKey(declaration: Declaration, digests: readonly string[]): string {
  const recipe = JSON.stringify({ build: buildVersion, declaration: placeless(declaration), digests });
  return createHash("sha256").update(recipe).digest("hex");
}

/** Reads every source once. */
export async function sourceDigests(declaration: Declaration): Promise<Outcome<readonly string[]>> {
  const digests: string[] = [];
  for (const source of declaration.sources) {
    const digest = await sourceDigest(source);
    if (!digest.ok) return digest;
    digests.push(digest.value);
  }
  return accept(digests);
}

/** Of a file its bytes, of a folder names and bytes, of what is embedded the rows. */
export async function sourceDigest(source: Source): Promise<Outcome<string>> {
  if (source.format === "embedded") {
    if (source.name === languageIdName) return accept(embeddedDigest(languageIdDataset()));
    return refuse("unknown", `no embedded dataset is called "${source.name}"; there is "${languageIdName}"`);
  }
  const located = await locateSource(source);
  if (!located.ok) return located;
  const { listing, path } = located.value;
  return accept(listing === null ? await digestOf(path) : await folderDigest(listing));
}

/** Of the rows, for there is no file. */
export function embeddedDigest(dataset: TextDataset): string {
  const hash = createHash("sha256");
  for (const split of ["train", "validation", "test"] as const) {
    for (const { text, label } of dataset[split])
      hash.update(`${split}\t${dataset.labels[label] ?? ""}\t${text}\n`);
  }
  return hash.digest("hex");
}
