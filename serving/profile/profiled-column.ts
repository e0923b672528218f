/**
 * What is kept of each column of the rows that are asked about, and of the answers: of a text its length alone, of a category its value where
 * training knew it, of a label the label. Nothing that somebody wrote is kept as it stands.
 */
import { withoutPersonal } from "../../data/profile/personal-data.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import type { Signature } from "../model/served-model.ts";

/** What stands for a category that training did not know. */
export const strangeCategory = "(none that training knew)";
const categoryUnitsMost = 80;

/** Names of the values that training knew, by input. */
export type KnownCategories = ReadonlyMap<string, ReadonlySet<string>>;

export interface ProfiledInput {
  readonly name: string;
  readonly kind: Signature["inputs"][number]["kind"];
  /** Its column, or of a text those of its characters and of its words. */
  readonly columns: readonly [string, ...string[]];
}

export interface ProfiledColumns {
  readonly inputs: readonly ProfiledInput[];
  /** Of the label or the number that was answered. */
  readonly answer: string;
  /** Of the probability of that label; null where a number is answered. */
  readonly probability: string | null;
}

export function profiledColumns({
  inputs,
  labels,
  target,
}: Pick<Signature, "inputs" | "labels" | "target">): ProfiledColumns {
  const texts = inputs.filter(({ kind }) => kind === "text");
  const named = inputs.map(({ kind, name }): ProfiledInput => {
    if (kind !== "text") return { name, kind, columns: [name] };
    // As drift of data sets has them.
    const before = texts.length === 1 ? "" : `${name} `;
    return { name, kind, columns: [`${before}characters`, `${before}words`] };
  });
  const taken = new Set(named.flatMap(({ columns }) => columns));
  const free = (name: string) => (taken.has(name) ? `${name} (answer)` : name);
  return { inputs: named, answer: free(target), probability: labels === null ? null : free("probability") };
}

export function knownCategories(manifest: Manifest | null): KnownCategories {
  return new Map(
    (manifest?.features ?? []).flatMap((feature) =>
      feature.kind === "categories" ? [[feature.column, new Set(feature.values)] as const] : [],
    ),
  );
}

export function keptCategory(value: string, known: ReadonlySet<string> | undefined): string {
  if (known === undefined) return withoutPersonal(value.slice(0, categoryUnitsMost));
  return known.has(value) ? value : strangeCategory;
}
