/**
 * Everything a build needs, so that it can be done on another machine: the declaration without its folders, and for
 * each source its files by their names as artifacts, with where they stand relative to a folder of the source's own. Copies nothing.
 */
import { basename, join } from "node:path";
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { nameFile } from "../../artifact/name-artifact.ts";
import { locateSource } from "../source/locate-source.ts";
import { recipeKey, sourceDigest } from "../source/recipe-key.ts";
import { declarationSchema, placeless, type Declaration } from "../declaration/declaration.ts";
import type { FileSource } from "../declaration/source.ts";
import { buildVersion } from "../manifest/manifest.ts";

const sha256 = storedText.regex(/^[0-9a-f]{64}$/u);
/** A relative path of plain names: nothing in it leads out of the folder it is put into. */
const insideSchema = storedText
  .min(1)
  .refine((path) => path.split("/").every((part) => part !== "" && part !== "." && part !== ".."), {
    error: "should lead to a file below its folder",
  });

const fileSchema = z.strictObject({ path: insideSchema, digest: sha256, bytes: z.int().nonnegative() });

export const recipeSchema = z.strictObject({
  format: z.literal("trialmesh-dataset-recipe"),
  build: z.int().positive(),
  declaration: declarationSchema,
  /** In the order of the declaration's sources; none for one that is embedded. */
  files: storedList(storedList(fileSchema)),
});
export type Recipe = z.infer<typeof recipeSchema>;

export interface LocalRecipe {
  readonly recipe: Recipe;
  /** What has been built from this needs no second build. */
  readonly key: string;
  /** Where each file lies here, by digest. */
  readonly paths: ReadonlyMap<string, string>;
  readonly bytes: number;
}

/** Folder below a source's own in which the DVC cache's layout is made again. */
const dvcCache = "cache";

/** Reads every file once, but those of folders twice: their names count too. */
export async function recipeOf(declaration: Declaration): Promise<Outcome<LocalRecipe>> {
  const digests: string[] = [];
  const paths = new Map<string, string>();
  const files: z.infer<typeof fileSchema>[][] = [];
  let total = 0;
  for (const source of declaration.sources) {
    const own: z.infer<typeof fileSchema>[] = [];
    let last: string | undefined;
    if (source.format !== "embedded") {
      const found = await filesOf(source);
      if (!found.ok) return found;
      for (const { from, path } of found.value) {
        const { bytes, digest, plain } = await nameFile(from);
        own.push({ path, digest, bytes });
        paths.set(digest, from);
        total += bytes;
        last = plain;
      }
    }
    files.push(own);
    // The last file of a source is its bytes; before it may stand a pointer to them. A recipe's key is of their SHA-256, as it ever was.
    const bytes = source.format === "folder" ? undefined : last;
    const digest = bytes === undefined ? await sourceDigest(source) : accept(bytes);
    if (!digest.ok) return digest;
    digests.push(digest.value);
  }
  return accept({
    recipe: {
      format: "trialmesh-dataset-recipe",
      build: buildVersion,
      declaration: placeless(declaration),
      files,
    },
    key: recipeKey(declaration, digests),
    paths,
    bytes: total,
  });
}

/** The declaration with its sources below `folder`, one folder each, laid out as `recipe.files` says. */
export function placedIn(recipe: Recipe, folder: string): Declaration {
  return {
    ...recipe.declaration,
    sources: recipe.declaration.sources.map((source, index) => {
      if (source.format === "embedded") return source;
      const own = join(folder, String(index));
      const placed = { ...source, path: join(own, basename(source.path)) };
      return isPointer(source) ? { ...placed, cache: join(own, dvcCache) } : placed;
    }),
  };
}

interface SourceFile {
  readonly from: string;
  readonly path: string;
}

async function filesOf(source: FileSource): Promise<Outcome<readonly SourceFile[]>> {
  const located = await locateSource(source);
  if (!located.ok) return located;
  const name = basename(source.path);
  const { listing, objects, path } = located.value;
  if (isPointer(source)) {
    // The bytes lie in some cache, and are found there again.
    return accept([
      { from: source.path, path: name },
      ...objects.map((object) => ({ from: object.path, path: `${dvcCache}/${object.inCache}` })),
    ]);
  }
  if (listing === null) return accept([{ from: path, path: name }]);
  return accept(
    listing.examples.map(({ file, label, path: from }) => ({ from, path: `${name}/${label}/${file}` })),
  );
}

function isPointer(source: FileSource): boolean {
  return source.path.endsWith(".dvc");
}
