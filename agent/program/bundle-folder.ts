/**
 * Files of a folder into a bundle, and a bundle into a folder. What is hidden or can be made again is left out; links within it
 * travel as copies, those that lead nowhere stay behind, and those that lead out of it are refused, as is what is too big.
 */
import { constants } from "node:fs";
import { chmod, open, readdir, readFile, readlink, realpath, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { systemCode } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { decodeBundle, type Bundle, type BundledFile } from "./bundle.ts";
import { isEnvironment, isLeftOut, leftOutIn } from "./left-out.ts";
import { makeFolder } from "../../system/make-folder.ts";

const secretsStay = "its keys and credentials must not travel; keep the program elsewhere";

export interface FolderLimits {
  readonly maxMiB: number;
  readonly maxFiles: number;
}

interface Found {
  /** With slashes, from the folder. */
  readonly path: string;
  readonly file: string;
  readonly bytes: number;
  readonly executable: boolean;
  /** When it was written last, ms since the Unix epoch. */
  readonly changed: number;
}

export interface PackOptions extends FolderLimits {
  /** Only these files and folders of it, hidden or not; null for all that is not left out. */
  readonly only: readonly string[] | null;
  /** How the folder is called in a refusal. */
  readonly what: string;
  /** What to do where it is too big. */
  readonly advice: string;
  /** Folders that must not travel: left out where they are met, refused where they are named. */
  readonly isSecret?: (folder: string) => boolean;
  /** Told of each file and folder that is left out by its name or as an environment. */
  readonly onLeftOut?: (path: string) => void;
  /** Told of each link that stays behind, and why. */
  readonly onLink?: (sentence: string) => void;
}

/** The folder's files in memory; a refusal names what is missing or too big. */
export async function packFolder(
  folder: string,
  options: PackOptions,
): Promise<Outcome<readonly BundledFile[]>> {
  const found = await listFolder(folder, options);
  if (!found.ok) return found;
  const files: BundledFile[] = [];
  for (const { executable, file, path } of found.value)
    files.push({ path, executable, content: await readSame(file) });
  return accept(files);
}

/**
 * SANDBOX-11: the very file that was found. Its program may put a link in its place meanwhile, or in that of a folder around it, to
 * what only the agent may read: then it is as gone as one that was deleted.
 */
async function readSame(file: string): Promise<Buffer> {
  const handle = await open(
    file,
    constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
  );
  try {
    const opened = process.platform === "linux" ? await readlink(`/proc/self/fd/${handle.fd}`) : file;
    if (opened !== file) throw Object.assign(new Error(`${file} has been replaced`), { code: "ENOENT" });
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

export async function listFolder(folder: string, options: PackOptions): Promise<Outcome<readonly Found[]>> {
  const { isSecret = () => false, maxFiles, only, what } = options;
  const { onLeftOut = () => undefined, onLink = () => undefined } = options;
  const root = await realpath(folder);
  const isInSecret = (path: string): boolean =>
    isSecret(path) || (dirname(path) !== path && isInSecret(dirname(path)));
  if (isInSecret(root)) return refuse("invalid", `${what} is the home of a mesh, or in one: ${secretsStay}`);
  const found = new Map<string, Found>();
  const outside: string[] = [];
  const secret: string[] = [];
  let copies = 0;
  const add = async (path: string, named: boolean, above: readonly string[]): Promise<void> => {
    // One more than allowed is enough to refuse. Folders behind links count too: they may multiply.
    if (found.size > maxFiles || copies > maxFiles) return;
    const real = named ? await realpath(join(root, path)) : await ledTo(join(root, path));
    if (real === null) {
      onLink(`${path} in ${what} is a link that leads nowhere, and stays behind`);
      return;
    }
    if (!named && (await isEnvironment(real))) return onLeftOut(path);
    if (real !== root && !real.startsWith(root + sep)) {
      outside.push(path);
      return;
    }
    if (real === join(root, path) && !named ? isSecret(real) : isInSecret(real)) {
      if (named) secret.push(path);
      return;
    }
    const facts = await stat(real);
    if (facts.isFile()) {
      const shown = path.split(sep).join("/");
      found.set(shown, {
        path: shown,
        file: real,
        bytes: facts.size,
        executable: (facts.mode & 0o111) !== 0,
        changed: facts.mtimeMs,
      });
    } else if (facts.isDirectory()) {
      // A link to a folder within travels as a copy of it; not where that would have no end.
      if (above.includes(real))
        return onLink(`${path} in ${what} is a link to a folder around it, and stays behind`);
      if (!named && isLeftOut(basename(real)))
        return onLink(
          `${path} in ${what} is a link to ${basename(real)}, which is left out, and stays behind`,
        );
      if (real !== join(root, path)) copies++;
      const isOut = await leftOutIn(real);
      for (const name of (await readdir(real)).toSorted())
        if (isOut(name)) onLeftOut(join(path, name));
        else await add(join(path, name), false, [...above, real]);
    } else onLink(`${path} in ${what} is neither a file nor a folder, and stays behind`);
  };
  for (const name of only ?? ["."]) {
    const path = relative(root, resolve(root, name));
    if (path.startsWith("..")) return refuse("invalid", `${name} is not in ${what}; only its files travel`);
    try {
      await add(path, true, []);
    } catch (error) {
      if (!isMissing(error)) throw error;
      return refuse("unknown", `there is no ${name} in ${what}`);
    }
  }
  const fault = faultOf({ outside, secret, copies }, options);
  if (fault !== null) return refuse("invalid", fault);
  const files = [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return withinLimits(files, options);
}

function faultOf(
  {
    copies,
    outside,
    secret,
  }: { readonly outside: readonly string[]; readonly secret: readonly string[]; readonly copies: number },
  { advice, maxFiles, what }: PackOptions,
): string | null {
  const [link] = outside;
  if (link !== undefined) return `${link} in ${what} is a link to outside of it; only its own files travel`;
  const [kept] = secret;
  if (kept !== undefined) return `${kept} in ${what} is the home of a mesh, or in one: ${secretsStay}`;
  return copies > maxFiles ? `links in ${what} lead to more than ${maxFiles} folders; ${advice}` : null;
}

function withinLimits(files: readonly Found[], options: PackOptions): Outcome<readonly Found[]> {
  const { advice, maxFiles, maxMiB, what } = options;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (files.length > maxFiles)
    return refuse("invalid", `${what} holds more than ${maxFiles} files; ${advice}`);
  if (bytes > maxMiB * bytesPerMiB) {
    const largest = files.reduce((most, file) => (file.bytes > most.bytes ? file : most));
    return refuse(
      "invalid",
      `${what} holds ${inMiB(bytes)} MiB and may hold ${maxMiB} MiB; the largest file is ${largest.path} with ${inMiB(largest.bytes)} MiB; ${advice}`,
    );
  }
  return accept(files);
}

/** The bundle in this file. */
export async function readBundle(path: string): Promise<Outcome<Bundle>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch {
    return refuse("unavailable", `the file ${path} cannot be read`);
  }
  return decodeBundle(bytes);
}

/** Writes the bundle's files under the folder, which is made. Its paths were checked when it was read. */
export async function unpackBundle({ files }: Bundle, folder: string): Promise<void> {
  await makeFolder(folder, 0o700);
  const made = new Set<string>();
  for (const { content, executable, path } of files) {
    const file = join(folder, path);
    const parent = dirname(file);
    if (!made.has(parent)) await makeFolder(parent, 0o700);
    made.add(parent);
    await writeFile(file, content, { mode: 0o600 });
    if (executable) await chmod(file, 0o700);
  }
}

/** Where a path leads; null where a link leads nowhere, or to itself. */
async function ledTo(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error) || systemCode(error) === "ELOOP") return null;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function inMiB(bytes: number): string {
  return (bytes / bytesPerMiB).toFixed(1);
}
