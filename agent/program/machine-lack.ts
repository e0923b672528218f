/**
 * LACK-5: what a program's last word says that its machine lacks: a module, a program, a library, a file. What it says of its own files is
 * its own fault, and so is what it asked for by a parameter; where that is in doubt, nothing is said.
 */
import { readdirSync } from "node:fs";
import { isAbsolute, join, resolve, sep } from "node:path";
import type { Params } from "../../protocol/value.ts";
import type { OwnEnd } from "./command-end.ts";

export interface LackContext {
  /** Where the program's own files are, and where it ran. */
  readonly folder: string;
  /** Other folders of which the machine is not asked to have anything. */
  readonly ownFolders: readonly string[];
  /** Its trial's parameters: a file that is named after one is not the machine's to have. */
  readonly params: Params;
}

type Found = (groups: Readonly<Record<string, string>>, context: LackContext) => string | null;

/** Of the program's own entries so many are looked at. */
const entriesLookedAtMax = 20_000;
/** Folders in which others' packages lie, beside a program's own files. */
const foreignFolders = new Set(["node_modules", "site-packages", "dist-packages"]);
const namesCharactersMax = 150;

/** In the words of interpreters, shells and loaders; the first that fits counts. */
const sayings: readonly (readonly [RegExp, Found])[] = [
  [
    /\bversion [`'"‘](?<name>GLIBC\w*_[\d.]+)['"’] not found/,
    ({ name = "" }) => `the library version ${name}`,
  ],
  [
    /(?:^|[\s:'"(])(?<path>[^\s:'"(]+\.so[\w.]*): cannot open shared object file/,
    ({ path = "" }, context) => (isOwnFile(path, context) ? null : `the library ${quoted(path)}`),
  ],
  [/^ImportError: cannot import name '\w+' from partially initialized module/, () => null],
  [
    /^ImportError: cannot import name '(?<name>[^']+)' from '(?<module>[^']+)'(?: \((?<path>[^)]*)\))?/,
    ({ module = "", name = "", path = "" }, context) =>
      isOwnName(top(module), context) || isOwnPath(path, context)
        ? null
        : `${quoted(name)} of the Python module ${quoted(module)}`,
  ],
  [
    /^(?:ModuleNotFoundError|ImportError): No module named '?(?<name>[\w.]+)'?/,
    ({ name = "" }, context) => (isOwnName(top(name), context) ? null : pythonModule(name)),
  ],
  [
    /python[\d.]*(?:\.exe)?: (?:Error while finding module specification for '[^']*' \(ModuleNotFoundError: )?No module named '?(?<name>[\w.]+)/,
    ({ name = "" }, context) => (isOwnName(top(name), context) ? null : pythonModule(name)),
  ],
  [/^ImportError: Missing optional dependency '(?<name>[\w.-]+)'/, ({ name = "" }) => pythonPackage(name)],
  [
    /PackageNotFoundError: (?:No package metadata was found for (?:The ')?)?(?<name>[\w.-]+)/,
    ({ name = "" }) => pythonPackage(name),
  ],
  [
    /Cannot find (?:module|package) '(?<name>(?:@[\w.-]+\/)?[\w-][\w.-]*)/,
    ({ name = "" }, context) => (isOwnName(name, context) ? null : `the Node.js package ${quoted(name)}`),
  ],
  [
    /there is no package called [‘'"`](?<name>[\w.]+)['’"]/,
    ({ name = "" }) => `the R package ${quoted(name)}`,
  ],
  [
    /Can't locate (?<name>[\w/]+)\.pm in @INC/,
    ({ name = "" }, context) =>
      isOwnName(name.split("/").at(-1) ?? "", context)
        ? null
        : `the Perl module ${quoted(name.replaceAll("/", "::"))}`,
  ],
  [
    /cannot load such file -- (?<name>[\w-][\w./-]*)/,
    ({ name = "" }, context) =>
      isOwnName(name.split("/")[0] ?? "", context) ? null : `the Ruby library ${quoted(name)}`,
  ],
  [/Package (?<name>\w+) not found in current path/, ({ name = "" }) => `the Julia package ${quoted(name)}`],
  [/Found no NVIDIA driver on your system/, () => "an NVIDIA driver"],
  [
    /No such file or directory: (?<quote>['"])(?<path>\/.+)\k<quote>$/,
    ({ path = "" }, context) => missingFile(path, context),
  ],
  [
    /ENOENT: no such file or directory, \w+ '(?<path>\/[^']+)'/,
    ({ path = "" }, context) => missingFile(path, context),
  ],
  [
    /(?:^|[\s'"‘`:])(?<path>\/[^:'"’`]+)['"’`]?: No such file or directory$/,
    ({ path = "" }, context) => missingFile(path, context),
  ],
];

/** What shells end with where there is no such program, and what they say then. */
const notFoundCode = 127;
const shellSayings: typeof sayings = [
  [/(?:^|: )(?<name>[^\s:]+): (?:command )?not found$/, missingProgram],
  [/: command not found: (?<name>\S+)$/, missingProgram],
  [/\benv: [‘'"`]?(?<name>[^’'"`:]+)[’'"`]?: No such file or directory/, missingProgram],
];

/** Such as `the Python module "yaml"`; null where what it said blames nothing of the machine. */
export function lackIn({ code, said }: OwnEnd, context: LackContext): string | null {
  const line = said.trim();
  for (const [saying, found] of code === notFoundCode ? [...sayings, ...shellSayings] : sayings) {
    const heard = saying.exec(line);
    if (heard !== null) return found(heard.groups ?? {}, context)?.slice(0, namesCharactersMax) ?? null;
  }
  return null;
}

function missingProgram(
  { name = "" }: Readonly<Record<string, string>>,
  context: LackContext,
): string | null {
  if (name.includes("/") && isOwnFile(name, context)) return null;
  return isNamedAfterParameter(name, context.params) ? null : `the program ${quoted(name)}`;
}

function missingFile(path: string, context: LackContext): string | null {
  if (isOwnFile(path, context) || isNamedAfterParameter(path, context.params)) return null;
  return `the file ${quoted(path)}`;
}

/** A value of a parameter stands in it: as a text, or as a number by itself or with zeros before it. */
function isNamedAfterParameter(path: string, params: Params): boolean {
  return Object.values(params).some((value) => {
    if (typeof value === "string") return value !== "" && path.includes(value);
    if (typeof value !== "number") return false;
    const digits = String(value).replaceAll(/[.+]/g, String.raw`\$&`);
    return new RegExp(`(?<![0-9.])0*${digits}(?![0-9])`).test(path);
  });
}

/** What is not named by its whole path is looked for among the program's files; so is what lies there. A bare library is not. */
function isOwnFile(path: string, context: LackContext): boolean {
  if (!path.includes("/")) return isOwnName(path, context);
  return !isAbsolute(path) || isOwnPath(path, context);
}

function isOwnPath(path: string, { folder, ownFolders }: LackContext): boolean {
  if (!isAbsolute(path)) return false;
  const whole = resolve(path);
  return [folder, ...ownFolders].some(
    (own) => whole === resolve(own) || whole.startsWith(`${resolve(own)}${sep}`),
  );
}

/** Endings of files that an import finds by their name without it. */
const sourceEnding = /^\.(?:py|pyc|pyd|so|[\w-]+\.so|js|mjs|cjs|ts|rb|pm|pl|r|jl|sh)$/i;

/** True where a file of the program is called so, or a folder with a file of Python in it. */
function isOwnName(name: string, { folder }: LackContext): boolean {
  if (name === "") return false;
  const waiting = [folder];
  let looked = 0;
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const entry of entriesOf(place)) {
      if (++looked > entriesLookedAtMax) return false;
      const isFolder = entry.isDirectory();
      if (isFolder ? entry.name === name && isPackage(join(place, name)) : isSource(entry.name, name))
        return true;
      if (isFolder && !entry.name.startsWith(".") && !foreignFolders.has(entry.name))
        waiting.push(join(place, entry.name));
    }
  }
  return false;
}

function isSource(file: string, name: string): boolean {
  return file === name || (file.startsWith(name) && sourceEnding.test(file.slice(name.length)));
}

function isPackage(folder: string): boolean {
  return entriesOf(folder).some(({ name }) => /\.(?:py|js|rb|pm)$/.test(name));
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function top(module: string): string {
  return module.split(".")[0] ?? module;
}

const pythonModule = (name: string) => `the Python module ${quoted(name)}`;
const pythonPackage = (name: string) => `the Python package ${quoted(name)}`;

function quoted(text: string): string {
  return JSON.stringify(text);
}
