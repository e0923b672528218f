/**
 * What the code that trains is called in the record: a result counts again only under the same name.
 * It is the package's version and the version of the training code, which moves when figures would.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";
import { trainingVersion } from "./training-version.ts";

const packageSchema = z.object({ name: storedText, version: storedText });

/** The project's folder: where its `package.json` is, from the sources or from what they were compiled to. */
export const projectFolder: string = findProject(dirname(fileURLToPath(import.meta.url)));

export const packageVersion: string = readPackage(projectFolder)?.version ?? "unknown";

export const codeVersion = `trialmesh ${packageVersion}, training ${trainingVersion}`;

function findProject(folder: string): string {
  if (readPackage(folder)?.name === "trialmesh") return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error("the package.json of trialmesh is missing beside its code");
  return findProject(parent);
}

function readPackage(folder: string): z.infer<typeof packageSchema> | null {
  const path = join(folder, "package.json");
  return existsSync(path) ? packageSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : null;
}
