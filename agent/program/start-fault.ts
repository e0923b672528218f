/**
 * Why a command could not be started, in one sentence that names what is missing or too long, and whether another machine
 * may have it. It looks at the files that the system only said no to.
 */
import { statSync } from "node:fs";
import { isAbsolute, resolve, sep } from "node:path";
import { systemCode } from "../../system/system-error.ts";
import type { Environment } from "../../system/environment.ts";
import { isVisible, type Confinement } from "../sandbox/sandbox.ts";
import {
  elsewhere,
  everywhere,
  kindAt,
  lacking,
  mayExecute,
  namesNoInterpreter,
  programFile,
  quoted,
  scriptFault,
  type StartFault,
} from "./script-fault.ts";

export interface Start {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Environment;
}

/** Linux's bound of one word or variable; of all of them together it has another, which depends on the stack. */
const wordMaxBytes = 131_072;
/** Of what bubblewrap says. */
const saidMaxCharacters = 200;
/** What a shell and `env` end with where they find no program, and a shell where it reads what is no shell's. */
const notFoundCodes: readonly (number | null)[] = [2, 126, 127];

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

/** Null where bubblewrap may be asked to start it: what it would say of a program that is missing says little. */
export function faultWithin(start: Start, confinement: Confinement): StartFault | null {
  const [program = ""] = start.words;
  const file = programFile(program, start);
  if (file === null) return startFault(start, { ...new Error(program), code: codeOf(start, program) });
  if (!mayExecute(file)) return startFault(start, { ...new Error(program), code: "EACCES" });
  return isVisible(confinement, file) ? null : outside(program, file);
}

/** What the system would say of a first word that is no file. */
function codeOf({ folder }: Start, program: string): string {
  if (!/[\\/]/.test(program)) return "ENOENT";
  try {
    statSync(resolve(folder, program));
    return "EACCES";
  } catch (error) {
    return systemCode(error) ?? "ENOENT";
  }
}

/** What bubblewrap said where it did not come to start the program. */
export function sandboxFault(start: Start, said: string): StartFault {
  const [program = ""] = start.words;
  const why = /^bwrap: execvp .*: (.*)$/.exec(said)?.[1];
  if (why === undefined)
    return elsewhere(`its sandbox could not be made (${said.slice(0, saidMaxCharacters)})`);
  const code = { "No such file or directory": "ENOENT", "Argument list too long": "E2BIG" }[why] ?? "ENOEXEC";
  const fault = startFault(start, { ...new Error(why), code });
  return fault.lacks === undefined && code === "ENOENT" && faultOfFile(start, program) === null
    ? outside(program, programFile(program, start) ?? program)
    : fault;
}

/** It is on this machine, and not where programs are shown anything of it. */
function outside(program: string, file: string): StartFault {
  return lacking(
    `the program ${quoted(program)}`,
    `"${program}" lies at ${file}, which the sandbox of programs does not show; its owner can add the folder with --program-reads`,
  );
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
      return forbidden(start, program, onPath);
    case "E2BIG":
      return everywhere(tooLong(start));
    case "ENOEXEC":
      return faultOfFile(start, program) ?? elsewhere(`"${program}" is no program that this machine can run`);
    default:
      return elsewhere(`"${program}" could not be started (${error.code ?? error.message})`);
  }
}

function missing(start: Start, program: string, onPath: boolean): StartFault {
  if (programFile(program, start) === null)
    return onPath
      ? lacking(`the program ${quoted(program)}`, `there is no program "${program}" on this machine's path`)
      : missingFile(program, start.folder);
  return (
    faultOfFile(start, program) ?? elsewhere(`"${program}" needs a loader that this machine does not have`)
  );
}

function forbidden(start: Start, program: string, onPath: boolean): StartFault {
  const file = programFile(program, start);
  if (!onPath && file === null && kindAt(resolve(start.folder, program)) === "folder")
    return everywhere(`"${program}" is a folder and no program`);
  const isOpen = file !== null && mayExecute(file);
  const fault = isOpen ? faultOfFile(start, program) : null;
  return fault ?? { reason: `"${program}" may not be executed; \`chmod +x\` allows it`, elsewhere: onPath };
}

function faultOfFile({ environment, folder }: Start, program: string): StartFault | null {
  const file = programFile(program, { environment, folder });
  return file === null ? null : scriptFault({ name: program, file, folder, environment });
}

/** It started, and what was to run it ended at once with this code; null where its file gives no reason for that. */
export function faultBehind(start: Start, code: number | null): StartFault | null {
  const [program = ""] = start.words;
  return notFoundCodes.includes(code) ? faultOfFile(start, program) : null;
}

/** Said beside what a shell said of a file that it was not written for; empty where it may be a shell's. */
export function shellNote(start: Start, code: number | null): string {
  const [program = ""] = start.words;
  const file = notFoundCodes.includes(code) ? programFile(program, start) : null;
  return file !== null && namesNoInterpreter(file)
    ? ` ("${program}" has no first line such as #!/usr/bin/env python3, so a shell ran it)`
    : "";
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
