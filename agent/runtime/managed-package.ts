/**
 * Native runtimes are not dependencies: they are large, built for one machine, and not everywhere to be had.
 * They are found in the project itself where someone put them there, else in a folder of their own outside it.
 */
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import * as z from "zod";

const manifestSchema = z.object({ version: z.string() });

/** `TRIALMESH_RUNTIME`, or `.cache/trialmesh/runtime` in the user's own folder. */
export function runtimeFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const given = environment["TRIALMESH_RUNTIME"];
  return given === undefined || given === "" ? join(homedir(), ".cache", "trialmesh", "runtime") : given;
}

/** What a person types to bring a native runtime in. */
export function installCommand(name: string): string {
  return `npm install --prefix ${runtimeFolder()} ${name}`;
}

export interface FoundPackage {
  readonly version: string;
  /** Loads the package. Its exports are checked by whoever uses them. */
  readonly load: () => unknown;
}

/** The package, or null where it is in neither place. */
export function findPackage(name: string): FoundPackage | null {
  for (const from of [import.meta.url, join(runtimeFolder(), "package.json")]) {
    const load = createRequire(from);
    try {
      const { version } = manifestSchema.parse(load(`${name}/package.json`));
      return { version, load: (): unknown => load(name) };
    } catch {
      // Not here: the next place may have it.
    }
  }
  return null;
}
