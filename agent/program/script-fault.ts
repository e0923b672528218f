/**
 * What keeps a file from being run as a program, read from its first bytes: an interpreter that is not there, the line ends of
 * another system, a program for another kind of machine. It starts nothing.
 */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { basename, delimiter, isAbsolute, join, resolve } from "node:path";
import type { Environment } from "../../system/environment.ts";

export interface StartFault {
  readonly reason: string;
  /** True where another machine may start it. */
  readonly elsewhere: boolean;
}

export const everywhere = (reason: string): StartFault => ({ reason, elsewhere: false });
export const elsewhere = (reason: string): StartFault => ({ reason, elsewhere: true });

/** Of which a first line may be as long, to Linux. */
const firstLineMaxBytes = 256;
/** An interpreter may be a script itself, and its own one too. */
const interpretersMax = 4;

/** Machine types of ELF, by the names that Node.js has for them. */
const machines: Readonly<Record<number, string>> = {
  3: "ia32",
  8: "mips",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x64",
  183: "arm64",
  243: "riscv64",
  258: "loong64",
};

export interface Script {
  /** As its command names it. */
  readonly name: string;
  readonly file: string;
  readonly folder: string;
  readonly environment: Environment;
}

/** Null where nothing in its first bytes keeps it from being run. */
export function scriptFault(script: Script, deep = 0): StartFault | null {
  const { file, folder, name } = script;
  const bytes = firstBytes(file);
  if (bytes === null || deep > interpretersMax) return null;
  if (bytes.length === 0) return everywhere(`"${name}" is empty`);
  const line = bytes.toString("latin1").split("\n")[0] ?? "";
  if (!line.startsWith("#!")) return machineFault(name, bytes) ?? markFault(name, line);
  if (line.endsWith("\r")) return windowsFault(name, line);
  if (line.length >= firstLineMaxBytes)
    return everywhere(
      `the first line of "${name}" is longer than the ${firstLineMaxBytes} bytes that a system reads`,
    );
  const [interpreter = "", ...given] = words(line);
  if (interpreter === "") return everywhere(`the first line of "${name}" names no interpreter`);
  const path = resolve(folder, interpreter);
  switch (kindAt(path)) {
    case null:
      return elsewhere(
        `the first line of "${name}" asks for ${quoted(interpreter)}, which this machine does not have`,
      );
    case "folder":
      return everywhere(`the first line of "${name}" asks for ${quoted(interpreter)}, which is a folder`);
    case "file":
      if (!mayExecute(path))
        return elsewhere(
          `the first line of "${name}" asks for ${quoted(interpreter)}, which may not be executed on this machine`,
        );
  }
  if (basename(interpreter) === "env") return missingByEnv(script, given);
  return scriptFault({ ...script, name: interpreter, file: path }, deep + 1);
}

/** True for a text whose first line names no interpreter: a shell is asked to run it, whatever it is written in. */
export function namesNoInterpreter(file: string): boolean {
  const bytes = firstBytes(file);
  return bytes !== null && bytes.length > 0 && !bytes.includes(0) && bytes.toString("latin1", 0, 2) !== "#!";
}

export function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function kindAt(path: string): "file" | "folder" | null {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch {
    return null;
  }
}

/** The absolute folders of its path: a program that is looked for in the others is looked for where it runs. */
export function pathsOf(environment: Environment): readonly string[] {
  return (environment["PATH"] ?? "").split(delimiter).filter((path) => isAbsolute(path));
}

export function quoted(text: string): string {
  return JSON.stringify(text);
}

function windowsFault(name: string, line: string): StartFault {
  const [interpreter = "", ...given] = words(line);
  const wanted = basename(interpreter) === "env" ? (given.at(-1) ?? interpreter) : interpreter;
  return everywhere(
    `the first line of "${name}" ends as on Windows (CRLF), so its interpreter ${quoted(`${wanted}\r`)} is not found; ` +
      "`sed -i 's/\\r$//'` mends it",
  );
}

/** `#!/usr/bin/env python3`: what env is to look for on the path. */
function missingByEnv({ environment, folder, name }: Script, given: readonly string[]): StartFault | null {
  const first = given.findIndex((word) => !word.startsWith("-") && !word.includes("="));
  const wanted = given[first];
  // Some options of env are followed by a word of their own.
  if (given.slice(0, Math.max(0, first)).some((word) => /^-[a-zS]*[uC]$|^--(?:unset|chdir)$/.test(word)))
    return null;
  if (wanted === undefined) return null;
  const places = wanted.includes("/")
    ? [folder]
    : (environment["PATH"] ?? "").split(delimiter).map((path) => resolve(folder, path));
  if (places.some((path) => mayExecute(resolve(path, wanted)))) return null;
  const where = wanted.includes("/") ? "" : " on its path";
  return elsewhere(
    `the first line of "${name}" asks for ${quoted(wanted)}, which this machine does not have${where}`,
  );
}

function machineFault(name: string, bytes: Buffer): StartFault | null {
  if (bytes.toString("latin1", 0, 2) === "MZ") return elsewhere(`"${name}" is a program for Windows`);
  if (bytes.toString("latin1", 0, 4) !== "\u007fELF" || bytes.length < 20) return null;
  const machine = bytes.readUInt8(5) === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18);
  const kind = machines[machine] ?? `a machine of type ${machine}`;
  return kind === process.arch
    ? null
    : elsewhere(`"${name}" is a program for ${kind}, and this machine is ${process.arch}`);
}

/** What some editors put before the first line, which then is none that names an interpreter. */
function markFault(name: string, line: string): StartFault | null {
  if (!/^(?:\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)#?/.test(line)) return null;
  return everywhere(
    `"${name}" begins with a byte order mark, so its first line names no interpreter; save it as UTF-8 without one`,
  );
}

function words(line: string): readonly string[] {
  return line
    .slice(2)
    .trim()
    .split(/[ \t]+/);
}

function firstBytes(path: string): Buffer | null {
  try {
    const file = openSync(path, "r");
    try {
      const bytes = Buffer.alloc(firstLineMaxBytes);
      return bytes.subarray(0, readSync(file, bytes, 0, firstLineMaxBytes, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}

/** The file that a command's first word starts; null where it is none on this machine. */
export function programFile(
  word: string,
  { environment, folder }: Pick<Script, "environment" | "folder">,
): string | null {
  const places = /[\\/]/.test(word) ? [folder] : pathsOf(environment);
  const found = places
    .map((path) => (isAbsolute(word) ? word : join(path, word)))
    .find((file) => kindAt(file) === "file");
  return found ?? null;
}
