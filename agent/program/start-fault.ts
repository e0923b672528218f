/**
 * Why a command could not be started, in one sentence that names what is missing or too long, and whether another machine
 * may have it. It looks at the files that the system only said no to.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve, sep } from "node:path";
import type { Environment } from "../../system/environment.ts";

export interface StartFault {
  readonly reason: string;
  /** True where another machine may start it. */
  readonly elsewhere: boolean;
  /** What this machine lacks, where that is it. */
  readonly lacks?: string;
}

export interface Start {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Environment;
}

/** Linux's bound of one word or variable; of all of them together it has another, which depends on the stack. */
const wordMaxBytes = 131_072;
const firstLineMaxBytes = 256;

/** Null where the system may be asked to start it. */
export function faultBefore({ environment, folder, words }: Start): StartFault | null {
  const [program = ""] = words;
  if (program === "") return everywhere("its command has no first word that names a program");
  const word = words.findIndex((text) => text.includes("\0"));
  if (word >= 0) return everywhere(`word ${word + 1} of its command has a NUL character in it`);
  const variable = Object.entries(environment).find(([name, value]) =>
    `${name}${value ?? ""}`.includes("\0"),
  );
  if (variable !== undefined)
    return everywhere(`the variable ${quoted(variable[0])} of its environment has a NUL character in it`);
  const place = kindAt(folder);
  if (place === "folder") return null;
  return elsewhere(`the folder it is to run in, ${folder}, is ${place === null ? "not there" : "a file"}`);
}

/** What the system's refusal means. */
export function startFault(start: Start, error: NodeJS.ErrnoException): StartFault {
  const { folder, words } = start;
  const [program = ""] = words;
  // What is looked for on the path may be on another machine's; what came with the program is missing everywhere.
  const onPath = !/[\\/]/.test(program);
  switch (error.code) {
    case "ENOENT":
      return missing(start, program, onPath);
    case "ENOTDIR":
      return {
        reason: `a folder in the path of "${program}" is a file (looked for from ${folder})`,
        elsewhere: onPath,
      };
    case "EACCES":
      return kindAt(resolve(folder, program)) === "folder" && !onPath
        ? everywhere(`"${program}" is a folder and no program`)
        : { reason: `"${program}" may not be executed; \`chmod +x\` allows it`, elsewhere: onPath };
    case "E2BIG":
      return everywhere(tooLong(start));
    case "ENOEXEC":
      return elsewhere(`"${program}" is no program that this machine can run`);
    default:
      return elsewhere(`"${program}" could not be started (${error.code ?? error.message})`);
  }
}

function missing({ environment, folder }: Start, program: string, onPath: boolean): StartFault {
  const found = onPath ? pathsOf(environment).find((path) => kindAt(join(path, program)) === "file") : folder;
  const file = found === undefined ? null : resolve(found, program);
  if (file === null || kindAt(file) === null)
    return onPath
      ? lacking(`the program ${quoted(program)}`, `there is no program "${program}" on this machine's path`)
      : missingFile(program, folder);
  const line = firstLine(file);
  if (!line.startsWith("#!")) return elsewhere(`"${program}" needs a loader that this machine does not have`);
  if (line.endsWith("\r"))
    return everywhere(
      `the first line of "${program}" ends as on Windows (CRLF), so its interpreter is not found; \`sed -i 's/\\r$//'\` mends it`,
    );
  const interpreter = line.slice(2).trim().split(/\s/)[0] ?? "";
  return lacking(
    `the interpreter ${quoted(interpreter)}`,
    `the first line of "${program}" asks for ${quoted(interpreter)}, which this machine does not have`,
  );
}

/** What is named by its whole path is of the machine, unless it is where the program's own files are. */
function missingFile(program: string, folder: string): StartFault {
  const reason = `there is no program "${program}" (looked for from ${folder})`;
  const isOwn = !isAbsolute(program) || resolve(program).startsWith(`${resolve(folder)}${sep}`);
  return isOwn ? everywhere(reason) : lacking(`the program ${quoted(program)}`, reason);
}

function tooLong({ environment, words }: Start): string {
  const variables = Object.entries(environment).map(([name, value = ""]) => ({
    name,
    bytes: name.length + Buffer.byteLength(value),
  }));
  const [longest] = variables.toSorted((a, b) => b.bytes - a.bytes);
  const ofWords = words.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
  if (
    longest !== undefined &&
    longest.bytes > Math.min(ofWords, wordMaxBytes) &&
    longest.bytes >= wordMaxBytes - 2
  )
    return `the variable ${quoted(longest.name)} of its environment is too long; hand it over in a file`;
  return "the command line is too long; pass the parameters by ${args_json_file}";
}

function pathsOf(environment: Environment): readonly string[] {
  return (environment["PATH"] ?? "").split(delimiter).filter((path) => isAbsolute(path));
}

function kindAt(path: string): "file" | "folder" | null {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    return null;
  }
}

function firstLine(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(firstLineMaxBytes);
      const length = readSync(file, bytes, 0, firstLineMaxBytes, 0);
      return bytes.toString("latin1", 0, length).split("\n")[0] ?? "";
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

const everywhere = (reason: string): StartFault => ({ reason, elsewhere: false });
const elsewhere = (reason: string): StartFault => ({ reason, elsewhere: true });
const lacking = (lacks: string, reason: string): StartFault => ({ reason, elsewhere: true, lacks });
