/**
 * Native runtimes are not dependencies: they are large, built for one machine, and not everywhere to be had.
 * They are found in a folder of their own outside the project, else in the project where someone put them there.
 */
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";
import { managedRuntimes } from "./managed-runtime.ts";

const manifestSchema = z.object({ version: storedText });

/** `TRIALMESH_RUNTIME`, or `.cache/trialmesh/runtime` in the user's own folder. */
export function runtimeFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const given = environment["TRIALMESH_RUNTIME"];
  return given === undefined || given === "" ? join(homedir(), ".cache", "trialmesh", "runtime") : given;
}

/** What a person types to bring in the runtime that this package is of. */
export function installCommand(packageName: string): string {
  const runtime = managedRuntimes.find((one) => one.packages.some(({ name }) => name === packageName));
  return `trialmesh runtime install ${runtime?.name ?? packageName}`;
}

export interface FoundPackage {
  readonly version: string;
  /** Loads the package. Its exports are checked by whoever uses them. */
  readonly load: () => unknown;
  /** Loads another package from the same place, so that the two share what they both depend on. */
  readonly loadBeside: (name: string) => unknown;
}

/** The package, or null where it is in none of the places. */
export function findPackage(name: string): FoundPackage | null {
  for (const from of placesOf(name)) {
    const load = createRequire(from);
    try {
      const { version } = manifestSchema.parse(load(`${name}/package.json`));
      return { version, load: (): unknown => load(name), loadBeside: (other): unknown => load(other) };
    } catch {
      // Not here: the next place may have it.
    }
  }
  return null;
}

/** A runtime's own packages are looked for where they are managed first; all others in the project first. */
function placesOf(packageName: string): readonly string[] {
  const folder = runtimeFolder();
  const runtime = managedRuntimes.find((one) =>
    one.packages.some(({ name, shared }) => name === packageName && !shared),
  );
  const byHand = join(folder, "package.json");
  return runtime === undefined
    ? [import.meta.url, byHand]
    : [join(folder, runtime.name, "package.json"), byHand, import.meta.url];
}
