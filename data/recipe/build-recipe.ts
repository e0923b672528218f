/** Builds a recipe from files that came by digest: lays them out as the recipe says, and builds as anywhere else. */
import { copyFile, link } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { refuse, type Outcome, type Refusal } from "../../protocol/refusal.ts";
import { buildDataset, type BuildOptions, type BuiltVersion } from "../version/build-dataset.ts";
import { buildVersion } from "../manifest/manifest.ts";
import { placedIn, type Recipe } from "./recipe.ts";
import { makeFolder } from "../../system/make-folder.ts";

/** `parts`: files of this machine by their digest; they are not changed. */
export async function buildRecipe(
  recipe: Recipe,
  parts: Readonly<Record<string, string>>,
  options: BuildOptions,
): Promise<Outcome<BuiltVersion>> {
  if (recipe.build !== buildVersion) {
    const message = `the recipe of ${recipe.declaration.name} is for build version ${recipe.build}, and this trialmesh builds version ${buildVersion}; bring both to the same release`;
    return refuse("conflict", message);
  }
  const folder = join(options.workDir, "sources");
  for (const [index, files] of recipe.files.entries()) {
    for (const { digest, path } of files) {
      const part = parts[digest];
      if (part === undefined)
        return refuse(
          "unavailable",
          `the file ${path} of ${recipe.declaration.name} did not come with its recipe`,
        );
      const place = join(folder, String(index), path);
      await makeFolder(dirname(place));
      // A second name costs nothing; where the folder is on another disk it has to be a copy.
      await link(part, place).catch(() => copyFile(part, place));
    }
  }
  const built = await buildDataset(placedIn(recipe, folder), options);
  return built.ok ? built : { ok: false, refusal: asDeclared(built.refusal, folder) };
}

/** The folder of a build means nothing to whoever reads the refusal elsewhere: files go by their own names. */
function asDeclared(refusal: Refusal, folder: string): Refusal {
  const parts = refusal.message.split(`${resolve(folder)}${sep}`);
  const [first = "", ...rest] = parts;
  return { ...refusal, message: [first, ...rest.map((part) => part.replace(/^\d+[\\/]/u, ""))].join("") };
}
